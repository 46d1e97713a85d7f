"""The token of a reply that is its rating, where a judge reasons before it rates."""

from decimal import Decimal
from itertools import accumulate

from pipelines.backend import Completion
from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.reading import Scale, read_rating


def rating_token(reply: Completion, scale: Scale, fence: Fence) -> int:
    r"""The place, from 0, of the token that is the rating `read_rating` reads in `reply`.

    Raises JudgmentError where nothing can be read, or the rating is not a token of its own.

    >>> from pipelines.backend import TokenLogprob
    >>> texts = ("Rating: ", "4", "?", "\n", "Rating", ":", " 4", ".")
    >>> tokens = tuple(TokenLogprob(text, -0.1) for text in texts)
    >>> reply = Completion("".join(texts), logprobs=tokens)
    >>> rating_token(reply, Scale(Decimal(0), Decimal(9)), Fence("0", ()))
    6
    """
    tokens = reply.logprobs or ()
    starts = list(accumulate((len(token.token) for token in tokens), initial=0))
    text = "".join(token.token for token in tokens)
    rating = read_rating(text, scale, fence=fence, truncated=reply.finish_reason == "length")
    end = len(text)
    while end >= 0:
        first = text.rfind("\n", 0, end) + 1
        line = fence.unmarked(text[first:end])
        if fence.is_own(text, first, end) and _rates(line, scale, rating):
            for place, token in enumerate(tokens):
                if first <= starts[place] < end and token.token.strip() == f"{int(rating)}":
                    return place
            break
        end = first - 1
    raise JudgmentError(f"the rating {rating:f} is not a token of its own")


def _rates(line: str, scale: Scale, rating: Decimal) -> bool:
    try:
        return read_rating(line, scale) == rating
    except JudgmentError:
        return False
