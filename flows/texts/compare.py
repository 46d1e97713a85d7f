"""A comparison of two ways of drawing, as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.texts.plain import aligned, counted

if TYPE_CHECKING:
    from pipelines.agreement.bootstrap import Interval
    from pipelines.diversity.compare import Comparison, Figure
    from pipelines.embedding.encoder import Encoder

LABELS = {
    "responses": "responses",
    "tokens": "tokens of them",
    "jaccard": "shared words (Jaccard)",
    "cosine": "cosine of hashed words",
    "effective": "effective responses (Vendi)",
    "cosine_by_model": "cosine, {model}",
    "effective_by_model": "effective, {model}",
}
"""What figures are called; those that are of no model are of words."""

POOLED = {
    "mean": "the mean of the",
    "cls": "the first of the",
    "max": "the largest of the",
    "lasttoken": "the last of the",
}


def comparison_text(found: "Comparison", a: str, b: str, encoder: "Encoder | None" = None) -> str:
    """The figures of both sides, each with its 95 % interval."""
    model = encoder.folder.name if encoder else ""
    parts = [f"A: {a}\nB: {b}", _counted(found)]
    if encoder:
        parts.append(_seen(found, encoder))
    if found.figures:
        parts.append(_table(found.figures, model))
    parts += [f"{lang}\n{_table(figures, model)}" for lang, figures in found.by_lang.items()]
    parts.append(_verdict(found.figures, model))
    return "\n\n".join(part for part in parts if part)


def _seen(found: "Comparison", encoder: "Encoder") -> str:
    """Which model, and how much of the texts it saw."""
    folder = encoder.folder
    within = f" of at most {folder.max_tokens}" if folder.max_tokens else ""
    text = f"{folder.name} ({folder.digest()[:12]}): {encoder.dimensions} dimensions, "
    text += f"{POOLED[folder.pooling]} tokens{within}"
    if found.cut:
        text += f"; it did not see the end of {found.cut} of {counted(found.responses, 'response')}"
    return text


def _counted(found: "Comparison") -> str:
    text = f"{counted(found.prompts, 'prompt')} with two responses or more on both sides"
    return f"{text}; {found.left_out} left out" if found.left_out else text


def _table(figures: Sequence["Figure"], model: str) -> str:
    head = ("mean over prompts", "A", "95 %", "B", "95 %", "B - A", "95 %")
    rows = [
        (
            LABELS.get(one.name, one.name).replace("{model}", model),
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


def _verdict(figures: Sequence["Figure"], model: str) -> str:
    """What shared words and an embedding model say, and whether the sets are of one size."""
    by_name = {one.name: one for one in figures}
    if "jaccard" not in by_name:
        return ""
    if side := _smaller(by_name["jaccard"]):
        said = f"The responses of {side} share fewer words."
    else:
        said = "Neither side shares fewer words: the interval of the difference holds 0."
    if "cosine_by_model" in by_name:
        side = _smaller(by_name["cosine_by_model"])
        whose = f"the responses of {side}" if side else "neither side's responses"
        said += f"\nBy {model}, {whose} are less alike."
    if by_name["responses"].difference:
        said += " The sets differ in size, and a larger one holds more effective responses."
    return said


def _smaller(figure: "Figure") -> str:
    """The side with the smaller figure; "" where the interval of the difference holds 0."""
    interval = figure.interval
    if interval is None or interval.low <= 0 <= interval.high:
        return ""
    return "B" if interval.high < 0 else "A"


def _number(value: float) -> str:
    return f"{value:.3f}"


def _interval(interval: "Interval | None") -> str:
    return "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
