"""The meter: what a build has done so far. The spine counts, a front end may look at any time."""

import time
from dataclasses import dataclass, field, fields

from pipelines.calls.bought import Bought
from pipelines.calls.prices import Prices, Usage
from schemas.version import Forecast, Lineage


@dataclass(slots=True)
class Spend:
    """Tokens and money of one model. Money is in the currency of its prices."""

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    money: float = 0.0
    missing_usage: int = 0
    """Replies without usage: their tokens and money are unknown, not zero."""
    unpriced: int = 0
    """Replies with usage whose model has no price for some of it."""

    def add(self, usage: Usage | None, prices: Prices) -> None:
        """Counts one paid reply."""
        self.calls += 1
        if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
            self.missing_usage += 1
            return
        self.prompt_tokens += usage.prompt_tokens
        self.cached_tokens += usage.cached_tokens or 0
        self.completion_tokens += usage.completion_tokens
        self.reasoning_tokens += usage.reasoning_tokens or 0
        money = prices.money(usage)
        if money is None:
            self.unpriced += 1
        else:
            self.money += money

    def merge(self, other: "Spend") -> None:
        """Adds what was counted elsewhere."""
        for name in (one.name for one in fields(self)):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Meter:
    """Running totals of one build in one process."""

    started: float = field(default_factory=time.monotonic)
    step: str = "reading"
    """What is going on: reading, sampling and judging, selecting, publishing."""
    rows_read: int = 0
    """Rows of the sources, each as often as a table of the recipe reads it."""
    units: int = 0
    units_done: int = 0
    units_owed: int = 0
    samples_paid: int = 0
    """Samples bought in this run."""
    samples_replayed: int = 0
    """Samples that the ledger already held."""
    samples_equal: int = 0
    """Of these, samples that an equal request of this run had bought."""
    damaged_records: int = 0
    """Records of the ledger that could not be read; one may be another build's, being written."""
    in_flight: int = 0
    abandoned: int = 0
    """Requests in flight whose replies nobody waited for at the end: they are paid, and lost."""
    retries: int = 0
    refused_requests: int = 0
    """Requests that an endpoint refused for good."""
    jobs: dict[str, str] = field(default_factory=dict)
    """Batch jobs under way -> the state of each, in words."""
    engines: dict[str, str] = field(default_factory=dict)
    """Engines that the build started itself -> what each did, in words."""
    spend: dict[str, Spend] = field(default_factory=dict)
    """Per model of the recipe."""
    before: dict[str, Spend] = field(default_factory=dict)
    """Per model of the recipe, what the replies took that earlier runs bought and this one uses,
    at the prices of today."""
    forecast: dict[str, Forecast] = field(default_factory=dict)
    """Per model of the recipe, what a plan before the run expects."""
    units_fingerprint: str = ""
    """As the manifest's `run` has it."""
    reused: str = ""
    """The version whose units are taken over, as in "my-set@v0001"; "" where they were run."""
    not_reused: str = ""
    """Why a version whose units were to be taken over was passed over."""
    lineage: Lineage | None = None
    """Of which round of an iteration this is the build."""

    @property
    def samples_before(self) -> int:
        """Samples that earlier runs had bought."""
        return self.samples_replayed - self.samples_equal

    @property
    def calls(self) -> int:
        """Paid replies of this run, all models together."""
        return sum(spend.calls for spend in self.spend.values())

    def paid(self, model: str, usage: Usage | None, prices: Prices) -> None:
        """Counts one paid reply of `model`."""
        self.spend.setdefault(model, Spend()).add(usage, prices)

    def paid_before(self, model: str, bought: Bought, prices: Prices) -> None:
        """Counts a reply of `model` that an earlier run paid and this one uses."""
        if not bought.refused:
            self.before.setdefault(model, Spend()).add(bought.usage, prices)

    def add(self, other: "Meter") -> None:
        """Counts what a shard did elsewhere, too."""
        for name in (one.name for one in fields(self)):
            if isinstance(count := getattr(self, name), int):
                setattr(self, name, count + getattr(other, name))
        self.engines |= other.engines
        for mine, theirs in ((self.spend, other.spend), (self.before, other.before)):
            for model, spend in theirs.items():
                mine.setdefault(model, Spend()).merge(spend)
