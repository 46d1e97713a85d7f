"""What `judge check` prints: a judge's figures on labelled pairs, in words."""

from collections.abc import Iterator
from pathlib import Path

from flows.texts.plain import aligned, count, counted
from flows.texts.terminal import one_line
from pipelines.calibration.gate import DIGITS, LEAST_PAIRS
from schemas.calibration import Calibration, Figure

NAMES = {
    "accuracy": ("accuracy, both orders together", "pair"),
    "accuracy_read": ("accuracy of what was read", "pair"),
    "accuracy_ab": ("accuracy with a shown first", "pair"),
    "accuracy_ba": ("accuracy with b shown first", "pair"),
    "consistency": ("same verdict in both orders", "pair"),
    "ties": ("ties", "pair"),
    "read": ("replies that could be read", "reply"),
    "a_rate": ("what is shown first wins (A-rate)", "comparison"),
    "fairness": ("fairness, -|A-rate - 1/2|", "comparison"),
    "kappa": ("kappa with the labels", "pair"),
    "ece": ("ECE", "pair"),
    "ece_scaled": ("ECE after temperature scaling", "pair"),
}
"""Figure -> what it is called, and what it counts over."""

WIDEST = 160
"""Columns of a reason why replies could not be read."""

MANY = {"reply": "replies"}
OF_CATEGORIES = ("accuracy", "consistency", "ties", "read")
IN_BRIEF = {"accuracy": "accuracy", "consistency": "same in both", "ties": "ties", "read": "read"}


def calibration_text(calibration: Calibration, file: Path | None, verdict: str = "") -> str:
    """The page of one judge; `file` is where it is kept, if it is, and `verdict` a gate's."""
    paragraphs = (
        "\n".join(_head(calibration)),
        _figures(calibration),
        _categories(calibration),
        "\n".join(_end(calibration, file, verdict)),
    )
    return "\n\n".join(filter(None, paragraphs))


def interval(figure: Figure) -> str:
    """The interval of a figure: "0.927 to 0.973"; empty where none is known."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{number(figure.low)} to {number(figure.high)}"


def number(value: float | None) -> str:
    """A figure in three digits.

    >>> number(0.95), number(-0.0001), number(None)
    ('0.950', '0.000', 'undefined')
    """
    return "undefined" if value is None else f"{round(value, 3) + 0.0:.3f}"


def _head(calibration: Calibration) -> Iterator[str]:
    labels = calibration.labels
    pairs, prompts = counted(labels.pairs, "labelled pair"), counted(labels.prompts, "prompt")
    of = f"of {prompts}" if calibration.prompts else "without their prompts"
    yield f"judge {calibration.judge}: {pairs} {of}"
    yield f"labels {labels.digest[:DIGITS]} ({labels.name})"
    if labels.dropped:
        reasons = (f"{count(rows)} {reason}" for reason, rows in labels.dropped.items())
        yield f"rows left out: {', '.join(reasons)}"
    if calibration.unread:
        reasons = (f"{one_line(why, WIDEST)} ({count(n)})" for why, n in calibration.unread.items())
        yield f"unread: {', '.join(reasons)}"


def _figures(calibration: Calibration) -> str:
    rows = [("", "figure", "95 % interval", "of")]
    for name, (title, noun) in NAMES.items():
        figure = calibration.figures[name]
        if figure.value is None and name != "accuracy":
            continue
        if name == "accuracy_read" and figure.n == calibration.figures["accuracy"].n:
            continue
        if name == "accuracy" and calibration.figures["consistency"].value is None:
            title = "accuracy"
        if name == "ece_scaled" and calibration.temperature is not None:
            title += f" (T = {calibration.temperature:.3g})"
        of = counted(figure.n, noun, MANY.get(noun, ""))
        rows.append((title, number(figure.value), interval(figure), of))
    return aligned(rows)


def _categories(calibration: Calibration) -> str:
    shown = [name for name in OF_CATEGORIES if calibration.figures[name].value is not None]
    rows = [("category", "pairs", *(IN_BRIEF[name] for name in shown), "accuracy from, to")]
    for name, figures in calibration.categories.items():
        values = (number(figures[one].value) for one in shown)
        rows.append((name, count(figures["accuracy"].n), *values, interval(figures["accuracy"])))
    return aligned(rows) if len(rows) > 1 else ""


def _end(calibration: Calibration, file: Path | None, verdict: str) -> Iterator[str]:
    pairs, bound = calibration.labels.pairs, number(calibration.lower_bound)
    if not calibration.prompts:
        yield "no prompts are known: each pair counts as one, and a build cannot keep them out"
    yield f"lower 95 % bound of the accuracy (Wilson): {bound}, which [gates] judge_accuracy tests"
    if pairs < LEAST_PAIRS:
        yield f"a gate takes no check on fewer than {LEAST_PAIRS} pairs"
    if file is not None:
        yield f"kept in {file}"
    if verdict:
        yield verdict
