"""Recorded judgments: scores, ranks, comparisons and verdicts that a source already holds.

One row is about one response (`response` with `score` or `rank`), or about two (`response_a` and
`response_b` with `score_a` and `score_b`, `verdict` or `p_a`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pipelines.errors import nearest
from pipelines.intake.columns import Columns
from pipelines.judge import Judge, Statistic
from pipelines.part import Runtime, Where
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

VERDICTS = ("a", "b", "tie")


class Recorded(Judge):
    """Takes the judgments from a source, by key and never by position."""

    recorded: ClassVar[bool] = True

    source: str = ""
    """Name of the source. Default: the recipe's only source."""
    response: Columns = ()
    """Columns whose values are the `key` of the recorded response that was judged."""
    score: str | None = None
    """Column with its score, in score units; true and false are 1 and 0."""
    rank: str | None = None
    """Column with its rank among the responses to the prompt, smaller is better."""
    response_a: Columns = ()
    """Columns whose values are the `key` of the first response of a comparison."""
    response_b: Columns = ()
    """Columns whose values are the `key` of the second response of a comparison."""
    score_a: str | None = None
    """Column with the score of the first, in score units."""
    score_b: str | None = None
    """Column with the score of the second, in score units."""
    verdict: str | None = None
    """Column that says which of the two is better."""
    verdicts: dict[str, tuple[str, ...]] = {
        "a": ("a", "A"),
        "b": ("b", "B"),
        "tie": ("tie", "Tie", "TIE"),
    }
    """How `verdict` writes them, as texts: a = ["1"], b = ["2"], tie = ["0"]. Any other value is
    a judgment that cannot be read, and is kept as it stands."""
    p_a: str | None = None
    """Column with the probability that the first is better, in [0, 1]."""
    statistic: Annotated[Statistic | None, Runtime] = None
    """Of the log-probabilities of a response's tokens, in nats: which statistic `score` is, "min",
    "mean" or "sum". Measures such as `perplexity` take no scores that are not said to be one."""
    judged_by: str | None = None
    """Column with the name of the judge, which may be a group of annotators. Default: all are this
    part's, under its own name."""
    annotator: str | None = None
    """Column that tells apart the people, or models, who judged."""
    key: Columns = ()
    """Columns whose values are the judgment's own key: equal judgments never merge."""
    raw: str | None = None
    """Column with what the judge said, word for word."""
    reasoning: str | None = None
    """Column with the reasons that it gave."""
    orphans: Literal["error", "drop"] = "error"
    """What becomes of a row whose response is not among the recorded ones."""

    def check(self, where: Where) -> None:
        """Raises RecipeError unless the columns say what one row is about, and what it says."""
        compares = bool(self.response_a or self.response_b)
        if compares == bool(self.response):
            raise where.error(
                "either response, or response_a and response_b, is needed", "response"
            )
        if compares:
            self._check_comparison(where)
        elif (self.score is None) == (self.rank is None):
            raise where.error("either score or rank is needed", "score")
        if self.statistic is not None and self.score is None:
            raise where.error("it is of a column `score`, which is not given", "statistic")
        for side in self.verdicts:
            if side not in VERDICTS:
                raise where.error(
                    f'no such verdict "{side}"; {nearest(side, VERDICTS)}', "verdicts"
                )
        self._check_verdicts(where)

    def _check_verdicts(self, where: Where) -> None:
        sides: dict[str, str] = {}
        for side, texts in self.verdicts.items():
            for text in texts:
                if sides.setdefault(text, side) != side:
                    raise where.error(
                        f'"{text}" stands under {sides[text]} and under {side}', "verdicts"
                    )

    def _check_comparison(self, where: Where) -> None:
        if not (self.response_a and self.response_b):
            raise where.error("response_a and response_b are needed together", "response_a")
        if (self.score_a is None) != (self.score_b is None):
            raise where.error("score_a and score_b are needed together", "score_a")
        if self.score_a is None and self.verdict is None and self.p_a is None:
            raise where.error("score_a and score_b, verdict or p_a is needed", "verdict")

    def likelihood(self) -> Statistic | None:
        """What `statistic` says."""
        return self.statistic

    def rates(self) -> bool:
        """Whether a row is about one response."""
        return bool(self.response)

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """All that is recorded of the prompt: what costs nothing is kept for dropped responses too.

        Pairing leaves out the responses that a filter has dropped, whoever judged them.
        """
        return unit.recorded_judgments(self.name)
