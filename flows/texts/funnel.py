"""The funnel of a build as text: what each step took in and kept, and why the rest went."""

from typing import TYPE_CHECKING

from flows.texts.plain import aligned, bar, count

if TYPE_CHECKING:
    from schemas.version import Manifest


def funnel(manifest: "Manifest", *, bars: bool = False) -> str:
    """One line for each step, below it one for each reason, and at the end the pairs."""
    lines = [("step", "of", "in", "kept", "")]
    for step in manifest.counts:
        share = bar(step.kept / step.in_) if bars and step.in_ else ""
        lines.append((step.step, step.level, count(step.in_), count(step.kept), share))
        for reason, rows in sorted(step.reasons.items(), key=lambda entry: (-entry[1], entry[0])):
            lines.append(("", "", "", count(-rows), reason))
        if sum(step.reasons.values()) > step.dropped:
            lines.append(("", "", "", count(-step.dropped), "in all: some for several reasons"))
    lines.append(("published", "pairs", "", count(manifest.rows("pairs")), ""))
    return aligned(lines)
