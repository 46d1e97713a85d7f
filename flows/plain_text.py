"""Numbers, bars and tables as text."""

import unicodedata
from collections.abc import Sequence

EIGHTHS = " ▏▎▍▌▋▊▉"


def count(number: int) -> str:
    """A count in full.

    >>> count(17998)
    '17,998'
    """
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "pair"), counted(1200, "pair"), counted(0, "reply", "replies")
    ('1 pair', '1,200 pairs', '0 replies')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def short(number: float) -> str:
    """A count in three digits or so.

    >>> [short(number) for number in (0, 999, 1234, 45_678, 999_999, 12_345_678)]
    ['0', '999', '1.2k', '46k', '1.0M', '12M']
    """
    value = float(number)
    for suffix in ("", "k", "M"):
        if value < 999.5:
            return f"{value:.1f}{suffix}" if suffix and value < 9.95 else f"{value:.0f}{suffix}"
        value /= 1000
    return f"{value:.1f}G"


def duration(seconds: float) -> str:
    """Minutes and seconds, with hours from one hour on.

    >>> duration(75), duration(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bar(share: float, width: int = 24) -> str:
    """A bar of `share` of `width` characters, in eighths; any share above 0 can be seen.

    >>> bar(0.5, 4), bar(0.28125, 4), bar(0.0001, 4), bar(0, 4)
    ('██', '█▏', '▏', '')
    """
    eighths = max(round(share * width * 8), 1) if share > 0 else 0
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def one_line(text: str, widest: int) -> str:
    r"""A text on one line without control characters: it may hold a terminal's commands.

    >>> one_line("a\nb \x1b[31m", 60), one_line("a long text", 7)
    ('a b [31m', 'a long…')
    """
    line = "".join(one for one in " ".join(text.split()) if unicodedata.category(one)[0] != "C")
    return line if len(line) <= widest else line[: widest - 1] + "…"


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "") -> str:
    """`rows` in columns two spaces apart; a column of numbers is flush right.

    >>> print(aligned([("model", "wins"), ("llama", "9"), ("qwen-2", "120")]))
    model   wins
    llama      9
    qwen-2   120
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [any(map(_is_number, column)) and all(map(_fits, column[1:])) for column in columns]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    return cell.strip("+-").replace(",", "").replace(".", "").replace("%", "").strip().isdigit()


def _fits(cell: str) -> bool:
    return not cell or _is_number(cell)
