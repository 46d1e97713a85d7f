"""Numbers, bars and tables as text."""

from collections.abc import Sequence

from flows.texts.terminal import columns_of, one_line

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


def money(amount: float) -> str:
    """An amount in hundredths, or in two digits where that would say nothing.

    >>> money(1234.5), money(0.25), money(0.00123), money(0)
    ('1,234.50', '0.25', '0.0012', '0.00')
    """
    return f"{amount:,.2f}" if amount >= 0.1 or not amount else f"{amount:.2g}"


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


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "") -> str:
    """`rows` in columns two spaces apart; a column of numbers is flush right.

    >>> print(aligned([("model", "wins"), ("llama", "9"), ("qwen-2", "120")]))
    model   wins
    llama      9
    qwen-2   120
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(columns_of, column)) for column in columns]
    numeric = [any(map(_is_number, column)) and all(map(_fits, column[1:])) for column in columns]
    lines = []
    for row in rows:
        cells = [
            _padded(cell, width, right=right)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def aligned_beside(
    rows: Sequence[Sequence[str]], texts: Sequence[str], width: int, *, indent: str = ""
) -> str:
    """`rows` as `aligned`, each with its text beside it, cut so that the line takes `width` columns.

    >>> print(aligned_beside([("a", "1"), ("bc", "20")], ["a text", "text " * 5], 28))
    a    1  a text
    bc  20  text text text text…
    """
    lines = aligned(rows, indent=indent).splitlines()
    start = max(map(columns_of, lines)) + 2
    cut = (one_line(text, max(width - start, 20)) for text in texts)
    both = zip(lines, cut, strict=True)
    return "\n".join(f"{_padded(line, start, right=False)}{text}".rstrip() for line, text in both)


def _padded(cell: str, width: int, *, right: bool) -> str:
    space = " " * (width - columns_of(cell))
    return space + cell if right else cell + space


def _is_number(cell: str) -> bool:
    return cell.strip("+-").replace(",", "").replace(".", "").replace("%", "").strip().isdigit()


def _fits(cell: str) -> bool:
    return not cell or _is_number(cell)
