"""Examples: prompts with right replies, drawn for training in seeded order."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

from tools.embedded_lm import prompts
from tools.embedded_lm.mistakes import wrong_solution
from tools.embedded_lm.problems import LENGTHS, Problem, draw_train, solution
from tools.embedded_lm.tokenizer import make_tokenizer

Task = Literal["solve", "judge", "compare", "revise", "check"]

Mix = Mapping[Task, float]
"""Weights of the tasks."""

SHORT = (1, 1, 2)
"""Numbers of steps at the start of a training, when sums themselves are learned."""

MET = 0.7
"""Share of the judged texts that are a model's own, where there are such."""


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A problem and wrong answers that a model gave to it, if any."""

    problem: Problem
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt of the user and the assistant's reply."""

    prompt: str
    reply: str
    marks_only: bool = False
    """Whether only " yes" and " no" are learned, the rest being no reply to the prompt."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a conversation; the loss counts those from `start` on, by their weights."""

    ids: list[int]
    start: int
    weights: list[float]


class Examples:
    """Examples of tasks drawn from `mix`, on problems that are not held out."""

    def __init__(
        self,
        chance: random.Random,
        mix: Mix,
        fenced: float = 0.25,
        mistaken: Sequence[Mistaken] = (),
    ) -> None:
        self._chance = chance
        self._mix = mix
        self._fenced = fenced
        self._mistaken = mistaken

    def draw(self, lengths: tuple[int, ...] = LENGTHS) -> Example:
        """One example; its problem has one of the `lengths` if it is drawn anew."""
        problem = draw_train(self._chance, self._chance.choice(lengths))
        [task] = self._chance.choices(list(self._mix), list(self._mix.values()))
        if task == "solve":
            return Example(prompts.solve(problem), solution(problem.steps))
        if task == "check":
            return self._check(Mistaken(problem))
        mistaken = Mistaken(problem)
        if self._mistaken and self._chance.random() < MET:
            mistaken = self._chance.choice(self._mistaken)
        return self._judged(task, mistaken)

    def _judged(self, task: Task, about: Mistaken) -> Example:
        problem, fence = about.problem, None
        if self._chance.random() < self._fenced:
            fence = f"{self._chance.getrandbits(64):016x}"
        if task == "compare":
            (first, a), (second, b) = (self._response(about, 0.4) for _ in range(2))
            prompt = prompts.compare(problem, first, second, fence)
            return Example(prompt, prompts.compare_reply(problem, a, b))
        text, answer = self._response(about, 0.4 if task == "judge" else 0.1)
        if task == "judge":
            prompt = prompts.judge(problem, text, fence)
            return Example(prompt, prompts.judge_reply(problem, answer))
        return Example(prompts.revise(problem, text, fence), solution(problem.steps))

    def _response(self, about: Mistaken, right: float) -> tuple[str, int]:
        """A response and its answer: right with that probability."""
        problem = about.problem
        if self._chance.random() < right:
            return solution(problem.steps), problem.answer
        if about.wrong:
            text = self._chance.choice(about.wrong)
            return text, answer_of(text)
        steps = wrong_solution(self._chance, problem)
        return solution(steps), steps[-1].result

    def _check(self, about: Mistaken) -> Example:
        """The end of a judgment or comparison alone: whether two numbers are the same."""
        answers = [self._response(about, 0.5)[1] for _ in range(2)]
        if self._chance.random() < 0.5:
            head, reply = "JUDGE", prompts.judge_reply(about.problem, answers[0])
        else:
            head, reply = "COMPARE", prompts.compare_reply(about.problem, *answers)
        return Example(head, reply[reply.index("Answer") :], marks_only=True)


def answer_of(text: str) -> int:
    """The answer of a text that states one."""
    answer = prompts.read_answer(text)
    assert answer is not None
    return answer


class Encoder:
    """Examples as token ids, the marks of judgments weighing `mark_weight` times the rest."""

    def __init__(self, mark_weight: float = 1.0) -> None:
        self._tokenizer: Tokenizer = make_tokenizer()
        self._marks = {self._tokenizer.token_to_id(mark) for mark in (" yes", " no")}
        self._mark_weight = mark_weight

    def encode(self, examples: list[Example]) -> list[Encoded]:
        """Each example as one conversation."""
        heads = self._ids([f"<|im_start|>user\n{each.prompt}<|im_end|>\n<|im_start|>assistant\n"
                           for each in examples])  # fmt: skip
        tails = self._ids([f"{each.reply}<|im_end|>\n" for each in examples])
        return [
            Encoded(
                head + tail, len(head), [self._weight(token, each.marks_only) for token in tail]
            )
            for each, head, tail in zip(examples, heads, tails, strict=True)
        ]

    def _ids(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]

    def _weight(self, token: int, marks_only: bool) -> float:
        if token in self._marks:
            return self._mark_weight
        return 0.0 if marks_only else 1.0
