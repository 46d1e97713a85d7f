"""Tree search over steps, with a world of steps that is written down."""

import math
import random
from dataclasses import dataclass
from decimal import Decimal

import pytest

from pipelines.backend import Completion, TokenLogprob
from pipelines.errors import RecipeError, RequestRefused
from pipelines.judges.verifier import Verifier
from pipelines.part import Where, load_part
from pipelines.stepping.continuation import GO_ON, going_on
from pipelines.wire.body import CONTINUE_FIELDS
from schemas.canonical import draw_unit
from schemas.rows import Judgment, root_id

CONFIDENCE = {"a": 0.6, "b": 0.5, "aa": 0.5, "ab": 0.7, "ba": 0.4, "bb": 0.3}
"""Of the oracle tree (methods, section 3): with +1 for "ab" and -1 for the other ends, its values."""
WHERE = Where("recipe.toml", "[[samplers]] mcts", None)
VERIFIER = Verifier.model_validate({"kind": "verifier", "answer": "exact"})
NUMBER = Verifier.model_validate({"kind": "verifier", "answer": "number"})


def mcts(**fields):
    table = {"kind": "mcts", "model": "policy", "outcome": "verifier", "closing": "", **fields}
    return load_part("samplers", table, WHERE)


def path_of(request):
    """The answer that a request goes on with, or asks about, as letters."""
    last = request.messages[-1].content
    if request.messages[-1].role == "assistant":
        return last.replace("\n", "")
    return ""


def letters(request, choice):
    """The steps of the oracle tree: "a" and "b", twice."""
    path = path_of(request)
    step = "ab"[choice % 2]
    text, reason = (f"{step}\n", "length") if not path else (step, "stop")
    return Completion(text, finish_reason=reason, logprobs=(TokenLogprob(text, math.log(0.5)),))


def confident(request, _):
    """The odds of B, by the answer so far that the question quotes."""
    quoted = request.messages[-1].content.rpartition("answer so far")[2]
    body = quoted.partition("<<<")[2].partition("\n")[2].rpartition(">>>")[0].rpartition("\n")[0]
    share = CONFIDENCE[body.replace("\n", "")]
    top = (("A", math.log(1 - share)), ("B", math.log(share)))
    return Completion("B", logprobs=(TokenLogprob("B", math.log(share), top),))


ORACLE = {
    "n_init": 2,
    "steps": "line",
    "own_way": 1.0,
    "root_factor": 1,
    "iterations": 20,
    "depth": 3,
    "evaluation": {"model": "critic"},
}


@pytest.fixture
def two(model):
    """The policy and the critic of the oracle tree."""

    def make(latency=0):
        return model("policy", letters, seed=latency), model("critic", confident, seed=latency)

    return make


def by_path(drawn):
    texts = {row.response_id: row.text.replace("\n", "") for row in drawn.responses}
    return {texts.get(node.node_id, ""): node for node in drawn.nodes}


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        (1, {"": (2, 0.55), "b": (0, 0.0, 0.5)}),
        (2, {"": (4, -0.025), "b": (1, -1.15, -0.65), "ba": (1, 0.0, -1.1)}),
        (3, {"": (6, 0.427778), "b": (1, -1.15, -0.65)}),
        (20, {"": (40, 1.478), "b": (1, -1.15, -0.65), "bb": (0, 0.0, -1.2)}),
    ],
)
async def test_the_search_grows_the_oracle_tree(iterations, expected, make_unit, prompt, two):
    asked = prompt("How?", reference="a\nb")
    unit = make_unit(asked, *two(), judges=[VERIFIER])

    nodes = by_path(await mcts(**{**ORACLE, "iterations": iterations}).draw(unit))

    for path, figures in expected.items():
        node = nodes[path]
        found = node.n_visits, node.v, node.q
        assert found[: len(figures)] == pytest.approx(figures, abs=5e-7)
    assert nodes["ab"].value == pytest.approx(1.7)
    assert nodes["aa"].value == pytest.approx(-0.5)
    assert (nodes["a"].prior, nodes["a"].r) == pytest.approx((0.5, 0.6))
    assert [path for path, node in nodes.items() if node.on_path] == ["", "a", "ab"]
    assert all(node.terminal is (len(path) == 2) for path, node in nodes.items())
    assert {path: nodes[path].outcome for path in ("a", "aa", "ab")} == {
        "a": None, "aa": -1.0, "ab": 1.0,
    }  # fmt: skip


async def test_every_node_but_the_root_is_a_response_with_the_whole_answer(make_unit, prompt, two):
    asked = prompt("How?", reference="a\nb")
    drawn = await mcts(**ORACLE).draw(make_unit(asked, *two(), judges=[VERIFIER]))

    root, *others = drawn.nodes
    assert (root.node_id, root.parent_id) == (root_id(asked.prompt_id, "mcts"), None)
    assert [node.node_id for node in others] == [row.response_id for row in drawn.responses]
    rows = {row.response_id: row for row in drawn.responses}
    for node in others:
        row = rows[node.node_id]
        above = rows.get(node.parent_id)
        assert row.text == (above.text if above else "") + node.text
        assert row.parent_id == (above and above.response_id)
        assert row.partial is not node.terminal
        assert row.sum_logprob == pytest.approx(node.depth * math.log(0.5))
        assert row.finish_reason == ("stop" if node.terminal else None)


async def test_the_tree_of_width_4_is_the_same_under_50_latencies(make_unit, prompt, model):
    asked = prompt("How?", reference="a\nb")
    search = mcts(
        width=4, iterations=4, depth=3, max_tokens=9, steps="line", evaluation={"model": "critic"}
    )
    trees = []
    for latency in range(50):
        pair = model("policy", babble), model("critic", opinion)
        for one in pair:
            one._delays = Brief(f"{one.name} {latency}")
        unit = make_unit(asked, *pair, ledger=f"{latency}", judges=[VERIFIER])
        trees.append(await search.draw(unit))
    assert len(trees[0].nodes) > 20
    assert all(tree == trees[0] for tree in trees)


class Brief(random.Random):
    """Delays of at most half a millisecond."""

    def random(self):
        return super().random() / 10


def babble(request, choice):
    """Some step, by the request's seed and choice: most of them go on."""
    drawn = draw_unit(path_of(request), request.seed, choice)
    step = "abcdef"[int(drawn * 6)]
    return Completion(f"{step}\n", finish_reason="stop" if drawn * 60 % 10 < 2 else "length")


def opinion(request, _):
    share = 0.05 + 0.9 * draw_unit(request.messages[-1].content)
    top = (("A", math.log(1 - share)), ("B", math.log(share)))
    return Completion("B", logprobs=(TokenLogprob("B", math.log(share), top),))


def test_what_is_asked_is_told_whatever_was_asked_of_its_parts_before():
    """`Sampling.given` is kept by the object: a copy of it would say what the first one said."""
    search = mcts(also={"top_p": Decimal("0.5"), "extra_body": {"min_p": Decimal("0.1")}})
    assert search.also.given == {"top_p": 0.5, "extra_body": {"min_p": 0.1}}

    first = search.asking(0.7, begun=False)
    told = {"temperature": 0.7, "max_tokens": 128, "logprobs": True, "top_p": 0.5}
    assert first.given == {**told, "extra_body": {"min_p": 0.1}}
    begun = going_on(first, "prefix").given
    assert begun.pop("extra_body") == {"min_p": 0.1, **CONTINUE_FIELDS}
    assert begun == told


async def test_an_answer_is_gone_on_with_as_the_last_message(make_unit, prompt, two):
    policy, critic = two()
    asked = prompt("How?", reference="a\nb")
    await mcts(**ORACLE).draw(make_unit(asked, policy, critic, judges=[VERIFIER]))

    first, second = policy.asked[:2]
    assert [one.content for one in first.messages] == ["How?"]
    assert first.sampling.extra_body is None
    assert [(one.role, one.content) for one in second.messages] == [
        ("user", "How?"),
        ("assistant", "a\n"),
    ]
    assert second.sampling.extra_body == {
        "add_generation_prompt": False,
        "continue_final_message": True,
    }


async def test_a_chat_server_is_asked_to_go_on_in_words(make_unit, prompt, model):
    policy = model("policy", lambda request, choice: f"{'ab'[choice % 2]}{len(request.messages)}")
    unit = make_unit(prompt("How?", reference="a1"), policy, judges=[VERIFIER])
    await mcts(continuation="ask", steps="tokens", evaluation={"by": "nothing"}, iterations=2).draw(
        unit
    )
    assert all(one.sampling.extra_body is None for one in policy.asked)
    begun = [one for one in policy.asked if len(one.messages) > 1]
    assert all(one.messages[-1].content == GO_ON for one in begun)


@dataclass
class Flagged:
    """The flags of all nodes below the root, and the nodes."""

    nodes: list

    @property
    def flags(self):
        return {flag for node in self.nodes[1:] for flag in (node.flags or "").split()}


@pytest.fixture
def searched(make_unit, prompt, model):
    """`searched(answer, reference=None, **fields)`: a small search with outcomes alone."""

    async def search(answer, reference=None, judges=(VERIFIER,), **fields):
        policy = model("policy", answer)
        unit = make_unit(prompt("How?", reference=reference), policy, judges=judges)
        small = {"iterations": 2, "depth": 2, "evaluation": {"by": "nothing"}, **fields}
        drawn = await mcts(**small).draw(unit)
        return drawn, Flagged(list(drawn.nodes)), policy

    return search


def two_words(_, choice):
    return Completion(f"word {choice}", finish_reason="stop")


async def test_without_log_probabilities_priors_are_equal_and_flagged(searched):
    drawn, found, _ = await searched(two_words, reference="word 1", n_init=4)
    assert [node.prior for node in drawn.nodes[1:]] == [0.25] * 4
    assert found.flags == {"no_logprobs"}


async def test_without_a_gold_answer_the_outcome_is_0_and_flagged(searched):
    drawn, found, _ = await searched(two_words)
    assert all(node.outcome is None and node.value == 0 for node in drawn.nodes[1:])
    assert "no_gold" in found.flags


async def test_a_judge_that_never_answers_leaves_no_outcome(searched):
    class Silent(Verifier):
        async def judge(self, unit, responses):
            return [
                Judgment(f"j{one.response_id}", one.prompt_id, "verifier", "v", one.response_id)
                for one in responses
            ]

    silent = Silent.model_validate({"kind": "verifier", "answer": "exact"})
    drawn, found, _ = await searched(two_words, reference="word 1", judges=[silent])
    assert "no_outcome" in found.flags
    assert len(drawn.responses) == 4


async def test_a_right_answer_in_its_own_way_earns_more_than_a_copied_one(searched):
    drawn, _, _ = await searched(two_words, reference="1", judges=(NUMBER,))
    assert {node.value for node in drawn.nodes[1:]} == {1.25, -1.0}
    drawn, _, _ = await searched(two_words, reference="word 1")
    assert sorted({node.value for node in drawn.nodes[1:]}) == [-1.0, 1.0]


@pytest.mark.parametrize("fields", [{"multiple_choice": True}, {"own_way": 0}])
async def test_a_right_answer_that_earns_nothing_is_right_all_the_same(searched, fields):
    """Else a search would give up a prompt whose answer it has found."""
    drawn, _, _ = await searched(
        two_words, reference="1", judges=(NUMBER,), stop_hopeless=1, **fields
    )
    found = {
        row.text: (node.outcome, node.value)
        for row, node in zip(drawn.responses, drawn.nodes[1:], strict=True)
    }
    assert found["word 1"] == (1.0, 0.0)
    assert found["word 0"] == (-1.0, -1.0)


async def test_a_step_without_a_boundary_is_kept_whole_and_flagged(searched):
    def endless(_, choice):
        return Completion(f"and {choice} so on", finish_reason="length")

    drawn, found, _ = await searched(endless, reference="x", max_tokens=12)
    assert {"no_boundary", "too_long"} <= found.flags
    assert all(row.finish_reason == "length" for row in drawn.responses if not row.partial)


@pytest.mark.parametrize(("tokens", "has_ended"), [(6, False), (7, True)])
async def test_an_answer_within_five_tokens_of_the_most_has_ended(searched, tokens, has_ended):
    def line(_, choice):
        words = [f"{choice} "] * (tokens - 1) + ["\n"]
        logprobs = tuple(TokenLogprob(word, -0.1) for word in words)
        return Completion("".join(words), finish_reason="length", logprobs=logprobs)

    drawn, _, _ = await searched(line, reference="x", max_tokens=12)
    first = drawn.responses[0]
    assert (first.text, first.partial) == ("0 " * (tokens - 1) + "\n", not has_ended)


async def test_where_nothing_is_written_the_answer_ends(searched):
    drawn, found, _ = await searched(lambda *_: Completion(" \n", finish_reason="stop"))
    [row] = drawn.responses
    assert (row.text, row.partial, row.error) == ("", False, None)
    assert found.flags == {"no_candidates", "no_gold"}


async def test_an_answer_after_which_nothing_is_written_has_an_outcome(searched):
    def once(request, choice):
        begun = request.messages[-1].role == "assistant"
        return Completion("" if begun else f"word {choice}\n", finish_reason="length")

    drawn, _, _ = await searched(once, reference="word 1")
    ends = {
        row.text: node
        for row, node in zip(drawn.responses, drawn.nodes[1:], strict=True)
        if node.terminal
    }
    assert ends["word 1\n"].outcome == 1.0
    assert ends["word 0\n"].outcome == -1.0
    assert ends["word 1\n"].text == ""
    assert ends["word 1\n"].prior == 1.0


async def test_a_refused_request_is_a_response_that_does_not_exist(searched):
    def never(*_):
        raise RequestRefused("too long", 400)

    drawn, found, _ = await searched(never)
    [row] = drawn.responses
    assert (row.text, row.partial, row.error) == (None, False, "too long")
    assert found.flags == {"no_candidates", "refused"}


async def test_the_reference_may_be_one_more_candidate(searched):
    gold = "First we add.\nThe sum is 5."
    drawn, _, _ = await searched(two_words, reference=gold, inject_reference=True)
    written = [row for row in drawn.responses if row.model == "reference"]
    assert [row.text for row in written] == ["First we add.\n", gold]
    assert [row.partial for row in written] == [True, False]
    assert all(row.policy is None and row.sample_index is None for row in written)


async def test_equal_states_are_evaluated_once_and_ask_for_further_samples(
    make_unit, prompt, model
):
    def line_by_line(request, choice):
        begun = request.messages[-1].role == "assistant"
        text = "a\na\n" if (choice % 2 and not begun) else "a\n"
        return Completion(text, finish_reason="length")

    policy, critic = model("policy", line_by_line), model("critic", opinion)
    unit = make_unit(prompt("How?"), policy, critic)
    search = mcts(
        outcome=None,
        iterations=4,
        depth=3,
        root_factor=1,
        max_tokens=10,
        evaluation={"model": "critic"},
    )
    drawn = await search.draw(unit)
    texts = [row.text for row in drawn.responses]
    assert texts.count("a\na\n") == 2  # two steps, and one step of two lines
    assert len(critic.asked) == len(set(texts))
    twice = [one for one in policy.asked if one.messages[-1].content == "a\na\n"]
    assert [one.first for one in twice] == [0, 2]


@pytest.mark.parametrize(
    ("evaluation", "said", "value", "flags"),
    [
        ({"votes": 4}, ("B", "A", "(B)", "no"), 2 / 3, ""),
        ({}, ("B",), 1.0, "one_vote"),
        ({}, ("Who knows?",), 0.0, "one_vote unread"),
        ({"by": "quality", "votes": 2}, ("D", "A"), -0.5, ""),
    ],
)
async def test_votes_stand_in_for_probabilities(
    evaluation, said, value, flags, make_unit, prompt, model
):
    critic = model("critic", lambda _, choice: said[choice % len(said)])
    policy = model("policy", letters)
    unit = make_unit(prompt("How?"), policy, critic)
    search = mcts(
        outcome=None, iterations=1, n_init=2, evaluation={"model": "critic", **evaluation}
    )
    drawn = await search.draw(unit)
    first = drawn.nodes[1]
    assert first.value == pytest.approx(value)
    assert (first.flags or "") == flags


async def test_the_evaluator_sees_the_reference_unless_it_is_not_to(make_unit, prompt, two):
    for shown in (True, False):
        policy, critic = two()
        asked = prompt("How?", reference="GOLD")
        unit = make_unit(asked, policy, critic, judges=[VERIFIER], ledger=f"{shown}")
        await mcts(**{**ORACLE, "evaluation": {"model": "critic", "reference": shown}}).draw(unit)
        assert all(("GOLD" in one.messages[-1].content) is shown for one in critic.asked)


async def test_a_solved_prompt_and_a_hopeless_one_take_fewer_walks(searched):
    drawn, _, _ = await searched(two_words, reference="word 1", iterations=50, stop_solved=3)
    assert drawn.nodes[0].n_visits < 20
    drawn, _, _ = await searched(two_words, reference="no", iterations=50, stop_hopeless=3)
    assert drawn.nodes[0].n_visits == 6
    assert [node.depth for node in drawn.nodes if node.on_path] == [0]


async def test_every_walk_may_come_to_an_end(searched):
    def lines(request, _):
        asked_for_all = request.sampling.max_tokens > 100
        return Completion(f"{request.seed}\n", finish_reason="stop" if asked_for_all else "length")

    drawn, _, policy = await searched(
        lines, reference="x", finish=True, max_new_tokens=8, max_tokens=200, steps="line"
    )
    leaves = {node.node_id for node in drawn.nodes} - {node.parent_id for node in drawn.nodes}
    visited = [node for node in drawn.nodes if node.node_id in leaves and node.n_visits]
    assert visited
    assert all(node.terminal for node in visited)
    assert {one.n for one in policy.asked} == {4, 2, 1}


async def test_rollouts_value_a_state_by_where_it_leads(searched):
    def world(request, choice):
        path = path_of(request)
        if not path:
            return Completion(f"{'ab'[choice % 2]}\n", finish_reason="length")
        right = path[0] == "a" and choice % 4 != 3  # three of four from "a", none from "b"
        return Completion("right" if right else "wrong", finish_reason="stop")

    drawn, _, _ = await searched(
        world, reference="a\nright", n_init=2, steps="line", evaluation={"by": "rollouts"}
    )
    values = {
        row.text: node.value for row, node in zip(drawn.responses, drawn.nodes[1:], strict=True)
    }
    assert (values["a\n"], values["b\n"]) == (0.5, -1.0)


async def test_the_likelihood_of_an_answer_may_be_its_value(make_unit, prompt, model):
    def scored(request, _):
        text = request.messages[-1].content
        return Completion(text, logprobs=tuple(TokenLogprob(one, -0.5) for one in text))

    policy, teacher = model("policy", letters), model("teacher", scored)
    search = mcts(outcome=None, iterations=1, evaluation={"by": "likelihood", "model": "teacher"})
    drawn = await search.draw(make_unit(prompt("How?"), policy, teacher))
    assert drawn.nodes[1].value == pytest.approx(math.exp(-0.5))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"n": 1}, "n: "),
        ({"n_init": 1}, "n_init"),
        ({"depth": 0}, "depth"),
        ({"width": 0}, "width"),
        ({"closing": "("}, "not a regular expression"),
        ({"also": {"temperature": 0.5}}, "temperature is the search's own"),
        ({"outcome": None, "evaluation": {"by": "rollouts"}}, "outcome"),
        ({"search": "astar"}, "search"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_any_call(fields, complaint):
    with pytest.raises(RecipeError, match=complaint):
        mcts(**fields)


def walk(request):
    """Where the walker stands on the line of 7 places, and how many steps it took: start at 3."""
    steps = path_of(request)
    place = 3 + steps.count("r") - steps.count("l")
    return place, len(steps)


async def test_on_a_line_with_a_known_optimum_the_better_step_is_right(make_unit, prompt, model):
    """A policy that does not know the way: right leads to the goal in 3 steps, left does not."""

    def policy(request, choice):
        place, steps = walk(request)
        drawn = draw_unit(request.messages[-1].content, request.seed, choice)
        step = "r" if drawn < 0.5 else "l"
        place += 1 if step == "r" else -1
        ended = place in (0, 6) or steps == 5
        return Completion(f"{step}\n", finish_reason="stop" if ended else "length")

    class Line(Verifier):
        async def judge(self, unit, responses):
            return [
                Judgment(
                    f"j{one.response_id}", one.prompt_id, "verifier", "v", one.response_id,
                    score=float(one.text.count("r") - one.text.count("l") == 3),
                )
                for one in responses
            ]  # fmt: skip

    line = Line.model_validate({"kind": "verifier", "answer": "exact"})
    search = mcts(
        n_init=4, n=4, depth=6, steps="line", max_new_tokens=4, evaluation={"by": "nothing"}
    )
    right = pairs = 0
    for seed in range(12):
        unit = make_unit(
            prompt("How?"), model("policy", policy), judges=[line], seed=seed, ledger=f"{seed}"
        )
        drawn = await search.draw(unit)
        children = {}
        for node in drawn.nodes[1:]:
            children.setdefault(node.parent_id, []).append(node)
        for node in drawn.nodes:
            tried = [one for one in children.get(node.node_id, ()) if one.n_visits]
            if node.on_path and len({one.q for one in tried}) > 1:
                best = max(tried, key=lambda one: one.q)
                pairs += 1
                right += best.text == "r\n"
    assert pairs >= 24
    assert right / pairs >= 0.95
