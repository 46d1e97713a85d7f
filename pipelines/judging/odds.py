"""Odds: what a judge would have answered, from the log-probabilities of one token.

s = sum_k k p_k / sum_k p_k        G-Eval (arXiv 2303.16634), over the valid answers k alone
P = p(A) / (p(A) + p(B))           PairS (arXiv 2403.16950)
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.backend import Completion, Sampling, TokenLogprob
from pipelines.errors import JudgmentError
from pipelines.judging.model_judge import Asked, Heard, ModelJudge, read_reply
from pipelines.part import Where
from schemas.canonical import canonical_json

LEAST_MASS = 0.5
"""Probability that valid answers must have together; with less the judge meant something else."""

MOST_ALTERNATIVES = 20
"""`top_logprobs` to ask for: the most that the API allows."""

LIKELIEST = Sampling(temperature=0.0, max_tokens=1, logprobs=True, top_logprobs=MOST_ALTERNATIVES)
"""One token, and what it might have been."""


class TooLittleMass(JudgmentError):
    """The judge would rather have said something else than a valid answer."""

    def __init__(self, mass: float, answers: tuple[str, ...]) -> None:
        super().__init__(f"only {mass:.3f} of the probability is on {', '.join(answers)}")
        self.mass = round(mass, 6)


@dataclass(frozen=True, slots=True)
class Odds:
    """The probabilities of the valid answers, which add up to 1."""

    of: Mapping[str, float]
    mass: float
    """Their share, in [0, 1], of all that the judge might have said; to 6 decimals."""


def read_odds(reply: Completion, answers: tuple[str, ...], *, at: int = 0) -> Odds:
    """The odds of `answers` at token `at` of `reply`; letter case and white space do not count.

    Raises JudgmentError where the reply has no such token with its alternatives, or the answers
    have less than `LEAST_MASS` together (TooLittleMass).

    >>> token = TokenLogprob("4", -0.1, (("4", math.log(0.6)), (" 5", math.log(0.3)), ("no", -3.0)))
    >>> odds = read_odds(Completion("4", logprobs=(token,)), ("4", "5"))
    >>> odds.mass, {answer: round(p, 9) for answer, p in odds.of.items()}
    (0.9, {'4': 0.666666667, '5': 0.333333333})
    """
    if reply.logprobs is None or len(reply.logprobs) <= at or not reply.logprobs[at].top:
        raise JudgmentError("the reply has no log-probabilities of alternatives")
    found = _probabilities(reply.logprobs[at], answers)
    mass = math.fsum(found.values())
    if math.isnan(mass):
        raise JudgmentError("a log-probability is not a number")
    if mass < LEAST_MASS:
        raise TooLittleMass(mass, answers)
    return Odds({answer: p / mass for answer, p in found.items()}, round(min(mass, 1.0), 6))


def hear_odds(
    asked: Asked,
    index: int,
    answers: tuple[str, ...],
    place: Callable[[Completion], int],
    value: Callable[[Odds], float],
) -> Heard[float]:
    """Sample `index` of what a judge was asked: the `value` of the odds at the token at `place`.

    `raw` has the alternatives to that token, of which nothing else than the odds is made.
    """
    reply = asked.replies[index]
    raw, reasoning = reply.text, reply.reasoning
    try:
        at = read_reply(reply, lambda: place(reply))
        raw = _alternatives(reply, at)
        odds = read_odds(reply, answers, at=at)
    except JudgmentError as unread:
        mass = unread.mass if isinstance(unread, TooLittleMass) else None
        return Heard(index, None, raw, reasoning, str(unread), mass)
    return Heard(index, round(value(odds), 6), raw, reasoning, None, odds.mass)


def check_odds(judge: ModelJudge, where: Where, *, setting: str, alone: bool) -> None:
    """Raises RecipeError where `setting` asks for log-probabilities in vain.

    `alone`: the answer is the one token of the reply.
    """
    if alone and judge.samples > 1:
        raise where.error("the log-probabilities of one token are equal each time", "samples")
    if judge.reask and "reask" in judge.model_fields_set:
        raise where.error("log-probabilities are not asked for again: reask = 0", "reask")
    if not judge.decoding.top_logprobs or judge.decoding.logprobs is False:
        raise where.error(f"{setting} needs log-probabilities", "sampling")


def _alternatives(reply: Completion, at: int) -> str:
    """The reply and the log-probabilities at token `at`, as JSON."""
    top = reply.logprobs[at].top if reply.logprobs and at < len(reply.logprobs) else ()
    return canonical_json({"reply": reply.text, "top": top}).decode()


def _probabilities(token: TokenLogprob, answers: tuple[str, ...]) -> dict[str, float]:
    """Of each answer at a position: "4" and " 4" are two tokens and one answer."""
    found: dict[str, list[float]] = {answer.lower(): [] for answer in answers}
    for text, logprob in token.top:
        several = found.get(text.strip().lower())
        if several is not None:
            several.append(math.exp(min(logprob, 0.0)))
    return {answer: math.fsum(found[answer.lower()]) for answer in answers}
