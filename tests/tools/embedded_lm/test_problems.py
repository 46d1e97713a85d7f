import itertools
import random
import re

import pytest

from tools.embedded_lm import prompts
from tools.embedded_lm.mistakes import slipped, stray, wrong_solution
from tools.embedded_lm.problems import draw_held_out, draw_problem, draw_train, solution

SENTENCE = re.compile(r"[A-Z][a-z]+ has (\d+) [a-z]+((?:, [a-z]+ \d+)+)\. How many\?")
GAINS = {"buys", "finds", "gets", "wins"}
LOSSES = {"gives", "loses", "sells", "uses"}


def reckoned(sentence):
    """The results after each change, from the sentence alone."""
    read = SENTENCE.fullmatch(sentence)
    assert read
    held, results = int(read[1]), []
    for verb, number in re.findall(r", ([a-z]+) (\d+)", read[2]):
        assert verb in GAINS | LOSSES
        held += int(number) if verb in GAINS else -int(number)
        results.append(held)
    return results


@pytest.fixture(scope="module")
def problems():
    chance = random.Random("test problems")
    return [draw_problem(chance) for _ in range(3000)]


def test_every_step_and_answer_is_what_the_sentence_says(problems):
    for problem in problems:
        results = reckoned(problem.text)
        assert [step.result for step in problem.steps] == results
        assert problem.answer == results[-1]
        assert solution(problem.steps).splitlines()[-1] == f"Answer: {results[-1]}"
        assert [eval(str(step).replace("=", "==")) for step in problem.steps] == [True] * len(
            results
        )


def test_problems_have_two_to_five_steps_within_0_to_99(problems):
    assert {len(problem.steps) for problem in problems} == {2, 3, 4, 5}
    numbers = [int(n) for problem in problems for n in re.findall(r"\d+", problem.text)]
    assert all(0 <= number <= 99 for number in numbers)
    assert all(0 <= step.result <= 99 for problem in problems for step in problem.steps)


def test_the_two_sets_share_no_arithmetic_whatever_the_words():
    chance = random.Random("sides")
    train = {draw_train(chance).arithmetic for _ in range(3000)}
    held_out = {draw_held_out(chance).arithmetic for _ in range(3000)}
    assert not train & held_out


def test_about_an_eighth_of_the_problems_is_held_out(problems):
    share = sum(problem.is_held_out for problem in problems) / len(problems)
    assert 0.1 < share < 0.15


def test_the_same_seed_draws_the_same_problems():
    first, second = (draw_problem(random.Random("same")) for _ in range(2))
    assert first == second != draw_problem(random.Random("other"))


def test_a_wrong_solution_has_a_wrong_answer(problems):
    chance = random.Random("wrong")
    for problem in problems:
        steps = wrong_solution(chance, problem)
        assert steps[-1].result != problem.answer
        assert len(steps) == len(problem.steps)
        assert prompts.read_answer(solution(steps)) == steps[-1].result >= 0


def test_a_slip_is_carried_on_from_one_step(problems):
    chance = random.Random("slip")
    for problem in problems[:500]:
        steps = slipped(chance, problem)
        slips = [
            step
            for step in steps
            if abs(eval(f"{step.left}{step.sign}{step.right}")) != step.result
        ]
        assert len(slips) <= 1
        for before, after in itertools.pairwise(steps):
            assert after.left == before.result


def test_a_stray_solution_is_as_long_and_belongs_to_other_numbers(problems):
    chance = random.Random("stray")
    strays = [(stray(chance, problem), problem.steps) for problem in problems[:500]]
    assert all(len(one) == len(own) for one, own in strays)
    assert sum(one[0] == own[0] for one, own in strays) < 5
