"""Examples: two or three pairs of a version with their texts, as the page shows them.

Which ones is decided by the rows alone. Ids are chosen first, so that few texts are read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from pipelines.report.numbers import count, score
from pipelines.report.tables import Row, Tables

HEAD, TAIL = 600, 200
"""Characters that are shown of the beginning and of the end of a longer text."""
CONTEXT = 80
"""Characters shown before the place where two answers part."""

KEPT = """
    FROM pairs, (FROM pairs SELECT max(score_margin) AS most, min(score_margin) AS least)
    SELECT
        coalesce(min(pair_id) FILTER (score_margin = most), min(pair_id)) AS widest,
        min(pair_id) FILTER (score_margin = least) AS closest
"""
DROPPED = """
    FROM drops SELECT id, prompt_id, reason, step WHERE level = 'pairs' AND reason = (
        FROM drops SELECT reason WHERE level = 'pairs' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)
    ORDER BY id LIMIT 1
"""
KEPT_TEXTS = """
    FROM pairs SELECT pair_id, prompt, chosen, rejected, chosen_model, rejected_model, score_chosen,
        score_rejected, score_margin WHERE pair_id = $pair_id
"""
DROPPED_TEXTS = """
    FROM drops d
    JOIN (FROM prompts WHERE prompt_id = $prompt_id) p ON p.prompt_id = d.prompt_id
    JOIN (FROM responses WHERE prompt_id = $prompt_id) c ON c.response_id = d.chosen_response_id
    JOIN (FROM responses WHERE prompt_id = $prompt_id) r ON r.response_id = d.rejected_response_id
    SELECT d.id AS pair_id, p.messages AS prompt, c.model AS chosen_model, r.model AS rejected_model,
        [{'content': c.text, 'tool_calls': c.tool_calls}] AS chosen,
        [{'content': r.text, 'tool_calls': r.tool_calls}] AS rejected,
        d.score_chosen, d.score_rejected, d.score_margin
    WHERE d.level = 'pairs' AND d.id = $pair_id LIMIT 1
"""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Example:
    """One pair, ready to be shown."""

    title: str
    pair_id: str
    facts: str
    """Scores, margin and models."""
    prompt: str
    chosen: str
    rejected: str


def examples(tables: Tables) -> list[Example]:
    """A pair with the widest margin, one with the smallest, and one that was dropped.

    Fewer where there are no more, or no margins.
    """
    return [example for example in _found(tables) if example is not None]


def _found(tables: Tables) -> Iterator[Example | None]:
    (kept,) = tables.rows(KEPT)
    widest, closest = kept["widest"], kept["closest"]
    if widest is not None:
        title = "The widest margin" if closest else "A pair"
        yield _example(title, tables.rows(KEPT_TEXTS, pair_id=widest))
    if closest not in (None, widest):
        title = "The smallest margin that was kept"
        yield _example(title, tables.rows(KEPT_TEXTS, pair_id=closest))
    for dropped in tables.rows(DROPPED):
        title = f"A pair that was dropped: {dropped['reason']} ({dropped['step']})"
        ids = {"pair_id": dropped["id"], "prompt_id": dropped["prompt_id"]}
        yield _example(title, tables.rows(DROPPED_TEXTS, **ids))


def _example(title: str, found: list[Row]) -> Example | None:
    """The pair; None where its texts were not found."""
    for row in found:
        sides = [_text(row[side]) for side in ("chosen", "rejected")]
        alike = _alike(*sides)
        first, second = (shortened(text, alike) for text in sides)
        prompt = shortened(_conversation(row["prompt"]))
        return Example(title, row["pair_id"], _facts(row), prompt, first, second)
    return None


def shortened(text: str, alike: int = 0) -> str:
    """The beginning and the end of a long text, from shortly before `alike` characters are over.

    >>> shortened("x" * 1000 + "end").count("x"), shortened("Right.")
    (797, 'Right.')
    >>> shortened("a" * 1000 + "b", alike=1000)[:30]
    '… [920 characters alike] … aaa'
    """
    opening = ""
    if alike > 2 * CONTEXT and len(text) > HEAD:
        opening = f"… [{count(alike - CONTEXT)} characters alike] … "
        text = text[alike - CONTEXT :]
    left_out = len(text) - HEAD - TAIL
    if left_out > 0:
        text = f"{text[:HEAD]} … [{count(left_out)} characters more] … {text[-TAIL:]}"
    return opening + _CONTROL.sub(lambda one: chr(0x2400 + min(ord(one[0]), 0x21)), text)


def _alike(first: str, second: str) -> int:
    """Characters that two texts have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(first, second, strict=False)))


def _conversation(messages: Sequence[dict[str, Any]]) -> str:
    """What was asked last, after how many other messages."""
    *before, last = messages
    return f"[{count(len(before))} before] {_text([last])}" if before else _text([last])


def _text(messages: Sequence[dict[str, Any]]) -> str:
    """The contents of messages, and the tool calls in them."""
    parts = []
    for message in messages:
        parts += [message["content"]] if message["content"] else []
        for call in message.get("tool_calls") or ():
            parts.append(f"{call['name']}({call['arguments']})")
    return "\n".join(parts)


def _facts(row: Row) -> str:
    models = dict.fromkeys(row[f"{side}_model"] or "unknown" for side in ("chosen", "rejected"))
    told = [" over ".join(models)]
    if row["score_margin"] is not None:
        told = [
            f"{score(row['score_chosen'])} over {score(row['score_rejected'])}",
            f"margin {score(row['score_margin'])}",
            *told,
        ]
    return ", ".join(told)
