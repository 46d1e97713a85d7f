"""The report: tables in Markdown, and the same figures as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tools.proof.answers import TEMPERATURE, Marks
from tools.proof.design import COMPARED, Arm, Size
from tools.proof.intervals import Estimate, Values, difference, mean
from tools.proof.jobs import Setting
from tools.proof.sets import PairSet

WAYS = ("sampled", "greedy")


@dataclass(frozen=True, slots=True)
class Tried:
    """A setting that was tried while tuning, and its share of right answers."""

    arm: Arm
    setting: Setting
    sampled: float


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found."""

    size: Size
    sets: Mapping[str, PairSet]
    tuned: Sequence[Tried]
    chosen: Mapping[Arm, Setting]
    start_tuning: Marks
    """Of the start, on the problems for tuning."""
    start: Marks
    trained: Mapping[Arm, Sequence[Marks]]
    """Of each seed."""

    def values(self, arm: Arm | None, way: str) -> Values:
        """(seeds, problems); of the start, where there is no arm."""
        marks = [self.start] if arm is None else self.trained[arm]
        return np.array([getattr(one, way) for one in marks])

    def to_json(self) -> dict[str, Any]:
        """Every figure."""
        return {
            "size": {name: size for name, size in asdict(self.size).items() if name != "grid"},
            "sets": {
                name: {**one.quality, "digest": one.digest} for name, one in self.sets.items()
            },
            "tuning": [
                {"arm": one.arm.name, **asdict(one.setting), "sampled": one.sampled}
                for one in self.tuned
            ],
            "tuning_start": float(self.start_tuning.sampled.mean()),
            "start": {way: asdict(mean(self.values(None, way))) for way in WAYS},
            "arms": {arm.name: self._of_arm(arm) for arm in self.trained},
            "differences": [
                {"of": one.name, "from": other.name, **self._apart(one, other)}
                for one, other in COMPARED
            ],
        }

    def _of_arm(self, arm: Arm) -> dict[str, Any]:
        figures: dict[str, Any] = {"setting": asdict(self.chosen[arm])}
        for way in WAYS:
            values = self.values(arm, way)
            figures[way] = asdict(mean(values)) | {"seeds": values.mean(1).tolist()}
        return figures | {"from_start": self._apart(arm, None)}

    def _apart(self, one: Arm, other: Arm | None) -> dict[str, Any]:
        return {
            way: asdict(difference(self.values(one, way), self.values(other, way))) for way in WAYS
        }


def tables(report: Mapping[str, Any]) -> dict[str, str]:
    """The tables of a report in Markdown, from its JSON."""
    made = {"sets": _sets, "arms": _arms, "differences": _differences, "tuning": _tuning}
    return {name: "\n".join(make(report)) for name, make in made.items()}


def _sets(report: Mapping[str, Any]) -> Iterable[str]:
    yield from head("set", "pairs", "problems", "right over wrong", "wrong over right")
    for name, one in report["sets"].items():
        shares = (f"{one[key]:.1%}" for key in ("right_over_wrong", "wrong_over_right"))
        yield row(name.replace("_", " "), f"{one['pairs']:,}", f"{one['prompts']:,}", *shares)


def _tuning(report: Mapping[str, Any]) -> Iterable[str]:
    """A row for each arm and beta, a column for each learning rate."""
    rows: dict[tuple[str, float], dict[float, float]] = {}
    for one in report["tuning"]:
        rows.setdefault((one["arm"], one["beta"]), {})[one["rate"]] = one["sampled"]
    rates = sorted({rate for tried in rows.values() for rate in tried})
    yield from head("tuned on", "beta", *(f"rate {rate:g}" for rate in rates))
    start = f"nothing (the start): {report['tuning_start']:.3f}"
    yield row(start, "", *("" for _ in rates))
    for (arm, beta), tried in rows.items():
        shares = (f"{tried[rate]:.3f}" if rate in tried else "" for rate in rates)
        yield row(arm, f"{beta:g}" if beta else "", *shares)


def _arms(report: Mapping[str, Any]) -> Iterable[str]:
    yield from head(
        "trained on", f"right at {TEMPERATURE}", "seeds", "against the start",
        "right, greedy", "against the start",
    )  # fmt: skip
    start = [_interval(report["start"][way]) for way in WAYS]
    yield row("nothing (the start)", start[0], "", "", start[1], "")
    for name, one in report["arms"].items():
        seeds = ", ".join(f"{share:.3f}" for share in one["sampled"]["seeds"])
        apart = [signed(one["from_start"][way]) for way in WAYS]
        yield row(
            name, f"{one['sampled']['value']:.3f}", seeds, apart[0],
            f"{one['greedy']['value']:.3f}", apart[1],
        )  # fmt: skip


def _differences(report: Mapping[str, Any]) -> Iterable[str]:
    yield from head("difference", f"at {TEMPERATURE}", "greedy")
    for one in report["differences"]:
        yield row(f"{one['of']} - {one['from']}", *(signed(one[way]) for way in WAYS))


def _interval(of: Mapping[str, float]) -> str:
    """As in a table.

    >>> _interval({"value": 0.5, "low": 0.4, "high": 0.6})
    '0.500 (0.400 to 0.600)'
    """
    one = Estimate(**of)
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def signed(of: Mapping[str, float]) -> str:
    """A difference in points of a hundred, as in a table.

    >>> signed({"value": 0.051, "low": -0.002, "high": 0.1})
    '+5.1 (-0.2 to +10.0)'
    """
    value, low, high = (f"{100 * of[key]:+.1f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def head(*titles: str) -> tuple[str, str]:
    """The first two lines of a table."""
    return row(*titles), row(*("---" for _ in titles))


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"
