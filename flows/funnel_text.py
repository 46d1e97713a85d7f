"""The funnel of a build as text: what each step took in and kept, and why the rest went."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.plain_text import aligned, bar, count

if TYPE_CHECKING:
    from schemas.version import Step


def funnel(steps: "Sequence[Step]", *, bars: bool = False) -> str:
    """One line for each step, and one below it for each of its reasons.

    >>> from schemas.version import Step
    >>> reviews = Step(step="pairings.compared", level="comparisons", in_=1040, kept=940,
    ...                dropped=100, reasons={"tie": 99, "unread": 1})
    >>> print(funnel([reviews]))
    step               of              in  kept
    pairings.compared  comparisons  1,040   940
                                            -99  tie
                                             -1  unread
    """
    lines = [("step", "of", "in", "kept", "")]
    for step in steps:
        share = bar(step.kept / step.in_) if bars and step.in_ else ""
        lines.append((step.step, step.level, count(step.in_), count(step.kept), share))
        for reason, rows in sorted(step.reasons.items(), key=lambda entry: (-entry[1], entry[0])):
            lines.append(("", "", "", count(-rows), reason))
    return aligned(lines)
