"""Equal texts: a judge that compares sees each text once, and what it says is of all who have it.

r1 "4"  r2 "5"  r3 "4"  ─>  r1 r2, in an order drawn by the seed  ─>  ranks of r1 r2 r3
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.judging.model_judge import judgeable
from schemas.rows import Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


def one_of_each_text(responses: Sequence[Response]) -> list[Response]:
    """Of the responses that can be judged one of each text, that with the smallest id.

    Equal texts are never compared.
    """
    texts: dict[str | None, Response] = {}
    for response in sorted(judgeable(responses), key=lambda one: one.response_id):
        texts.setdefault(response.text, response)
    return list(texts.values())


def in_drawn_order(unit: "Unit", judge: str, responses: Iterable[Response]) -> list[Response]:
    """Some responses in an order that the recipe's seed draws, whatever order they came in."""
    return sorted(responses, key=lambda one: unit.draw(judge, one.response_id))


def shared_by_text(
    found: Mapping[Response, Any], responses: Sequence[Response]
) -> list[tuple[Response, Any]]:
    """Each response whose text was judged, with what was found of the one that stood for it.

    `found` holds one response of each text: None where nothing is known of it.
    """
    by_text = {response.text: value for response, value in found.items()}
    return [(one, by_text[one.text]) for one in responses if one.text in by_text]
