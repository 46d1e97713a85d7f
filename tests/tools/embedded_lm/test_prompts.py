import random
from decimal import Decimal

import pytest

from pipelines.judging.answers import find_answer
from pipelines.judging.reading import Scale, read_verdict
from pipelines.judging.reading import read_rating as read_product_rating
from pipelines.judging.template import Template
from tools.embedded_lm import examples, prompts
from tools.embedded_lm.examples import Encoder, Example, Examples, Mistaken
from tools.embedded_lm.problems import Problem, Step, solution
from tools.embedded_lm.vocabulary import VOCABULARY

TOM = Problem(
    "Tom has 17 pens, gets 25, loses 8. How many?", (Step(17, "+", 25, 42), Step(42, "-", 8, 34))
)
WRONG = "17+25=42\n42-8=37\nAnswer: 37"


def test_a_judgment_works_the_problem_and_then_rates():
    assert prompts.judge(TOM, WRONG) == f"JUDGE\n{TOM.text}\n{WRONG}"
    reply = prompts.judge_reply(TOM, 37)
    assert reply == "17+25=42\n42-8=34\nAnswer: 34\nGiven: 37 no\nRating: 1"
    assert prompts.judge_reply(TOM, 34).endswith("Given: 34 yes\nRating: 10")


def test_a_comparison_names_the_right_one_or_a_tie():
    assert prompts.compare_reply(TOM, 34, 37).endswith("\nA: 34 yes\nB: 37 no\nVerdict: A")
    verdicts = [prompts.verdict(TOM, a, b) for a, b in ((37, 34), (34, 34), (1, 2))]
    assert verdicts == ["B", "tie", "tie"]


def test_the_prompts_are_what_a_recipe_template_writes():
    words = Template("judge.jinja", "JUDGE\n{{ conversation[0].text }}\n{{ response }}")
    quoted = [f"<<<{'5' * 16}\n{text}\n{'5' * 16}>>>" for text in (TOM.text, WRONG)]
    rendered = words.render({"conversation": [{"text": quoted[0]}], "response": quoted[1]})
    assert prompts.judge(TOM, WRONG, "5" * 16) == rendered


def test_the_replies_are_read_by_the_readers_of_the_product():
    ten = Scale(Decimal(1), Decimal(10))
    for given, rating in ((34, 10), (37, 1)):
        reply = prompts.judge_reply(TOM, given)
        assert read_product_rating(reply, ten) == prompts.read_rating(reply) == rating
    comparison = prompts.compare_reply(TOM, 37, 34)
    assert read_verdict(comparison) == prompts.read_verdict(comparison) == "B"
    assert find_answer("number", solution(TOM.steps)) == "34"


@pytest.fixture
def drawn(monkeypatch):
    """The problems that the examples are made of, in order."""
    problems = []
    real = examples.draw_train
    monkeypatch.setattr(
        examples, "draw_train", lambda *a: problems.append(real(*a)) or problems[-1]
    )
    return problems


@pytest.mark.parametrize("task", ["solve", "judge", "compare", "revise"])
def test_every_example_works_its_own_problem_and_none_is_held_out(task, drawn):
    made = Examples(random.Random(task), {task: 1.0}, fenced=0.5)
    for _ in range(200):
        example = made.draw()
        assert example.reply.startswith(solution(drawn[-1].steps))
        assert drawn[-1].text in example.prompt
        assert not drawn[-1].is_held_out


def test_a_judged_response_is_right_about_as_often_as_not():
    judged = Examples(random.Random("balance"), {"judge": 1.0})
    replies = [judged.draw().reply for _ in range(1000)]
    assert 0.35 < sum(" yes" in reply for reply in replies) / 1000 < 0.45
    compared = Examples(random.Random("balance"), {"compare": 1.0})
    verdicts = [compared.draw().reply[-3:] for _ in range(1000)]
    assert 0.4 < sum(verdict == "tie" for verdict in verdicts) / 1000 < 0.6


def test_the_mistakes_that_were_met_are_shown_and_judged_wrong():
    made = Examples(random.Random("met"), {"judge": 1.0}, mistaken=[Mistaken(TOM, (WRONG,))])
    shown = [made.draw() for _ in range(400)]
    wrong = [example for example in shown if WRONG in example.prompt]
    assert 100 < len(wrong) < 250
    assert {example.reply for example in wrong} == {prompts.judge_reply(TOM, 37)}


def test_only_the_marks_of_a_check_are_learned():
    made = Examples(random.Random("check"), {"check": 1.0})
    [encoded] = Encoder(mark_weight=4.0).encode([made.draw()])
    marks = {VOCABULARY.index(" yes"), VOCABULARY.index(" no")}
    expected = [4.0 if token in marks else 0.0 for token in encoded.ids[encoded.start :]]
    assert encoded.weights == expected
    assert sum(expected) >= 4.0


def test_the_loss_counts_the_reply_and_its_end():
    example = Example("Hi", "17")
    [encoded] = Encoder().encode([example])
    tokens = [VOCABULARY[token] for token in encoded.ids]
    assert tokens[encoded.start :] == ["1", "7", "<|im_end|>", "\n"]
    assert encoded.weights == [1.0] * 4
