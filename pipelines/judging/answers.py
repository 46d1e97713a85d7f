r"""Answers: the final answer in a text, and whether it equals the reference.

`find_answer` looks in these places, in this order, and takes the last hit of the first that has
one:

    1. the "answer" field of a JSON object: fenced, broken or cut off too
    2. \boxed{...}
    3. #### ...                          (as GSM8K's solutions end)
    4. "answer is ...", "answer: ..."
    5. what the kind falls back on: the last number; a letter that stands as a choice; all of it

Places 1 to 3 are declared answers: what stands there and cannot be read is no answer, and no
reason to look for another one further on.
"""

import json
import re
from collections.abc import Callable
from typing import Literal

from pipelines.judging.numerals import last_number, stated_number, value_of

AnswerKind = Literal["number", "choice", "exact"]
"""How an answer is read and compared: as a number, as the letter of a choice, or as text."""

_FIELD = re.compile(
    r"""
    (?<!\\) (?P<quote>["']) answer (?P=quote) \s*:\s*
    (?: (?P<text> "(?:[^"\\]|\\.)*+" ) (?!\s*:)      # a JSON string, unless it is a key itself
      | (?P<rest> [^,}\n]+ ) )                       # a number, or what is left of a broken one
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LATEX = {"\b": r"\b", "\f": r"\f", "\t": r"\t", "\r": r"\r"}
_EATEN = re.compile(r"[\x08\f\t\r](?=[A-Za-z])")
"""What becomes of "\\frac" and "\\times" that a model wrote in JSON without a second backslash."""
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_HASHES = re.compile(r"####[ \t]*(\S[^\n]*)")
_PHRASE = re.compile(
    r"""\banswer\b[*_"'`]*+\s*+(?:is\b|[:：=])[\s*_:]*+(?=(\S[^\n]{0,300}))""", re.IGNORECASE
)
_CHOICE_ALONE = re.compile(r"[\W_]*+([A-Za-z])[\W_]*+")
_CHOICE_FIRST = re.compile(
    r"[\s(\[*_]*+(?:(?:option|choice)[\s(\[*_]*+)?([A-Z])(?![\w'’])(?!\s+[a-z])"
)
_CHOICE_LISTED = re.compile(r"[\s*_]*+([A-Z])[.):]")
_CHOICE_MARKED = re.compile(r"\(([A-Z])\)|\*\*([A-Z])[.):]?\*\*|\b(?:option|choice)\s+\(?([A-Z])\b")


def find_answer(kind: AnswerKind, text: str) -> str | None:
    r"""The answer in `text`, as `kind` writes it; None if there is none.

    >>> find_answer("number", 'So 9 * 2 = 18.\n```json\n{"reasoning": "9, 2", "answer": "$18.00"}')
    '$18.00'
    >>> find_answer("number", "The answer is 1,250 apples, which took 3 days.")
    '1,250'
    >>> find_answer("number", r"Hence $x = \boxed{-\frac{3}{4}}$, in 2 steps.")
    '-3/4'
    >>> find_answer("number", '{"reasoning": "2 + 2", "answer": "unknown"}') is None
    True
    >>> find_answer("choice", "Both A and C look right, but the answer is (B).")
    'B'
    >>> find_answer("exact", '{"answer": "Paris"}')
    'Paris'
    """
    declared = _declared(text)
    if declared is not None:
        return _READ[kind](declared)
    for phrase in reversed(_PHRASE.findall(text)):
        answer = _READ[kind](_less_marks(phrase))
        if answer is not None:
            return answer
    return _FALL_BACK[kind](text)


def equal_answers(kind: AnswerKind, answer: str, reference: str) -> bool:
    """Whether two answers that `find_answer` gave are equal; numbers exactly, as fractions.

    >>> equal_answers("number", "0.5", "1/2"), equal_answers("number", "0.33", "1/3")
    (True, False)
    """
    if kind == "number":
        return value_of(answer) == value_of(reference)
    return answer == reference


def answer_field(text: str) -> str | None:
    r"""The last "answer" field of a JSON object in `text`, whatever it holds; None without one.

    >>> answer_field('{"answer": "\\frac{1}{2}"}'), answer_field('{"answer": 18'), answer_field("18")
    ('\\frac{1}{2}', '18', None)
    """
    fields = list(_FIELD.finditer(text))
    return _field_value(fields[-1]) if fields else None


def _declared(text: str) -> str | None:
    """What the last declaration holds: a field, a box, or four hashes."""
    field = answer_field(text)
    if field is not None:
        return field
    boxes = list(_BOXED.finditer(text))
    if boxes:
        return _to_closing_brace(text, boxes[-1].end())
    hashes: list[str] = _HASHES.findall(text)
    return hashes[-1].strip() if hashes else None


def _field_value(match: re.Match[str]) -> str:
    quoted = match["text"]
    if quoted is None:
        return str(match["rest"]).strip().strip("\"'")
    try:
        value = str(json.loads(quoted, strict=False))
    except json.JSONDecodeError:  # "\sqrt" is no escape that JSON knows
        value = str(quoted)[1:-1]
    value = value.encode("utf-8", "replace").decode()  # JSON may escape a lone surrogate
    return _EATEN.sub(lambda escape: _LATEX[escape[0]], value).strip()


def _to_closing_brace(text: str, start: int) -> str:
    r"""The text from `start` to the brace that closes it, or to the end if none does.

    >>> _to_closing_brace(r"\boxed{\frac{1}{2}} m", 7)
    '\\frac{1}{2}'
    """
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start:position].strip()
    return text[start:].strip()


def _less_marks(phrase: str) -> str:
    """A phrase without the Markdown, quotes and full stop around it."""
    return phrase.strip().strip("*_\"'`$ ").removesuffix(".").strip("*_\"'`$ ")


def _choice(text: str) -> str | None:
    """The letter that `text` states as its choice, in upper case.

    >>> _choice("b"), _choice("(C) because it is red"), _choice("D. Paris"), _choice("A man")
    ('B', 'C', 'D', None)
    """
    alone = _CHOICE_ALONE.fullmatch(text)
    if alone:
        return alone[1].upper()
    first = _CHOICE_FIRST.match(text)
    return first[1] if first else None


def _last_choice(text: str) -> str | None:
    """The letter that opens the text as in a list ("B. Paris"), else the last that is marked."""
    listed = _CHOICE_LISTED.match(text)
    if listed:
        return listed[1]
    marked = list(_CHOICE_MARKED.finditer(text))
    return next(filter(None, marked[-1].groups())) if marked else _choice(text)


def _exact(text: str) -> str | None:
    return text.strip() or None


_READ: dict[AnswerKind, Callable[[str], str | None]] = {
    "number": stated_number,
    "choice": _choice,
    "exact": _exact,
}
_FALL_BACK: dict[AnswerKind, Callable[[str], str | None]] = {
    "number": last_number,
    "choice": _last_choice,
    "exact": _exact,
}
