"""Texts that fit into a terminal: cut, wrapped, and without what would command it."""

import shutil
import textwrap
import unicodedata
from collections.abc import Sequence


def terminal_width() -> int:
    """Columns of the terminal, or what COLUMNS says; 100 where neither tells."""
    return shutil.get_terminal_size((100, 24)).columns


def columns_of(text: str) -> int:
    """The columns that a text takes: two for each wide character, none for a combining mark.

    >>> columns_of("chosen"), columns_of("日本"), columns_of("e\u0301")
    (6, 4, 1)
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(unicodedata.combining(one) > 0 for one in text)


def plain(text: str) -> str:
    r"""A text without control characters: it may hold a terminal's commands.

    >>> plain("a\nb \x1b[31m")
    'a\nb [31m'
    """
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one)[0] != "C")


def one_line(text: str, widest: int) -> str:
    r"""A text on one line of at most `widest` columns, as `plain`.

    >>> one_line("a\nb \x1b[31m", 60), one_line("a long text", 7), one_line("日本語", 5)
    ('a b [31m', 'a long…', '日本…')
    """
    line = plain(" ".join(text.split()))
    if len(line) <= widest and columns_of(line) <= widest:
        return line
    return _head(line, widest - 1) + "…"


def excerpt(text: str, width: int, lines: int = 3) -> list[str]:
    """A text on at most `lines` lines of `width` columns: its beginning, and its end.

    >>> excerpt("a short one", 20)
    ['a short one']
    >>> excerpt("one two three four five six seven eight nine ten eleven", 14, lines=2)
    ['one two three…', '…ten eleven']
    """
    line = plain(" ".join(text.split()))
    begun = _wrapped(line[: (lines + 1) * width], width)
    if len(begun) <= lines:
        return begun or [""]
    if lines == 1:
        return [one_line(line, width)]
    shown = begun[: lines - 1]
    shown[-1] = f"{_head(shown[-1], width - 1)}…"
    end = line[1 - width :]
    while columns_of(end) > width - 1:
        end = end[1:]
    words = end.partition(" ")[2]
    return [*shown, f"…{words if 2 * columns_of(words) > width else end}"]


def fitted(words: Sequence[str], width: int, between: str = ", ") -> str:
    """As many of `words` as fit into `width` columns, from the first on; never cut within one.

    >>> fitted(["3/40 prompts", "ETA 0:30", "2.0 calls/s"], 25)
    '3/40 prompts, ETA 0:30'
    """
    line = ""
    for word in words:
        longer = f"{line}{between}{word}" if line else word
        if columns_of(longer) > width:
            break
        line = longer
    return line


def _head(line: str, width: int) -> str:
    """As much of the beginning of a line as fits into `width` columns."""
    head = line[:width]
    while columns_of(head) > width:
        head = head[:-1]
    return head


def _wrapped(line: str, width: int) -> list[str]:
    """A line in lines of `width` columns; at spaces where all characters are narrow."""
    if columns_of(line) == len(line):
        return textwrap.wrap(line, width, break_on_hyphens=False)
    lines = []
    while line:
        lines.append(_head(line, width) or line[0])
        line = line[len(lines[-1]) :].lstrip()
    return lines
