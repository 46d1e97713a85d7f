"""A comparison of two ways of drawing, as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.plain_text import aligned, counted

if TYPE_CHECKING:
    from pipelines.agreement.bootstrap import Interval
    from pipelines.diversity.compare import Comparison, Figure

LABELS = {
    "responses": "responses",
    "tokens": "tokens of them",
    "jaccard": "shared words (Jaccard)",
    "cosine": "cosine of hashed words",
    "effective": "effective responses (Vendi)",
}


def comparison_text(found: "Comparison", a: str, b: str) -> str:
    """The figures of both sides, each with its 95 % interval."""
    parts = [f"A: {a}\nB: {b}", _counted(found)]
    if found.figures:
        parts.append(_table(found.figures))
    parts += [f"{lang}\n{_table(figures)}" for lang, figures in found.by_lang.items()]
    parts.append(_verdict(found.figures))
    return "\n\n".join(part for part in parts if part)


def _counted(found: "Comparison") -> str:
    text = f"{counted(found.prompts, 'prompt')} with two responses or more on both sides"
    return f"{text}; {found.left_out} left out" if found.left_out else text


def _table(figures: Sequence["Figure"]) -> str:
    head = ("mean over prompts", "A", "95 %", "B", "95 %", "B - A", "95 %")
    rows = [
        (
            LABELS.get(one.name, one.name),
            _number(one.a),
            _interval(one.a_interval),
            _number(one.b),
            _interval(one.b_interval),
            f"{one.difference:+.3f}",
            _interval(one.interval),
        )
        for one in figures
    ]
    return aligned([head, *rows])


def _verdict(figures: Sequence["Figure"]) -> str:
    """What the shared words say, and whether the sets are of one size."""
    by_name = {one.name: one for one in figures}
    if "jaccard" not in by_name:
        return ""
    interval = by_name["jaccard"].interval
    if interval is None or interval.low <= 0 <= interval.high:
        said = "Neither side shares fewer words: the interval of the difference holds 0."
    else:
        said = f"The responses of {'B' if interval.high < 0 else 'A'} share fewer words."
    if by_name["responses"].difference:
        said += " The sets differ in size, and a larger one holds more effective responses."
    return said


def _number(value: float) -> str:
    return f"{value:.3f}"


def _interval(interval: "Interval | None") -> str:
    return "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
