"""Evaluation: how much an answer that is not finished is worth, before any search below it.

MCTS-DPO (arXiv 2405.00451) has no value network and no rollouts: the model itself says whether a
step heads in the right direction, and the probability that it says so is the value. Where a model
is too small to say, rollouts or the likelihood that a better model gives the answer stand in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pipelines.backend import SCORING, Completion, Sampling
from pipelines.errors import JudgmentError
from pipelines.judging.odds import LIKELIEST, read_odds
from pipelines.judging.template import Template, read_template
from pipelines.part import Table
from pipelines.searching.value import quality, self_evaluated
from pipelines.stepping.question import Question
from schemas.rows import Message, Prompt

if TYPE_CHECKING:
    from pipelines.unit import Unit

By = Literal["correctness", "quality", "likelihood", "rollouts", "nothing"]

VOTING = Sampling(temperature=1.0, max_tokens=8)
"""How a vote is drawn; a letter comes at its beginning."""

_LETTER = re.compile(r"\W*(?:the answer is\W*|option\W*)?([A-D])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What an evaluation says of an answer so far."""

    worth: float
    """A confidence in [0, 1], or with "quality" a value in [-2, 1], with "rollouts" in [-1, 1]."""
    flags: tuple[str, ...] = ()


class Evaluation(Table):
    """How the answers so far are valued."""

    by: By = "correctness"
    """"correctness": the probability that the evaluator says B, correct so far, rather than A
    (as published for reasoning). "quality": P(D) - P(B) - 2 P(A) over four grades (as published for
    open-ended conversations). "likelihood": the geometric mean of the probabilities that the
    evaluator gives the tokens of the answer; it must score given texts ("embedded", vLLM).
    "rollouts": the mean outcome of answers that are written to their end. "nothing": 0, so that
    outcomes alone count."""
    model: str | None = None
    """Name of the model that evaluates. Default: the one that answers."""
    reference: bool = True
    """Whether "correctness" and "quality" show the prompt's reference to the evaluator, where there
    is one (as published: the gold answer stands in the question)."""
    votes: int = Field(default=0, ge=0)
    """Sampled answers whose shares stand in for probabilities, for servers that give none. 0: the
    probabilities of one token are asked for, and a server that gives none has one vote."""
    rollouts: int = Field(default=4, ge=1)
    """With "rollouts", answers to each state."""

    @cached_property
    def words(self) -> Template:
        """The question to the evaluator."""
        path = Path(__file__).with_suffix(".jinja")
        return read_template(path, path.name)

    def identity(self) -> dict[str, Any]:
        """As `Table.identity`, with the hash of the question."""
        return super().identity() | {"words": self.words.sha256}

    @property
    def letters(self) -> tuple[str, ...]:
        """What the evaluator may say."""
        return ("A", "B", "C", "D") if self.by == "quality" else ("A", "B")

    @property
    def sampling(self) -> Sampling | None:
        """How the evaluator is asked; None where it is not, or for rollouts."""
        if self.by in ("rollouts", "nothing"):
            return None
        return SCORING if self.by == "likelihood" else VOTING if self.votes else LIKELIEST

    def value(self, said: Said, parent_depth: int, parent_value: float) -> float:
        """The value of a state, by what was said of it (`searching.value`)."""
        if self.by in ("quality", "rollouts"):
            return parent_value if "unread" in said.flags else said.worth
        return self_evaluated(said.worth, parent_depth, parent_value)

    def question(self, prompt: Prompt) -> Question:
        """What the evaluator is asked about answers to `prompt`."""
        reference = prompt.reference if self.reference else None
        return Question(self.words, prompt, reference=reference, graded=self.by == "quality")

    async def ask(self, unit: "Unit", question: Question, model: str, text: str) -> Said:
        """What the evaluator says of `text`, the answer so far; but for rollouts."""
        evaluator = self.model or model
        if self.by == "likelihood":
            return await _likelihood(unit, evaluator, text)
        messages = question.about(text)
        if self.votes:
            votes = await unit.sample(evaluator, messages, sampling=VOTING, n=self.votes)
            return self._of(shares(votes, self.letters), ())
        [reply] = await unit.sample(evaluator, messages, sampling=LIKELIEST)
        if reply.logprobs is None and reply.error is None:
            return self._of(shares([reply], self.letters), ("one_vote",))
        try:
            return self._of(read_odds(reply, self.letters).of, ())
        except JudgmentError:
            return self._of({}, ())

    def _of(self, odds: Mapping[str, float], flags: tuple[str, ...]) -> Said:
        """The worth of these odds; 0, flagged, where nothing could be read."""
        if not odds:
            return Said(0.0, (*flags, "unread"))
        return Said(quality(odds) if self.by == "quality" else odds.get("B", 0.0), flags)


def shares(votes: Sequence[Completion], valid: Sequence[str]) -> dict[str, float]:
    """The share of each letter among the votes that have a valid one.

    >>> votes = [Completion(text) for text in ("B", "(B) yes", "The answer is A.", "C", "Who?", "B")]
    >>> shares(votes, "AB")
    {'B': 0.75, 'A': 0.25}
    """
    found = [_LETTER.match(vote.text or "") for vote in votes]
    letters = [one[1].upper() for one in found if one and one[1].upper() in valid]
    return {letter: letters.count(letter) / len(letters) for letter in dict.fromkeys(letters)}


async def _likelihood(unit: "Unit", model: str, text: str) -> Said:
    messages = (*unit.prompt.messages, Message("assistant", text))
    completion = await unit.score(model, messages, unit.prompt.tools)
    if not completion.logprobs:
        return Said(0.0, ("unread",))
    return Said(exp(fmean(token.logprob for token in completion.logprobs)))
