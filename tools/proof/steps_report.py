"""The tables of the experiment on pairs of steps, in Markdown, from its JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from tools.proof.answers import TEMPERATURE
from tools.proof.report import WAYS, head, row, signed

SEARCHES = {
    "nothing_2": "nothing, 2",
    "rollouts_2": "4 rollouts, 2",
    "rollouts16_2": "16 rollouts, 2",
    "likelihood_2": "likelihood, 2",
    "nothing_4": "nothing, 4",
    "rollouts_4": "4 rollouts, 4",
    "likelihood_4": "likelihood, 4",
}
CUTS = {
    "all": "all pairs",
    "visited": "`min_visits = 2`",
    "solved": "`only_solved`",
    "solved_gap": "`only_solved`, `min_gap = 1`",
}
SETS = {
    "steps_likelihood": "steps, by likelihood",
    "steps_rollouts": "steps, by rollouts",
    "outcomes": "outcomes",
    "outcomes_as_many": "outcomes, as many pairs",
}


def tables(report: Mapping[str, Any]) -> dict[str, str]:
    """Table -> its text."""
    made = {
        "steps_searches": _searches,
        "steps_sets": _sets,
        "steps_tuning": _tuning,
        "steps_arms": _arms,
        "steps_differences": _differences,
    }
    return {name: "\n".join(make(report)) for name, make in made.items()}


def _searches(report: Mapping[str, Any]) -> Iterable[str]:
    yield from head("values, continuations", "written", "scored", *CUTS.values())
    for name, one in report["searches"].items():
        costs = (f"{one['cost'][key]:,}" for key in ("written", "scored"))
        pairs = (
            f"{one['cuts'][cut]['pairs']}: {percent(one['cuts'][cut]['right'])}" for cut in CUTS
        )
        yield row(SEARCHES[name], *costs, *pairs)


def _sets(report: Mapping[str, Any]) -> Iterable[str]:
    yield from head(
        "set", "asked", "written", "scored", "read", "pairs", "of problems", "chosen right",
        "reversed", "after a right beginning: chosen right",
    )  # fmt: skip
    for name, one in report["sets"].items():
        keys = ("asked", "written", "scored", "read", "pairs", "problems")
        shares = (percent(one[key]) for key in ("right", "reversed", "right_after_right"))
        yield row(SETS[name], *(f"{one[key]:,}" for key in keys), *shares)


def _arms(report: Mapping[str, Any]) -> Iterable[str]:
    yield from head(
        "trained on", "rate, beta", f"right at {TEMPERATURE}", "seeds", "against the start",
        "right, greedy", "against the start",
    )  # fmt: skip
    start = [f"{report['start'][way]['value']:.3f}" for way in WAYS]
    yield row("nothing (the start)", "", start[0], "", "", start[1], "")
    for name, one in report["arms"].items():
        setting = f"{one['setting']['rate']:g}, {one['setting']['beta']:g}"
        right = [f"{one[way]['value']:.3f}" for way in WAYS]
        apart = [signed(one["from_start"][way]) for way in WAYS]
        seeds = ", ".join(f"{share:.3f}" for share in one["sampled"]["seeds"])
        yield row(SETS[name], setting, right[0], seeds, apart[0], right[1], apart[1])


def _differences(report: Mapping[str, Any]) -> Iterable[str]:
    yield from head("difference", f"at {TEMPERATURE}", "greedy")
    for one in report["differences"]:
        both = f"{SETS[one['of']]} - {SETS[one['from']]}"
        yield row(both, *(signed(one[way]) for way in WAYS))


def _tuning(report: Mapping[str, Any]) -> Iterable[str]:
    """A row for each set and beta, a column for each learning rate."""
    tried = {(one["arm"], one["beta"], one["rate"]): one["sampled"] for one in report["tuning"]}
    rates = sorted({rate for _, _, rate in tried})
    yield from head("tuned on", "beta", *(f"rate {rate:g}" for rate in rates))
    for arm, beta in dict.fromkeys((arm, beta) for arm, beta, _ in tried):
        yield row(SETS[arm], f"{beta:g}", *(f"{tried[arm, beta, rate]:.3f}" for rate in rates))


def percent(of: Mapping[str, float]) -> str:
    """A share with its interval, as in a table.

    >>> percent({"value": 0.89, "low": 0.831, "high": 0.94})
    '89 % (83 to 94)'
    """
    value, low, high = (f"{100 * of[key]:.0f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"
