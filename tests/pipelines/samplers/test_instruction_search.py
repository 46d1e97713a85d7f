import re

import pytest

from pipelines.backend import Completion
from pipelines.errors import RecipeError
from schemas.rows import Message, Prompt, prompt_id, root_id
from tests.pipelines.tables import part

RULES = tuple(
    {"name": name, "label": "math", "text": f"Do as {name} says."} for name in ("rule_a", "rule_b")
)
RIGHT = {"": 5, "A": 7, "AB": 4, "B": 6, "BA": 5}
"""Right answers of ten to an instruction, by the rules that made it."""

MESSAGES = (Message("system", "Rewrite it."), Message("user", "Add."))
PROMPT = Prompt(prompt_id(MESSAGES), MESSAGES, reference="4", task="math")
VERIFIER = part("judges", "verifier", answer="number")


def rewrites(request, _):
    """The instruction with the rule's letter behind it."""
    words = request.messages[-1].content
    letter = re.search(r"Do as rule_(\w) says", words)[1].upper()
    return re.search(r"<<<(\w+)\n(.*)\n\1>>>", words)[2] + f" {letter}"


def answers(request, choice):
    """A right answer so often as `RIGHT` has it."""
    assert [message.role for message in request.messages] == ["user"]
    by = "".join(re.findall(r" ([AB])", request.messages[0].content))
    return "#### 4" if choice < RIGHT[by] else "#### 5"


def search_of(**fields):
    given = {"model": "writer", "responder": "pupil", "judge": "verifier", "n": 10, "rules": RULES}
    return part("samplers", "instruction_search", **given | fields)


@pytest.fixture
def unit_of(make_unit, model):
    def make(prompt=PROMPT, rewrite=rewrites, answer=answers):
        models = [model("writer", rewrite), model("pupil", answer)]
        return make_unit(prompt, *models, judges=[VERIFIER])

    return make


def by_text(drawn):
    return {node.text: node for node in drawn.nodes}


async def test_the_oracle_tree_is_searched_and_its_rewards_are_mean_scores(unit_of):
    drawn = await search_of(iterations=3).draw(unit_of())
    nodes = by_text(drawn)
    values = {text: node.value for text, node in nodes.items()}
    assert values == {"Add.": 0.5, "Add. A": 0.7, "Add. B": 0.6, "Add. A B": 0.4}
    visits = {text: node.n_visits for text, node in nodes.items()}
    assert visits == {"Add.": 3, "Add. A": 2, "Add. B": 1, "Add. A B": 1}
    assert {text: node.q for text, node in nodes.items()}["Add. A"] == 0.7
    assert [text for text, node in nodes.items() if node.on_path] == ["Add.", "Add. A"]


async def test_rewrites_are_partial_responses_to_the_request_with_their_rules(unit_of):
    drawn = await search_of(iterations=3).draw(unit_of())
    assert all(one.partial and one.prompt_id == PROMPT.prompt_id for one in drawn.responses)
    assert {one.finish_reason for one in drawn.responses} == {"stop"}  # whole, as exports see it
    assert [one.response_id for one in drawn.responses] == [node.node_id for node in drawn.nodes]
    raw, *others = drawn.responses
    assert (raw.response_id, raw.text, raw.model) == (
        root_id(PROMPT.prompt_id, "instruction_search"), "Add.", "raw",
    )  # fmt: skip
    notes = {one.text: one.notes for one in others}
    assert notes["Add. A B"] == '{"rules":["rule_a","rule_b"]}'


async def test_a_search_ends_where_every_rule_is_used_up(unit_of):
    drawn = await search_of(iterations=50).draw(unit_of())
    assert {node.text for node in drawn.nodes} == {
        "Add.", "Add. A", "Add. B", "Add. A B", "Add. B A",
    }  # fmt: skip


async def test_a_rule_that_never_gives_a_rewrite_is_given_up_and_another_one_tried(unit_of):
    def dumb(request, choice):
        if "rule_a" in request.messages[-1].content:
            return Completion(" ", finish_reason="stop")
        return rewrites(request, choice)

    unit = unit_of(rewrite=dumb)
    drawn = await search_of(iterations=1).draw(unit)
    assert {node.text for node in drawn.nodes} == {"Add.", "Add. B"}
    for _ in range(2):
        drawn = await search_of(iterations=9, tries=3).draw(unit)
    assert {node.text for node in drawn.nodes} == {"Add.", "Add. B"}
    asked = [one for one in unit.model("writer").asked if "rule_a" in one.messages[-1].content]
    texts = [one.messages[-1].content for one in asked]
    assert {texts.count(text) for text in set(texts)} <= {3, 4}


async def test_a_later_try_may_mend_an_empty_rewrite(unit_of):
    def slow(request, choice):
        return rewrites(request, choice) if request.first == 2 else ""

    drawn = await search_of(iterations=1).draw(unit_of(rewrite=slow))
    assert [one.sample_index for one in drawn.responses] == [None, 2]


async def test_a_judge_that_scores_no_answer_leaves_no_tree(unit_of):
    unit = unit_of(Prompt(PROMPT.prompt_id, MESSAGES, task="math"))  # nothing to verify by
    assert await search_of().draw(unit) == await search_of(labels=()).draw(unit)
    assert (await search_of().draw(unit)).responses == []


async def test_a_prompt_for_which_there_is_no_rule_is_not_searched(unit_of):
    unit = unit_of(Prompt(PROMPT.prompt_id, MESSAGES, reference="4", task="poems"))
    assert (await search_of().draw(unit)).responses == []
    assert len((await search_of(labels=("math",), iterations=1).draw(unit)).responses) == 2


async def test_the_calls_are_in_the_ledger_so_that_a_second_search_pays_nothing(unit_of):
    unit = unit_of()
    first = await search_of(iterations=3).draw(unit)
    paid = unit.workshop.meter.samples_paid
    assert await search_of(iterations=3).draw(unit) == first
    assert unit.workshop.meter.samples_paid == paid


async def test_another_seed_tries_the_rules_in_another_order(make_unit, model):
    orders = set()
    for seed in range(8):
        models = [model("writer", rewrites), model("pupil", answers)]
        unit = make_unit(PROMPT, *models, judges=[VERIFIER], seed=seed, ledger=f"{seed}")
        drawn = await search_of(iterations=1).draw(unit)
        orders.add(drawn.responses[-1].text)
    assert orders == {"Add. A", "Add. B"}


def test_rules_of_one_name_are_refused():
    with pytest.raises(RecipeError, match="the same name"):
        search_of(rules=RULES[:1] * 2)
