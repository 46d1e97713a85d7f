"""Gates: what must hold for a build to be published. A refused build keeps its evidence."""

from collections.abc import Collection, Iterable
from decimal import Decimal

from pydantic import Field, field_validator

from pipelines.calibration.at_least import at_least
from pipelines.gating.cost_figures import cost_figures
from pipelines.gating.figure_gates import FigureGates, failed_figures
from pipelines.part import Threshold
from schemas.version import Manifest


class Gates(FigureGates):
    """Bounds that the finished build is held against, with all of a figure's 95 % interval."""

    min_pairs: int = Field(default=1, ge=0)
    """Fewest kept pairs."""
    min_read_share: Threshold = Field(default=Decimal("0.95"), ge=0, le=1)
    """Least share of readable replies, for each judge that asks a model."""
    allow_incomplete: Threshold = Field(default=Decimal(0), ge=0, le=1)
    """Largest share of prompts whose calls may still be owed when publishing."""
    judge_accuracy: str | dict[str, str] | None = None
    """How often a judge must have been right on labelled pairs (`pairwright judge check`), as in
    ">= 0.7": the lower 95 % bound of its accuracy in both orders, with unread counted as wrong, on
    at least 100 pairs. It holds for every judge that `[score]` and the pairings use, and those whose
    votes or figures filters and selectors go by; or, as a table, for those that it names: { rating = ">= 0.7", panel = ">= 0.8" }. The labelled prompts are kept
    out of the build. Default: judges need not have been checked."""
    judge_labels: str = Field(default="", pattern=r"^([0-9a-f]{8,64})?$")
    """Digest, or its first 8 digits or more, of the labels that `judge_accuracy` counts on. Default:
    of all labels that a judge was checked on, those that it did worst on."""

    @field_validator("judge_accuracy", mode="before")
    @classmethod
    def _form(cls, given: object) -> object:
        if given == {}:
            raise ValueError("no judge is named")
        for bound in given.values() if isinstance(given, dict) else (given,):
            if given is not None:
                at_least(bound)
        return given

    def accuracy_bounds(self, counting: Iterable[str]) -> dict[str, Decimal]:
        """Judge -> its least accuracy; `counting` are those that decide pairs."""
        if self.judge_accuracy is None:
            return {}
        if isinstance(self.judge_accuracy, dict):
            return {name: at_least(bound) for name, bound in self.judge_accuracy.items()}
        return dict.fromkeys(counting, at_least(self.judge_accuracy))


def failed_gates(
    gates: Gates,
    manifest: Manifest,
    asking: frozenset[str],
    counting: Collection[str] = (),
    comparing: Collection[str] = (),
) -> list[str]:
    """What the build fails, in words; empty when it may be published.

    `asking` are the judges that ask a model: only their replies can be unreadable by chance;
    `counting` those that decide pairs, `comparing` those that say which of two is better. What
    judges were checked on is not looked at here
    (`calibration.gate`).
    """
    failures = []
    if (pairs := manifest.rows("pairs")) < gates.min_pairs:
        failures.append(f"{pairs} pairs kept, and gates.min_pairs is {gates.min_pairs}")
    for name in sorted(asking & manifest.judges.keys()):
        judge = manifest.judges[name]
        if judge.read < gates.min_read_share * judge.asked:
            failures.append(
                f"judge {name}: {_refused(manifest, name)}{judge.read} of {judge.asked} replies "
                f"could be read ({judge.read / judge.asked:.1%}), and gates.min_read_share is "
                f"{gates.min_read_share}"
            )
    figures = (*manifest.figures, *cost_figures(manifest))
    return [*failures, *failed_figures(gates, figures, counting, comparing)]


def _refused(manifest: Manifest, judge: str) -> str:
    """What the endpoint of a judge refused, before what could be read; "" for nothing."""
    found = manifest.refused.get(f"judges.{judge}")
    if found is None:
        return ""
    return f"its endpoint refused {found.refused} of {found.asked} requests ({found.example}); "
