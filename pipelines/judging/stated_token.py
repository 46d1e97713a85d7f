"""The token of a reply that states its rating or its verdict, where a judge reasons first."""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Protocol, TypeVar

from pipelines.backend import Completion
from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.reading.said import hear

ValueT = TypeVar("ValueT")
ReadT = TypeVar("ReadT", covariant=True)

_COLON = re.compile("[:：]")


class StatementReader(Protocol[ReadT]):
    """As `read_verdict`."""

    def __call__(self, reply: str, *, fence: Fence | None = None, truncated: bool = False) -> ReadT:
        """What `reply` states. Raises JudgmentError."""


def stated_token(
    reply: Completion,
    fence: Fence,
    read: StatementReader[ValueT],
    begins: Callable[[str, ValueT], bool],
) -> int:
    r"""The place, from 0, of the token with which the statement begins that `read` reads in `reply`.

    `begins` says whether a token, without the white space around it, is the beginning of a value.
    Raises JudgmentError where nothing can be read, or a token holds more than the value.

    >>> from pipelines.backend import TokenLogprob
    >>> from pipelines.judging.reading import read_verdict
    >>> texts = ("A", " is", " worse", ".", "\n", "Verdict", ":", " B", "\n")
    >>> tokens = tuple(TokenLogprob(text, -0.1) for text in texts)
    >>> reply = Completion("".join(texts), logprobs=tokens)
    >>> stated_token(reply, Fence("0", ()), read_verdict, lambda token, value: token == value)
    7
    """
    tokens = [token.token for token in reply.logprobs or ()]
    text = "".join(tokens)
    truncated = reply.finish_reason == "length"
    value = read(text, fence=fence, truncated=truncated)
    starts = list(accumulate(map(len, tokens), initial=0))
    for first, end in _lines(text.rpartition("\n")[0] if truncated else text):
        if fence.is_own(text, first, end) and _states(text[first:end], fence, read, value):
            after = _after_label(text, first, end, fence)
            for place, token in enumerate(tokens):
                if after <= starts[place] < end and begins(token.strip(), value):
                    return place
            break
    raise JudgmentError(f"no token is {value}, or begins it")


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line, the last first."""
    end = len(text)
    while end >= 0:
        first = text.rfind("\n", 0, end) + 1
        yield first, end
        end = first - 1


def _states(line: str, fence: Fence, read: StatementReader[ValueT], value: ValueT) -> bool:
    try:
        return read(fence.unmarked(line)) == value
    except JudgmentError:
        return False


def _after_label(text: str, first: int, end: int, fence: Fence) -> int:
    """Where the label of a line ends: thoughts and numbers before it state nothing."""
    own = len(hear(text[first:end], fence, False).text)
    colon = _COLON.search(text, end - own, end)
    return colon.start() if colon else first
