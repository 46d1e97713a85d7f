"""Scores: the log-probabilities of a given last message, as a vLLM server tells them.

The server is asked to go on with the last message rather than to answer it, and says of every
token of the prompt how probable it was (`prompt_logprobs`):

    [null, {"3923": {"logprob": -0.25, "rank": 1, "decoded_token": "What"}}, ...]

Which of them are the message's is found from the end, where its text stands.
"""

from dataclasses import replace
from itertools import accumulate
from typing import Any

from pipelines.backend import Reply, Request, Scoring, TokenLogprob
from pipelines.errors import FatalError, RequestRefused, TransientError
from pipelines.wire.reply import read_object, reply_of


def scored_text(request: Request) -> str | None:
    """The text whose score is asked for; None where a request wants an answer."""
    if not isinstance(request.sampling, Scoring):
        return None
    return request.messages[-1].content or ""


def read_score(raw: bytes, text: str) -> Reply:
    """As `score_of`, from the bytes of a 200."""
    return score_of(read_object(raw), text)


def score_of(reply: dict[str, Any], text: str) -> Reply:
    """As `reply_of`, of a request that wanted the score of `text`: its tokens are the answer's.

    Raises FatalError where the server does not score, RequestRefused where its chat template
    changes the text, TransientError for a reply that is none.
    """
    drawn = reply_of(reply, 1)
    tokens = _prompt_tokens(reply.get("prompt_logprobs"))
    [completion] = drawn.completions
    scored = replace(
        completion,
        text=text,
        reasoning=None,
        finish_reason="stop",
        logprobs=last_tokens(tokens, text),
    )
    return Reply((scored,), drawn.usage)


def last_tokens(tokens: list[TokenLogprob], text: str) -> tuple[TokenLogprob, ...]:
    """The last of `tokens`, those of `text`; a template may have trimmed its white space.

    The bytes of a character may be several tokens: all but the last of them have no text. Raises
    RequestRefused where the tokens do not end with the text, or one of them begins before it.

    >>> tokens = [TokenLogprob(token, -1.0) for token in ("Q", ":", "", "é", "t")]
    >>> [one.token for one in last_tokens(tokens, "ét ")]
    ['', 'é', 't']
    """
    whole = "".join(token.token for token in tokens)
    spellings = (text, text.lstrip(), text.rstrip(), text.strip())
    shown = next((spelling for spelling in spellings if whole.endswith(spelling)), "")
    starts = [0, *accumulate(len(token.token) for token in tokens)]
    begins = len(whole) - len(shown)
    if not shown or begins not in starts:
        raise RequestRefused("the server's chat template changes the text that is scored", 200)
    return tuple(tokens[starts.index(begins) :])


def _prompt_tokens(listed: Any) -> list[TokenLogprob]:
    """All tokens of the prompt but the first, which has no log-probability."""
    if not isinstance(listed, list):
        raise FatalError(
            'the reply has no prompt_logprobs: scoring = "vllm" is for servers that give them'
        )
    try:
        entries = [next(iter(entry.values())) for entry in listed[1:]]
        return [TokenLogprob(one["decoded_token"], float(one["logprob"])) for one in entries]
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise TransientError(f"prompt_logprobs cannot be read: {error!r}") from error
