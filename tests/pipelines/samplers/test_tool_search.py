import math
import re

import pytest

from pipelines.backend import Completion, TokenLogprob
from pipelines.errors import RecipeError
from schemas.rows import Message, Prompt, ToolCall, prompt_id, root_id
from tests.pipelines.tables import part

GOLD = '[weather(city="Oslo", days=2)]'
WRONG = '[weather(city="Lima", days=2)]'
ALIEN = '[search(query="weather Oslo")]'
MESSAGES = (Message("user", "How will it be in Oslo on two days?"),)
PROMPT = Prompt(prompt_id(MESSAGES), MESSAGES, tools="[]", reference=GOLD)
SAID = (GOLD, WRONG, ALIEN)


def token(text, **odds):
    return TokenLogprob(
        text, math.log(odds.get(text, 0.5)), tuple((one, math.log(p)) for one, p in odds.items())
    )


def graded(request):
    """Excellent for the gold answer or its beginning, else poor."""
    words = request.messages[-1].content
    quoted = dict(re.findall(r"# ([^\n]*)\n+<<<\w+\n(.*?)\n\w+>>>", words, re.DOTALL))
    good = GOLD.startswith(quoted["The assistant's answer so far"])
    odds = {"A": 0.9, "D": 0.1} if good else {"A": 0.1, "D": 0.9}
    return Completion("A", finish_reason="stop", logprobs=(token("A", **odds),))


def policy(request, choice):
    """One of three answers, or how those go on that begin as what stands there."""
    if request.sampling.top_logprobs:
        return graded(request)
    begun = request.messages[-1].content if request.messages[-1].role == "assistant" else ""
    rest = [one.removeprefix(begun) for one in SAID if one.startswith(begun)]
    text = rest[(choice + request.first) % len(rest)]
    tokens = tuple(TokenLogprob(char, -0.1) for char in text)
    return Completion(text, finish_reason="stop", logprobs=tokens)


def search_of(**fields):
    return part("samplers", "tool_search", model="policy", **fields)


def by_text(drawn):
    return {one.text: node for one, node in zip(drawn.responses, drawn.nodes[1:], strict=True)}


async def test_the_first_expansion_has_rewards_and_priors_as_worked_out_by_hand(make_unit, model):
    drawn = await search_of(iterations=1).draw(make_unit(PROMPT, model("policy", policy)))
    nodes = by_text(drawn)
    assert set(nodes) == {"[weather(city=", "[search(query="}
    good, alien = nodes["[weather(city="], nodes["[search(query="]
    # not ended as gold, no word in common: -0.1 + 0 - 0.5; excellent: (0.9 - 2 * 0.1) / 4 = 0.175
    assert (good.r, good.value) == (pytest.approx(-0.6), pytest.approx(-0.425))
    assert alien.value == pytest.approx(-0.6 + (0.1 - 1.8) / 4)
    assert good.prior == pytest.approx(math.exp(-0.1))
    assert (good.n_visits, good.q, good.terminal, good.outcome) == (1, good.value, False, None)
    root = drawn.nodes[0]
    assert root.node_id == root_id(PROMPT.prompt_id, "tool_search")
    assert (root.n_visits, root.q, root.value) == (2, None, 0.0)


async def test_a_whole_search_ends_answers_and_says_which_are_right(make_unit, model):
    drawn = await search_of(iterations=200).draw(make_unit(PROMPT, model("policy", policy)))
    nodes = by_text(drawn)
    assert {text: node.outcome for text, node in nodes.items() if node.terminal} == {
        GOLD: 1.0,
        WRONG: 0.0,
        ALIEN: 0.0,
    }
    by_id = {one.response_id: one for one in drawn.responses}
    for one, node in zip(drawn.responses, drawn.nodes[1:], strict=True):
        assert one.partial is not node.terminal
        before = by_id[one.parent_id].text if one.parent_id else ""
        assert one.text == before + node.text
    path = [node.text for node in drawn.nodes if node.on_path]
    assert "".join(path) == GOLD


async def test_requests_go_on_with_the_answer_so_far_and_are_drawn_as_published(make_unit, model):
    policy_model = model("policy", policy)
    await search_of(iterations=2).draw(make_unit(PROMPT, policy_model))
    first = policy_model.asked[0].sampling.given
    assert first == {
        "temperature": 1.5,
        "max_tokens": 50,
        "logprobs": True,
        "extra_body": {"repetition_penalty": 0.75},
    }
    going_on = [one for one in policy_model.asked if one.messages[-1].role == "assistant"]
    assert going_on
    assert all(one.sampling.extra_body["continue_final_message"] is True for one in going_on)
    assert all(one.tools == "[]" for one in going_on)


async def test_a_model_without_log_probabilities_gives_the_paper_s_prior_and_votes(
    make_unit, model
):
    def plain(request, choice):
        if request.messages[-1].content.endswith("nothing else."):
            return ("A", "B", "A.", "Hm")[choice]
        return SAID[choice]

    unit = make_unit(PROMPT, model("policy", plain))
    ungraded = (await search_of(iterations=1).draw(unit)).nodes[1]
    assert (ungraded.prior, ungraded.flags) == (0.1, "no_logprobs ungraded")
    assert ungraded.value == pytest.approx(-0.6)
    voted = (await search_of(iterations=1, votes=4).draw(unit)).nodes[1]
    assert voted.value == pytest.approx(-0.6 + (2 / 3 + 0.1 / 3) / 4)


async def test_without_a_gold_answer_only_grades_count_and_it_is_flagged(make_unit, model):
    def simple(request, choice):
        top = (token("A", A=1.0),)
        return Completion("A", logprobs=top) if request.sampling.top_logprobs else SAID[choice]

    asked = Prompt(PROMPT.prompt_id, MESSAGES)
    node = (await search_of(iterations=1).draw(make_unit(asked, model("policy", simple)))).nodes[1]
    assert (node.value, node.outcome, node.flags) == (0.25, None, "no_logprobs no_gold")


@pytest.mark.parametrize(
    "reply", [Completion(None), Completion("  "), Completion(None, error="400")]
)
async def test_a_policy_that_writes_nothing_leaves_a_root_alone(make_unit, model, reply):
    unit = make_unit(PROMPT, model("policy", lambda *_: reply))
    drawn = await search_of().draw(unit)
    assert (drawn.responses, len(drawn.nodes)) == ([], 1)


async def test_calls_that_a_server_has_read_are_searched_as_text(make_unit, model):
    def calling(request, choice):
        if request.sampling.top_logprobs:
            return graded(request)
        call = ToolCall("1", "weather", '{"city": "Oslo", "days": 2}')
        return Completion(None, tool_calls=(call,), finish_reason="tool_calls")

    unit = make_unit(PROMPT, model("policy", calling))
    drawn = await search_of(iterations=1, depth=1).draw(unit)
    [response] = drawn.responses
    assert (response.text, response.partial) == (GOLD, False)
    assert drawn.nodes[1].outcome == 1.0


async def test_the_grader_is_shown_the_gold_answer_only_if_it_may_see_it(make_unit, model):
    for show in (True, False):
        policy_model, grader = model("policy", policy), model("grader", lambda *_: "A")
        unit = make_unit(PROMPT, policy_model, grader, ledger=f"{show}")
        await search_of(iterations=1, grader="grader", show_gold=show).draw(unit)
        assert {"# The right answer" in one.messages[0].content for one in grader.asked} == {show}


async def test_a_search_is_replayed_without_a_call(make_unit, model):
    unit = make_unit(PROMPT, model("policy", policy))
    first = await search_of().draw(unit)
    paid = unit.workshop.meter.samples_paid
    assert await search_of().draw(unit) == first
    assert unit.workshop.meter.samples_paid == paid


def test_fewer_than_two_continuations_are_refused():
    with pytest.raises(RecipeError, match="n"):
        search_of(n=1)
