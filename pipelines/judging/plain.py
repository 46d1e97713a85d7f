"""Plain text: what looks or means the same, made the same. For comparing, never for showing."""

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_DROPPED = re.compile(rf"[*_`\[\]{_INVISIBLE}]")
_WIDE = range(0xFF01, 0xFF5F)
_SAME = {"−": "-", "٫": ".", "“": '"', "”": '"', "。": ".", "、": ","}
_DISGUISED = re.compile(rf"[*_`\[\]{_INVISIBLE}Ａ-Ｚａ-ｚ]")
_BETWEEN = re.compile(r"[\W_]+")

_NOT_HEX = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
_LIKE_HEX = str.maketrans("аьсϲԁеƒ", "abccdef")
_UNLIKE_HEX = re.compile(
    rf"[^0-9a-fA-F{''.join(map(chr, _LIKE_HEX))}АСЕ"
    r"\uff10-\uff19\uff21-\uff26\uff41-\uff46\U0001d400-\U0001d7ff]+"
)


class _Plainly(dict[int, str]):
    """What a character becomes, by its code point."""

    def __missing__(self, code: int) -> str:
        plain = self[code] = _plain_character(chr(code))
        return plain


def _plain_character(character: str) -> str:
    if ord(character) in _WIDE:
        character = chr(ord(character) - _WIDE.start + ord("!"))
    if _DROPPED.match(character):
        return ""
    digit = unicodedata.decimal(character, None)
    return _SAME.get(character, character) if digit is None else str(digit)


_PLAINLY = _Plainly({code: _plain_character(chr(code)) for code in range(128)})


def plain(text: str) -> str:
    r"""`text` without emphasis, brackets and invisible characters; digits and wide signs as ASCII.

    >>> plain("**Rating**：[[７]]"), plain("٧٫٥"), plain("८"), plain("৮/১০"), plain("\u200b๗")
    ('Rating:7', '7.5', '8', '8/10', '7')
    >>> plain("7²"), plain("½")
    ('7²', '½')
    """
    return text.translate(_PLAINLY)


def words_of(text: str) -> str:
    """The words of `text`, each followed by a space, whatever stands between them.

    >>> words_of('**Rating**: 10/10, "good"')
    'rating 10 10 good '
    """
    return _BETWEEN.sub(" ", f"{plain(text).casefold()} ").lstrip()


def may_hold(text: str, word: str) -> bool:
    r"""Whether a word may be among `words_of(text)`: a quick look, which misses none.

    >>> may_hold("[Ra\u200bting] = 7", "rating"), may_hold("It's 7.", "rating")
    (True, False)
    """
    if not (word.isascii() and word.isalpha()):
        return True
    is_bare = not text.isascii() and not _DISGUISED.search(text)
    return word in (text if is_bare else plain(text)).casefold()


@lru_cache(maxsize=16)  # the judgments of a prompt are asked for together, and all show it
def hex_digits_of(text: str) -> str:
    r"""The hexadecimal digits of `text` and what looks like them; nothing between them counts.

    >>> hex_digits_of("5C\u200b1f-0А９ and 𝟕")
    '5c1f0a9ad7'
    """
    if not text.isascii():
        text = (
            unicodedata.normalize("NFKD", _UNLIKE_HEX.sub("", text)).casefold().translate(_LIKE_HEX)
        )
    return text.encode("ascii", "ignore").translate(None, _NOT_HEX).lower().decode()
