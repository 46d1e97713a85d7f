"""Facts about a text that selection needs in the text's place: its length and two hashes."""

import hashlib
import unicodedata

from schemas.canonical import ID_LENGTH

_SPACES = bytes(ord(" ") if chr(code).isspace() else code for code in range(128)) + bytes(128)
"""What becomes of each byte of an ASCII text: white space becomes a space."""


def normalised(text: str) -> str:
    r"""The text in NFKC with runs of white space folded to one space: case and marks are kept.

    >>> normalised("  two\u00a0 words\n")
    'two words'
    """
    if not text.isascii():
        return " ".join(unicodedata.normalize("NFKC", text).split())
    folded = text.encode().translate(_SPACES).strip(b" ")
    while b"  " in folded:  # a third of the time of split and join
        folded = folded.replace(b"  ", b" ")
    return folded.decode()


def text_hash(text: str | None) -> str | None:
    """A hash of the exact text; None for None."""
    if text is None:
        return None
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:ID_LENGTH]


def norm_hash(text: str | None) -> str | None:
    """A hash of the normalised text; None where nothing is left of it.

    >>> norm_hash(" a  b") == norm_hash("a b"), norm_hash(" ")
    (True, None)
    """
    return text_hash(normalised(text) or None) if text is not None else None
