"""Secrets: keys and passwords, taken out of all that a server sends.

A key comes from the environment alone and stands in no field of a recipe; here it is kept from
coming back into an error, a response or the ledger.
"""

import re
from collections.abc import Sequence

LONGEST_MESSAGE = 500
"""Characters of a server's message that are kept."""
SHORTEST_SECRET = 16
"""Characters from which on a key is also taken out of answers; "EMPTY" is a word like any other."""


class Secrets:
    """What must not be shown, in whatever spelling."""

    def __init__(self, values: Sequence[str] = ()) -> None:
        self._spelt = [re.compile(spelt(value)) for value in values]
        self._echoes = [
            (plainest(value).encode(), re.compile(spelt(value).encode()))
            for value in values
            if len(value) >= SHORTEST_SECRET
        ]

    def shown(self, text: str, longest: int = LONGEST_MESSAGE) -> str:
        """The beginning of `text` without any secret (cut last: half a key is a secret too)."""
        for secret in self._spelt:
            text = secret.sub("[key]", text)
        return text if len(text) <= longest else text[:longest] + "..."

    def disclosable(self, raw: bytes) -> bytes:
        """`raw` without the key, which a test server or a proxy may echo in its answer."""
        for hint, echo in self._echoes:
            if hint in raw:  # a hundred times as fast as the expression
                raw = echo.sub(b"[key]", raw)
        return raw


def spelt(secret: str) -> str:
    r"""A regular expression for `secret` in any spelling that JSON, or JSON within JSON, allows.

    >>> [bool(re.search(spelt("a/b"), text)) for text in ("a/b", r"a\/b", r"a\\u002Fb", "a-b")]
    [True, True, True, False]
    """
    return "".join(rf"\\{{0,4}}(?:{re.escape(one)}|(?i:u{ord(one):04x}))" for one in secret)


def plainest(secret: str) -> str:
    """The longest part of `secret` that no server escapes.

    >>> plainest("sk-abc/d+e"), plainest("--")
    ('abc', '')
    """
    return str(max(re.findall("[A-Za-z0-9]*", secret), key=len))
