"""Judges of single responses that ask a model: what `rating`, `rubric` and `checklist` share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pipelines.errors import JudgmentError
from pipelines.judging.aggregate import Said
from pipelines.judging.model_judge import Heard, ModelJudge
from pipelines.judging.response_row import response_row
from pipelines.part import Where
from schemas.rows import Judgment, Prompt, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

NO_REFERENCE = "the prompt has no reference"


@dataclass(frozen=True, slots=True)
class Rated:
    """What one sample says of one dimension of one response."""

    heard: Heard[Said]
    place: str | None = None
    """Where the response stood among those shown together: "2/4"."""

    @property
    def said(self) -> Said:
        """The rating, or why there is none."""
        return str(self.heard.error) if self.heard.value is None else self.heard.value


class PointJudge(ModelJudge):
    """Asks a model about responses, each of which gets a judgment of its own."""

    candidates: ClassVar[tuple[str, ...]] = ("response",)

    guided: bool = False
    """Whether the judge is shown the prompt's reference (a gold answer, or a source text) and holds
    the response against it. Your own template shows it wherever it uses `reference`."""
    without_reference: Literal["unread", "unguided"] = "unread"
    """What a guided judge makes of a prompt without a reference. "unread": nothing is asked, and
    each judgment says why it has no score. "unguided": it is judged without one."""

    def check(self, where: Where) -> None:
        """As `ModelJudge.check`, and for a guided judge whose template shows no reference."""
        super().check(where)
        if "without_reference" in self.model_fields_set and not self.guided:
            raise where.error(
                "only a judge with guided = true has a use for it", "without_reference"
            )
        if self.guided and "reference" not in self.words.variables:
            raise where.error(f"{self.template} does not use `reference`", "guided")

    def decisive(self) -> dict[str, Any]:
        """As `ModelJudge.decisive`, and whether the reference is shown."""
        return super().decisive() | ({"guided": True} if self.guided else {})

    def unasked(self, prompt: Prompt) -> str | None:
        """Why the judge asks nothing about `prompt`; None: it asks."""
        if not self.guided or self.without_reference == "unguided":
            return None
        return None if (prompt.reference or "").strip() else NO_REFERENCE

    def rows(
        self,
        unit: "Unit",
        response: Response,
        index: int,
        rated: Mapping[str, Rated],
        score: Callable[[Mapping[str, Said]], Decimal],
    ) -> Iterator[Judgment]:
        """The judgment of each dimension, then that of the whole response, by `score`.

        `raw` is the reply that a row was read from; the whole response has one where all of its
        dimensions have the same.
        """
        for name, one in rated.items():
            yield response_row(
                self,
                unit,
                response,
                index,
                dimension=name,
                order=one.place,
                score=float(one.said) if isinstance(one.said, Decimal) else None,
                error=None if isinstance(one.said, Decimal) else one.said,
                raw=one.heard.raw,
                reasoning=one.heard.reasoning,
            )
        whole = error = None
        try:
            whole = float(score({name: one.said for name, one in rated.items()}))
        except JudgmentError as unread:
            error = str(unread)
        yield response_row(
            self,
            unit,
            response,
            index,
            order=_common(one.place for one in rated.values()),
            score=whole,
            error=error,
            raw=_common(one.heard.raw for one in rated.values()),
            reasoning=_common(one.heard.reasoning for one in rated.values()),
        )

    def unasked_rows(self, unit: "Unit", responses: Sequence[Response], why: str) -> list[Judgment]:
        """A judgment without a score for each sample of each response."""
        return [
            response_row(self, unit, response, index, error=why)
            for response in responses
            for index in range(self.samples)
        ]

    def _reference(self, prompt: Prompt) -> str | None:
        """The reference where a guided judge, or an own template, shows it."""
        return super()._reference(prompt) if self.guided or self.template is not None else None


def _common(texts: Iterable[str | None]) -> str | None:
    """What all of `texts` are; None where they differ."""
    several = set(texts)
    return several.pop() if len(several) == 1 else None
