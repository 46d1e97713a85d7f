"""Mistakes that are met: the policy's own wrong answers to problems that are not held out.

Slips that are made up are not enough: a teacher that finds all of them still copies most of the
policy's, which are those that come easily to a model.
"""

import random
from collections.abc import Iterator
from pathlib import Path

from tools.embedded_lm import prompts
from tools.embedded_lm.examples import Mistaken
from tools.embedded_lm.problems import draw_train
from tools.embedded_lm.prompt_sets import different
from tools.embedded_lm.sampling import Speaker

PROBLEMS = 12_000
TEMPERATURE = 0.8
SEEDS = {5: 4, 6: 2}
"""Seeds of sets of problems, and the answers drawn to each problem."""


def mistakes_of(policy: Path) -> list[Mistaken]:
    """Problems that the policy answered wrongly, each with its different wrong answers."""
    speaker = Speaker(policy)
    return [each for seed, n in SEEDS.items() for each in _mistakes(speaker, seed, n)]


def _mistakes(speaker: Speaker, seed: int, n: int) -> Iterator[Mistaken]:
    problems = different(draw_train, PROBLEMS, random.Random(f"pool {seed}"))
    asked = [prompts.solve(problem) for problem in problems]
    drawn = speaker.replies(asked, n, TEMPERATURE, seed)
    for problem, texts in zip(problems, drawn, strict=True):
        answers = {text: prompts.read_answer(text) for text in texts}
        wrong = [text for text, said in answers.items() if said not in (None, problem.answer)]
        if wrong:
            yield Mistaken(problem, tuple(wrong))
