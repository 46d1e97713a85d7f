"""The token of a reply that is its verdict, where a judge reasons before it decides."""

from collections.abc import Iterator
from itertools import accumulate

from pipelines.backend import Completion
from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.reading import Shown, read_verdict

BEGINNINGS_OF_TIE = ("t", "ti", "tie")
"""What the first token of "tie" may be: with some models it is several."""


def verdict_token(reply: Completion, fence: Fence) -> int:
    r"""The place, from 0, of the token with which the verdict begins that `read_verdict` reads.

    Raises JudgmentError where nothing can be read, or a token holds more than the verdict.

    >>> from pipelines.backend import TokenLogprob
    >>> texts = ("A", " is", " worse", ".", "\n", "Verdict", ":", " B", "\n")
    >>> tokens = tuple(TokenLogprob(text, -0.1) for text in texts)
    >>> verdict_token(Completion("".join(texts), logprobs=tokens), Fence("0", ()))
    7
    """
    tokens = [token.token for token in reply.logprobs or ()]
    text = "".join(tokens)
    verdict = read_verdict(text, fence=fence, truncated=reply.finish_reason == "length")
    starts = list(accumulate(map(len, tokens), initial=0))
    for first, end in _lines(text):
        if fence.is_own(text, first, end) and _says(text[first:end], verdict):
            for place, token in enumerate(tokens):
                if first <= starts[place] < end and _begins(token, verdict):
                    return place
            break
    raise JudgmentError(f'no token is the verdict "{verdict}", or begins it')


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line, the last first."""
    end = len(text)
    while end >= 0:
        first = text.rfind("\n", 0, end) + 1
        yield first, end
        end = first - 1


def _begins(token: str, verdict: Shown) -> bool:
    said = token.strip().lower()
    return bool(said) and said in (BEGINNINGS_OF_TIE if verdict == "tie" else verdict.lower())


def _says(line: str, verdict: Shown) -> bool:
    try:
        return read_verdict(line) == verdict
    except JudgmentError:
        return False
