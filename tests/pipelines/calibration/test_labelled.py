from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.calibration.labelled import (
    LabelSet,
    Winners,
    asked_id,
    label_set,
    labelled_drops,
)
from pipelines.intake.cells import UnusableRow
from schemas.rows import Message, Prompt, prompt_id
from tests.pipelines.calibration.pairs import Row, pair, row, turned


def made(*rows: Row) -> LabelSet:
    pairs = (pair(one, place=f"row {at}") for at, one in enumerate(rows))
    return label_set("x.jsonl", pairs, Counter())


def test_a_row_with_two_responses_is_a_labelled_pair():
    one = pair(row(label="b", category="sums", reference="2"))
    assert one.prompt is not None
    assert one.prompt.messages == (Message("user", "1+1?"),)
    assert (one.sides, one.label, one.category) == (("2", "3"), "b", "sums")
    assert one.prompt.reference == "2"


def test_messages_and_tools_make_the_prompt():
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1+1?"}]
    messages = row() | {"prompt": asked, "tools": [{"name": "add"}]}
    one = pair(messages)
    assert one.prompt is not None
    assert [message.role for message in one.prompt.messages] == ["system", "user"]
    assert one.prompt.tools == '[{"name":"add"}]'


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"label": "c"}, "unknown_label"),
        ({"label": None}, "unknown_label"),
        ({"response_a": " "}, "empty_response"),
        ({"response_a": "3"}, "identical_responses"),
        ({"response_b": None}, "missing_value"),
        ({"prompt": ""}, "empty_prompt"),
    ],
)
def test_a_row_that_is_no_labelled_pair_says_why(more: Row, reason: str):
    with pytest.raises(UnusableRow) as why:
        pair(row() | more)
    assert why.value.reason == reason


def test_chosen_and_rejected_are_put_in_an_order_drawn_by_the_seed():
    rows = [{"prompt": f"{n}?", "chosen": "yes", "rejected": "no"} for n in range(200)]
    labels = Counter(pair(one).label for one in rows)
    assert 70 < labels["a"] < 130
    assert labels.keys() == {"a", "b"}
    for one in rows:
        found = pair(one)
        assert found.sides is not None
        assert found.sides["ab".index(str(found.label))] == "yes"
    assert [pair(one) for one in rows] == [pair(one) for one in rows]
    assert [pair(one, seed=1).label for one in rows] != [pair(one).label for one in rows]


def test_chosen_may_be_a_conversation_that_ends_with_the_answer():
    answer = {"role": "assistant", "content": "2"}
    one = pair({"prompt": "1+1?", "chosen": [{"role": "user", "content": "1+1?"}, answer],
                "rejected": [answer | {"content": "3"}]})  # fmt: skip
    assert sorted(one.sides or ()) == ["2", "3"]


def test_letters_of_recorded_judgments_are_as_shown():
    one = pair({"winner_ab": "A", "winner_ba": "A", "label": "a"})
    assert one.winners == Winners("a", "b", (True, True))  # in BA, A is the second response
    assert pair({"winner_ab": "B", "label": "a"}).winners == Winners("b", None, (True, False))
    unread = pair({"winner_ab": "garbage", "winner_ba": "tie", "label": "a"}).winners
    why = 'winner_ab: "garbage" (--spelling says what it stands for)'
    assert unread == Winners(None, "tie", (True, True), (why,))


def test_equal_pairs_count_once_and_contradictory_ones_not_at_all():
    found = made(row(1), row(1), turned(row(1)), row(2), row(2, "b"), row(2), row(3))
    assert {one.prompt and one.prompt.messages[0].content for one in found.pairs} == {
        "1+1?",
        "3+1?",
    }
    assert found.dropped == {"repeated": 2, "contradictory": 3}


def test_recorded_judgments_with_equal_content_are_all_counted():
    said = {"winner_ab": "A", "label": "a"}
    assert len(made(said, said, said).pairs) == 3


def test_labels_without_prompts_are_told_apart_by_ids_or_places():
    right = [{"winner_ab": "A", "label": label} for label in "aab"]
    turned_round = [{"winner_ab": "A", "label": label} for label in "baa"]
    digests = {made(*rows).digest for rows in (right, turned_round)}
    assert len(digests) == 2
    named = [{"id": f"{number}", **one} for number, one in enumerate(right)]
    assert made(*named).digest == made(*reversed(named)).digest


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "tie"]), st.booleans()), min_size=1))
def test_neither_order_nor_sides_change_the_digest(drawn: list[tuple[str, bool]]):
    rows = [row(number, label) for number, (label, _) in enumerate(drawn)]
    other = [turned(one) if turn else one for one, (_, turn) in zip(rows, drawn, strict=True)]
    one, again = made(*rows), made(*reversed(other))
    assert one.digest == again.digest
    assert one.asked() == again.asked()


def test_another_label_or_text_is_another_digest():
    digests = {made(one).digest for one in (row(), row(label="b"), row(response_b="4"), row(2))}
    assert len(digests) == 4


def test_a_sample_depends_on_the_pairs_alone_and_halves_share_no_prompt():
    rows = [row(number, response_b=f"{number} {more}") for number in range(30) for more in "xy"]
    labels, again = made(*rows), made(*reversed(rows))
    assert labels.sampled(7, 3) == again.sampled(7, 3)
    assert len(labels.sampled(7, 3).pairs) == 7
    assert labels.sampled(100, 3) is labels
    one, other = labels.halves(5)
    assert len(one.pairs) + len(other.pairs) == 60
    assert not {pair.group for pair in one.pairs} & {pair.group for pair in other.pairs}
    assert one.pairs
    assert other.pairs


def test_a_labelled_prompt_is_known_under_a_system_message_and_tools():
    asked = Message("user", "1+1?")
    with_system = (Message("system", "Be brief."), asked)
    assert asked_id(with_system) == asked_id((asked,)) != asked_id((Message("user", "1+2?"),))
    prompts = [Prompt(prompt_id(m), m) for m in (with_system, (Message("user", "other"),))]
    (drop,) = labelled_drops(prompts, {asked_id((asked,)): "labels 1234"})
    assert (drop.level, drop.id, drop.reason) == ("prompts", prompts[0].prompt_id, "labelled")
    assert drop.detail == "labels 1234"
