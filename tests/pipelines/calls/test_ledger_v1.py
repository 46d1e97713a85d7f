"""A ledger that an earlier pairwright wrote, by two writers, with a void, a broken and a torn line.

`ledger_v1/` is kept as it was written: what is in it must be found for as long as version 1 is read.
"""

import math
from pathlib import Path

from pipelines.backend import Completion, TokenLogprob
from pipelines.calls.failed import find_refusals
from pipelines.calls.ledger import Ledger, request_key
from schemas.rows import Message, ToolCall

FOLDER = Path(__file__).with_name("ledger_v1")
REFUSED = Completion(None, error="HTTP 400: too long", status=400)


def key_of(number: int) -> bytes:
    messages = (Message("user", f"question {number}"),)
    return request_key("https://api.example/v1", "m", messages, None, {"temperature": 0.5})


def samples(unit: str, number: int, *indices: int) -> list[Completion | None]:
    with Ledger(FOLDER) as ledger:
        return [ledger.get(unit, key_of(number), index) for index in indices]


def test_the_samples_of_one_reply_are_found_by_their_indices():
    texts = ("a", "two\nlines", "é \U0001f600", "")
    assert samples("first", 0, 0, 1, 2, 3, 4) == [
        *(Completion(text, finish_reason="stop") for text in texts),
        None,
    ]
    assert samples("first", 1, 4, 11, 12) == [
        Completion("four", finish_reason="content_filter", refusal="content_filter"),
        Completion("eleven"),
        None,
    ]


def test_all_that_a_completion_can_hold_is_found():
    (found,) = samples("first", 1, 0)
    assert found == Completion(
        None,
        reasoning="hm\n",
        tool_calls=(ToolCall("c1", "add", '{"a": 1}'),),
        finish_reason="tool_calls",
        logprobs=(
            TokenLogprob("é", -0.5, (("é", -0.5), ("\n", -math.inf))),
            TokenLogprob("", -math.inf),
        ),
        completion_tokens=7,
        prompt_tokens=9,
    )


def test_of_two_writers_the_first_by_name_counts_for_the_sample_that_both_bought():
    assert samples("first", 2, 0, 1) == [
        Completion("the first counts"),
        Completion("and this was bought once"),
    ]


def test_a_void_refusal_is_forgotten_and_another_one_kept():
    assert samples("second", 3, 0) == [None]
    assert samples("second", 4, 0) == [REFUSED]
    assert [refusal.place.key for refusal in find_refusals(FOLDER)] == [key_of(4)]


def test_a_broken_line_and_a_torn_one_cost_one_record_each():
    assert samples("second", 5, 0) == [None]
    assert samples("second", 6, 0) == [Completion("after the broken one, \ufffd")]
    assert samples("third", 7, 0) == [Completion("of a third unit")]
    with Ledger(FOLDER) as ledger:
        assert ledger.samples == 12
        assert [(damage.file.parent.name, damage.offset, damage.why) for damage in ledger.damaged] == [
            ("p16", 437, "the checksum differs"),
            ("p31", 243, "the last line has no end"),
        ]  # fmt: skip
