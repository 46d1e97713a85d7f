"""Figures as rows of a table: shares in per cent, other numbers in two digits."""

from typing import TYPE_CHECKING

from flows.texts.plain import counted
from pipelines.bias.figure import LEAST_PROMPTS

if TYPE_CHECKING:
    from pipelines.bias.figure import Figure

HEAD = ("figure", "value", "95 % interval", "of", "how to read it")

Row = tuple[str, ...]


def share_row(name: str, figure: "Figure | None", of: str, reading: str) -> Row | None:
    """A share, its interval, and how many there are that it is the share `of`; None for None."""
    if figure is None:
        return None
    return name, percent(figure.value), percents(figure), _so_many(figure, of), reading


def number_row(name: str, figure: "Figure | None", of: str, reading: str) -> Row | None:
    """As `share_row`, of another number."""
    if figure is None:
        return None
    return name, two_digits(figure.value), interval(figure), _so_many(figure, of), reading


def _so_many(figure: "Figure", of: str) -> str:
    """With the number of prompts where they are too few to be sure."""
    many = counted(figure.n, of.removesuffix("s"), of)
    if figure.prompts >= LEAST_PROMPTS or of == "prompts":
        return many
    return f"{many} of {counted(figure.prompts, 'prompt')}"


def percent(share: float) -> str:
    """A share in per cent."""
    return f"{share:.1%}"


def two_digits(number: float | None) -> str:
    """A number with two digits behind its point; "" for None."""
    return "" if number is None else f"{number:.2f}"


def percents(figure: "Figure") -> str:
    """The interval of a share; "" where there is none."""
    if figure.interval is None:
        return ""
    return f"{100 * figure.interval.low:.1f} to {100 * figure.interval.high:.1f} %"


def interval(figure: "Figure") -> str:
    """The interval of another number; "" where there is none."""
    if figure.interval is None:
        return ""
    return f"{figure.interval.low:.2f} to {figure.interval.high:.2f}"
