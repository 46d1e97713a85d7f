import json

import pytest

from pipelines.source import BadRow
from pipelines.sources.transcripts import read_transcript

ASKED = "\n\nHuman: Hi\n\nAssistant: Hello!\n\nHuman: And\nnow?\n\nAssistant:"
MESSAGES = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "And\nnow?"},
]


def read(source, root, *rows, **fields):
    (root / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(source("transcripts", path="a.jsonl", **fields).rows(root))


def test_a_row_is_a_prompt_and_two_answers(source, tmp_path):
    row = {"id": 1, "chosen": f"{ASKED} Tea.", "rejected": f"{ASKED} "}
    assert read(source, tmp_path, row) == [
        {"id": 1, "messages": MESSAGES, "chosen": "Tea.", "rejected": "", "n_turns": 4}
    ]


def test_speakers_and_columns_may_have_other_names(source, tmp_path):
    row = {"good": "\n\nYou: Hi\n\nBot: Yes", "bad": "\n\nYou: Hi\n\nBot: No"}
    names = {"chosen": "good", "rejected": "bad", "user": "You", "assistant": "Bot"}
    [found] = read(source, tmp_path, row, **names)
    assert (found["messages"], found["chosen"], found["rejected"]) == (MESSAGES[:1], "Yes", "No")


@pytest.mark.parametrize(
    ("chosen", "rejected", "why"),
    [
        (f"{ASKED} A", f"{ASKED} A\n\nAssistant: B", "rejected: turn 5 is the Assistant's again"),
        (f"{ASKED} A", "\n\nHuman: Hi\n\nAssistant: B", "the transcripts part in turn 2, before"),
        (f"{ASKED} A", "\n\nHuman: Ho\n\nAssistant: B", "the transcripts part in turn 1, before"),
        (ASKED.removesuffix("Assistant:"), ASKED, "chosen: the Assistant does not have the last"),
        ("\n\nAssistant: A", ASKED, "chosen: the Assistant begins"),
        ("Once\n\nHuman: Hi\n\nAssistant: A", ASKED, "chosen: text before the first turn"),
        ("\n\nHuman: \n\nAssistant: A", ASKED, "chosen: turn 1 is empty"),
        ("", ASKED, "chosen: no turn"),
        (None, ASKED, "chosen: no text"),
    ],
)
def test_what_is_no_pair_of_transcripts_says_why(source, tmp_path, chosen, rejected, why):
    good = {"chosen": f"{ASKED} A", "rejected": f"{ASKED} B"}
    bad, neighbour = read(source, tmp_path, {"chosen": chosen, "rejected": rejected}, good)
    assert isinstance(bad, BadRow)
    assert bad.position == "row 1"
    assert bad.why.startswith(why)
    assert not isinstance(neighbour, BadRow)


def test_a_name_inside_a_line_begins_no_turn():
    read_ = read_transcript('Human: Say "Assistant: no"\n\nAssistant: A\nHuman: not I')
    assert read_.answer == "A\nHuman: not I"
    assert read_.messages == [{"role": "user", "content": 'Say "Assistant: no"'}]


def test_of_several_files_a_bad_line_names_its_own_and_a_byte_order_mark_is_none(source, tmp_path):
    good = json.dumps({"chosen": f"{ASKED} A", "rejected": f"{ASKED} B"}).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + good + b"\n")
    (tmp_path / "b.jsonl").write_bytes(b"{\n")
    first, bad = source("transcripts", path="*.jsonl").rows(tmp_path)
    assert not isinstance(first, BadRow)
    assert bad.position == "b.jsonl line 1"
