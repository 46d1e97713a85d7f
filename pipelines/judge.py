"""Judges: what says which responses are good, one by one or in comparison."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pipelines.judging.tie_rule import PLAIN, TieRule
from pipelines.judging.when import When
from pipelines.part import Part, Threshold
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

Statistic = Literal["min", "mean", "sum"]
"""Over the log-probabilities, in nats, of a response's tokens."""


class Judge(Part):
    """Judges the responses of one unit."""

    shelf: ClassVar[str] = "judges"

    relative: ClassVar[bool] = False
    """Whether what it says of a response rests on the others that it is asked about with it."""

    recorded: ClassVar[bool] = False
    """Whether it has judged before, and nothing that is drawn here."""

    scale: tuple[Threshold, Threshold] | None = None
    """Lowest and highest score, in score units; thresholds are checked against it."""
    when: When | None = None
    """Ask this judge only where another one is unsure, or about its best and worst alone."""

    def models(self) -> tuple[str, ...]:
        """Names of the recipe's models that this part may call; checked before any call."""
        return ()

    def specimen(self) -> str:
        """A reply that this judge can read, for plans; "" where it asks no model."""
        return ""

    def specimen_of(self, question: str) -> str:
        """As `specimen`, to the words in which it asks."""
        return self.specimen()

    def score_scale(self) -> tuple[Threshold, Threshold] | None:
        """The scale of what it gives a response in [score]; None where it is not known."""
        return self.scale

    def likelihood(self) -> Statistic | None:
        """Which statistic of a response's log-probabilities its score is; None: its score is none.

        Measures of surprise take no other judge.
        """
        return None

    def dimensions(self) -> tuple[str, ...]:
        """What its judgments tell apart beside the whole (`Judgment.dimension`)."""
        return ()

    def rates(self) -> bool:
        """Whether it scores or ranks single responses; False: it says which of two is better."""
        return True

    def tie_rule(self) -> TieRule:
        """What it means that the two orders of one of its comparisons disagree."""
        return PLAIN

    @abstractmethod
    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """The judgments. A reply that cannot be read is a row with `error` and `raw`, no score."""
