"""Counts: how many words, sentences, paragraphs... a text has, as its reader would count them."""

import re

_WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_ENDED = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s|$)|\n\s*\n")
_ABBREVIATED = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|No|Fig)|\b[A-Z])\.$")
_BULLET = re.compile(r"^[ \t]*(?:[-+•]|\*(?!\*))[ \t]+\S", re.MULTILINE)
_DIVIDER = re.compile(r"^[ \t]*\*{3}[ \t]*$", re.MULTILINE)
_HIGHLIGHT = re.compile(r"\*\*[^\n*]*[^\s*][^\n*]*\*\*|(?<!\*)\*[^\n*]*[^\s*][^\n*]*\*(?!\*)")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]+\]")


def words(text: str) -> list[str]:
    """Its words; "well-known" and "don't" are one each.

    >>> words("It's a well-known fact: 3.5 %")
    ["It's", 'a', 'well-known', 'fact', '3', '5']
    """
    return _WORD.findall(text)


def sentences(text: str) -> int:
    """How many sentences: ends of sentences with white space after, and what is left at the end.

    >>> sentences("Dr. Li came. He left! Why?"), sentences("One. Two"), sentences("Pay 3.50 now.")
    (3, 2, 1)
    """
    count, start = 0, 0
    for end in _ENDED.finditer(text):
        said = text[start : end.end()]
        if _ABBREVIATED.search(said.rstrip()):
            continue
        count += bool(_WORD.search(said))
        start = end.end()
    return count + bool(_WORD.search(text[start:]))


def paragraphs(text: str) -> list[str]:
    r"""What stands between dividers, lines of three asterisks; without one, between empty lines.

    >>> paragraphs("a\n***\nb"), paragraphs("a\nb\n\nc")
    (['a', 'b'], ['a\nb', 'c'])
    """
    divided = _DIVIDER.split(text)
    parts = divided if len(divided) > 1 else re.split(r"\n\s*\n", text)
    return [part.strip() for part in parts if part.strip()]


def bullets(text: str) -> int:
    r"""How many lines are bullet points: they begin with "*", "-", "+" or "•", and a blank.

    >>> bullets("* one\n  - two\n**bold**\n***\n- ")
    2
    """
    return len(_BULLET.findall(text))


def highlights(text: str) -> int:
    r"""How many parts stand between asterisks: *so* or **so**.

    >>> highlights("*one* and **two**, 3 * 4 * 5\n* three")
    3
    """
    return len(_HIGHLIGHT.findall(text))


def placeholders(text: str) -> int:
    """How many parts stand in square brackets.

    >>> placeholders("Dear [name], at [address]: []")
    2
    """
    return len(_PLACEHOLDER.findall(text))


def occurrences(text: str, phrase: str) -> int:
    """How often `phrase` stands there, whole words, letter case aside.

    >>> occurrences("War, war: warm wars", "war")
    2
    """
    found = rf"(?<!\w){re.escape(phrase.strip())}(?!\w)"
    return len(re.findall(found, text, re.IGNORECASE)) if phrase.strip() else 0
