"""Measures the models: `.venv-trainers/bin/python -m tools.embedded_lm.evaluate`.

Everything is measured on held-out problems and on the shipped float16 weights; what the teacher
judges are the policy's own samples. Writes `figures.json` beside each model.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when torch is imported

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.embedded_lm import prompts
from tools.embedded_lm.figures import Figure, area_over, mean_over
from tools.embedded_lm.problems import Problem, draw_held_out, solution
from tools.embedded_lm.sampling import Speaker

MODELS = Path(__file__).parents[2] / "data" / "models"

PROBLEMS = 500
SAMPLES = 8
TEMPERATURE = 0.8
SEED = 4
JUDGED = 2
"""Most right and most wrong samples of a problem that the teacher is asked to judge in text."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A problem and the policy's samples."""

    problem: Problem
    samples: tuple[str, ...]

    def is_right(self, text: str) -> bool:
        """Whether the answer is the problem's."""
        return prompts.read_answer(text) == self.problem.answer

    def right(self) -> list[str]:
        """Different right samples."""
        return [text for text in dict.fromkeys(self.samples) if self.is_right(text)]

    def wrong(self) -> list[str]:
        """Different wrong samples that state an answer."""
        return [
            text
            for text in dict.fromkeys(self.samples)
            if not self.is_right(text) and prompts.read_answer(text) is not None
        ]


def held_out(count: int, seed: int) -> list[Problem]:
    """Different problems that no training has seen."""
    chance = random.Random(f"evaluation {seed}")
    found: dict[str, Problem] = {}
    while len(found) < count:
        problem = draw_held_out(chance)
        found.setdefault(problem.arithmetic, problem)
    return list(found.values())


def sampled(policy: Speaker, problems: Sequence[Problem], temperature: float) -> list[Solved]:
    """Each problem with the policy's samples at `temperature`."""
    texts = policy.replies([prompts.solve(p) for p in problems], SAMPLES, temperature, SEED)
    return [Solved(problem, tuple(said)) for problem, said in zip(problems, texts, strict=True)]


def solving(speaker: Speaker, solved: Sequence[Solved]) -> dict[str, Figure]:
    """How well a model solves: of samples, of its most likely answer, and by length."""
    greedy = speaker.replies([prompts.solve(each.problem) for each in solved])
    rights = [[float(each.is_right(text)) for text in each.samples] for each in solved]
    figures = {
        "right_sampled": mean_over(rights),
        "right_greedy": mean_over(
            [[float(each.is_right(text))] for each, [text] in zip(solved, greedy, strict=True)]
        ),
        "mixed_prompts": mean_over([[float(0 < sum(right) < SAMPLES)] for right in rights]),
        "answer_stated": mean_over(
            [[float(prompts.read_answer(text) is not None) for text in each.samples]
             for each in solved]
        ),
    }  # fmt: skip
    for length in (2, 3, 4, 5):
        of_length = [
            right
            for each, right in zip(solved, rights, strict=True)
            if len(each.problem.steps) == length
        ]
        figures[f"right_sampled_{length}_steps"] = mean_over(of_length)
    return figures


def likelihood(teacher: Speaker, solved: Sequence[Solved]) -> dict[str, Figure]:
    """The likelihood judge: the least likely token of a sample under the teacher.

    Some samples reach the right answer by wrong steps, which the teacher finds unlikely. They
    count as right, but for `likelihood_auc_steps`.
    """
    shown = [(each, text) for each in solved for text in dict.fromkeys(each.samples)]
    scores = teacher.least_likely(
        [prompts.solve(each.problem) for each, _ in shown], [text for _, text in shown]
    )
    scored = dict(zip(((each.problem.text, text) for each, text in shown), scores, strict=True))

    def marked(each: Solved, texts: Iterable[str]) -> list[tuple[float, bool]]:
        return [(scored[each.problem.text, text], each.is_right(text)) for text in texts]

    drawn = [marked(each, each.samples) for each in solved]
    worked = [
        [
            (scored[each.problem.text, text], text == solution(each.problem.steps))
            for text in each.samples
        ]
        for each in solved
    ]
    ends = [(max(of_one), min(of_one)) for of_one in drawn]
    return {
        "likelihood_auc": area_over(drawn),
        "likelihood_auc_different": area_over(
            [marked(each, dict.fromkeys(each.samples)) for each in solved]
        ),
        "likelihood_auc_steps": area_over(worked),
        "likelihood_best_over_worst": mean_over(
            [[float(best[1])] for best, worst in ends if best[1] != worst[1]]
        ),
    }


def agreeing(teacher: Speaker, solved: Sequence[Solved]) -> dict[str, Figure]:
    """A sample judged by whether its answer is the teacher's own, most likely one."""
    own = [
        prompts.read_answer(text)
        for [text] in teacher.replies([prompts.solve(each.problem) for each in solved])
    ]
    return {
        "agreement_auc": area_over(
            [
                [(float(prompts.read_answer(text) == said), each.is_right(text))
                 for text in each.samples]
                for each, said in zip(solved, own, strict=True)
            ]
        )
    }  # fmt: skip


def judging(teacher: Speaker, solved: Sequence[Solved]) -> dict[str, Figure]:
    """The text judge: ratings of right and of wrong samples."""
    shown = [
        (each, text) for each in solved for text in each.right()[:JUDGED] + each.wrong()[:JUDGED]
    ]
    asked = [prompts.judge(each.problem, text, _fence(each)) for each, text in shown]
    said = [prompts.read_rating(reply) for [reply] in teacher.replies(asked)]
    by_problem: dict[str, list[tuple[float, bool]]] = {}
    for (each, text), rating in zip(shown, said, strict=True):
        scored = by_problem.setdefault(each.problem.text, [])
        scored.append((float(rating or 0), each.is_right(text)))
    best = float(prompts.BEST)
    return {
        "judge_auc": area_over(list(by_problem.values())),
        "judge_right_rated_best": mean_over(_marks(by_problem, True, best)),
        "judge_wrong_rated_best": mean_over(_marks(by_problem, False, best)),
        "judge_read": mean_over([[float(rating is not None)] for rating in said]),
    }


def comparing(teacher: Speaker, solved: Sequence[Solved]) -> dict[str, Figure]:
    """Comparisons of a right with a wrong sample, each in both orders."""
    pairs = [(each, each.right()[0], each.wrong()[0]) for each in solved
             if each.right() and each.wrong()]  # fmt: skip
    forth = [prompts.compare(each.problem, a, b, _fence(each)) for each, a, b in pairs]
    back = [prompts.compare(each.problem, b, a, _fence(each)) for each, a, b in pairs]
    first = [prompts.read_verdict(text) == "A" for [text] in teacher.replies(forth)]
    second = [prompts.read_verdict(text) == "B" for [text] in teacher.replies(back)]
    return {
        "compare_right_first": mean_over([[float(good)] for good in first]),
        "compare_right_second": mean_over([[float(good)] for good in second]),
        "compare_both_orders": mean_over(
            [[float(a and b)] for a, b in zip(first, second, strict=True)]
        ),
    }


def revising(teacher: Speaker, solved: Sequence[Solved]) -> dict[str, Figure]:
    """Revisions of wrong samples: repaired, and with the right steps before the slip kept."""
    shown = [(each, each.wrong()[0]) for each in solved if each.wrong()]
    asked = [prompts.revise(each.problem, text, _fence(each)) for each, text in shown]
    said = [text for [text] in teacher.replies(asked)]
    repaired = [float(each.is_right(text)) for (each, _), text in zip(shown, said, strict=True)]
    kept = [
        float(text.split("\n")[:good] == wrong.split("\n")[:good])
        for (each, wrong), text in zip(shown, said, strict=True)
        if (good := _right_lines(each.problem, wrong))
    ]
    return {
        "revise_repaired": mean_over([[value] for value in repaired]),
        "revise_kept_right_steps": mean_over([[value] for value in kept]),
    }


def _right_lines(problem: Problem, text: str) -> int:
    """Lines before the first one that differs from the problem's solution."""
    pairs = zip(solution(problem.steps).split("\n"), text.split("\n"), strict=False)
    same = [good == given for good, given in pairs]
    return same.index(False) if False in same else len(same)


def _marks(
    by_problem: dict[str, list[tuple[float, bool]]], right: bool, best: float
) -> list[list[float]]:
    marked = [[float(rating == best) for rating, is_right in scored if is_right == right]
              for scored in by_problem.values()]  # fmt: skip
    return [marks for marks in marked if marks]


def _fence(each: Solved) -> str:
    """Sixteen hexadecimal digits, as a build's fences have."""
    return f"{random.Random(each.problem.text).getrandbits(64):016x}"


def teaching(teacher: Speaker, solved: Sequence[Solved]) -> dict[str, Figure]:
    """All of the teacher's figures, on the policy's samples."""
    problems = [each.problem for each in solved]
    return {
        **solving(teacher, sampled(teacher, problems, TEMPERATURE)),
        **likelihood(teacher, solved),
        **agreeing(teacher, solved),
        **judging(teacher, solved),
        **comparing(teacher, solved),
        **revising(teacher, solved),
    }


def main() -> None:
    """Measures both models, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", choices=("policy", "teacher"))
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--problems", type=int, default=PROBLEMS)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    policy = Speaker(chosen.models / "policy")
    solved = sampled(policy, held_out(chosen.problems, chosen.seed), TEMPERATURE)
    for name in [chosen.only] if chosen.only else ["policy", "teacher"]:
        if name == "policy":
            figures = solving(policy, solved)
        else:
            figures = teaching(Speaker(chosen.models / "teacher"), solved)
        written = {
            "problems": chosen.problems,
            "samples": SAMPLES,
            "temperature": TEMPERATURE,
            "seed": chosen.seed,
            "figures": {name: asdict(figure) for name, figure in figures.items()},
        }
        text = json.dumps(written, indent=2) + "\n"
        (chosen.models / name / "figures.json").write_text(text, encoding="utf-8")
        print(name, text)


if __name__ == "__main__":
    main()
