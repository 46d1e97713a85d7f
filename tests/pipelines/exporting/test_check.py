import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import RecipeError
from pipelines.exporting.chat import Unrenderable, read_chat
from pipelines.exporting.check import Check, Checker
from schemas.rows import Message
from tests.exports import TEMPLATE, exported, tool_pairs, version_of, write_tokenizer

SPECIALS = "<|im_start|>", "<|im_end|>"


def tokens(text: str) -> int:
    """Tokens of a text for the test's tokenizer: its bytes, each special token being one."""
    for special in SPECIALS:
        text = text.replace(special, "\0")
    return len(text.encode())


def check(
    tmp_path: Path,
    pairs: list[dict[str, Any]],
    max_length: int | None = None,
    template: str = TEMPLATE,
) -> Check:
    """What is found in all splits together."""
    chat = read_chat(write_tokenizer(tmp_path / "tokenizer", template))
    version = version_of(tmp_path, pairs)
    made = exported(version, "trl", tmp_path / "out", checker=Checker(chat, max_length))
    checks = [one.check for one in made.values() if one.check]
    assert len(checks) == len(version.manifest.splits()) == 1, "the test wants one split"
    return checks[0]


def test_tokens_are_those_of_the_rendered_prompt_and_of_what_follows(tmp_path: Path) -> None:
    found = check(tmp_path, [{"prompt": "How?", "chosen": "So.", "rejected": "Not at all."}])
    prompt = "<|im_start|>user\nHow?<|im_end|>\n<|im_start|>assistant\n"
    assert list(found.tokens["prompt"]) == [tokens(prompt)] == [23]
    assert list(found.tokens["chosen"]) == [tokens("So.<|im_end|>\n")] == [5]
    assert list(found.tokens["rejected"]) == [tokens("Not at all.<|im_end|>\n")] == [13]
    assert (found.faults, found.warnings) == ({}, {})


def test_the_written_check_has_percentiles_and_what_it_was_made_with(tmp_path: Path) -> None:
    check(tmp_path, [{"prompt": "How?", "chosen": "So.", "rejected": "No."}], max_length=100)
    written = json.loads((tmp_path / "out" / "check.json").read_text())
    assert written["max_length"] == 100
    assert len(written["tokenizer_sha256"]) == 64
    (split,) = written["splits"].values()
    assert split["tokens"]["prompt"] == {"p50": 23, "p95": 23, "max": 23}
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert "check.json" in record["files"]


def test_pairs_that_differ_beyond_the_cut_only_are_identical(tmp_path: Path) -> None:
    """The prompt has 23 tokens, and the answers differ in their 6th: the 29th of all."""
    pair = {"prompt": "How?", "chosen": "abcdeX", "rejected": "abcdeY"}
    found = check(tmp_path / "28", [pair], max_length=28)
    assert found.faults["identical"].pairs == 1
    assert "identical" not in check(tmp_path / "29", [pair], max_length=29).faults


def test_answers_that_the_template_makes_equal_are_identical_without_any_cut(
    tmp_path: Path,
) -> None:
    found = check(tmp_path, [{"prompt": "How?", "chosen": "So.", "rejected": "So. "}])
    assert found.faults["identical"].pairs == 1


def test_a_prompt_that_fills_the_length_is_too_long_and_not_identical_as_well(
    tmp_path: Path,
) -> None:
    pair = {"prompt": "How?", "chosen": "So.", "rejected": "No."}
    found = check(tmp_path / "23", [pair], max_length=23)
    assert {kind: one.pairs for kind, one in found.faults.items()} == {"prompt_too_long": 1}
    found = check(tmp_path / "24", [pair], max_length=24)
    assert found.faults == {}
    assert found.warnings["answer_cut"].pairs == 1


def test_an_order_of_roles_that_no_chat_has_is_a_fault(tmp_path: Path) -> None:
    prompt = (Message("user", "a"), Message("assistant", "b"))
    found = check(tmp_path, [{"prompt": prompt, "chosen": "c", "rejected": "d"}])
    fault = found.faults["role_order"]
    assert fault.pairs == 1
    assert fault.examples[0].endswith(": ends with assistant")


def test_what_the_template_refuses_is_a_fault_with_its_words(tmp_path: Path) -> None:
    prompt = (Message("user", "a"), Message("user", "b"))
    found = check(tmp_path, [{"prompt": prompt, "chosen": "c", "rejected": "d"}])
    assert found.faults["not_renderable"].examples[0].endswith("roles must alternate")
    assert found.pairs == 1
    assert list(found.tokens["prompt"]) == []


def test_a_template_that_renders_the_prompt_otherwise_under_an_answer_is_a_warning(
    tmp_path: Path,
) -> None:
    template = TEMPLATE.replace("assistant\n{% endif %}", "assistant\n<think>{% endif %}")
    found = check(
        tmp_path, [{"prompt": "How?", "chosen": "So.", "rejected": "No."}], template=template
    )
    assert found.warnings["prompt_not_kept"].examples[0].endswith(": 23 of 30 tokens")
    assert found.faults == {}


def test_tools_and_arguments_reach_the_template_as_json(tmp_path: Path) -> None:
    found = check(tmp_path, tool_pairs(1))
    answer = '<call>weather {"city": "Rome"}</call><|im_end|>\n'
    assert list(found.tokens["chosen"]) == [tokens(answer)]


def test_a_finding_counts_all_pairs_and_names_the_first_five(tmp_path: Path) -> None:
    asked = (Message("user", "a"), Message("assistant", "b"))
    pairs = [{"prompt": asked, "chosen": f"c{n}", "rejected": f"d{n}"} for n in range(7)]
    fault = check(tmp_path, pairs).faults["role_order"]
    assert (fault.pairs, len(fault.examples)) == (7, 5)


def test_a_template_for_tools_is_used_for_tools_alone(tmp_path: Path) -> None:
    folder = write_tokenizer(tmp_path / "tokenizer")
    (folder / "chat_template.jinja").unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = [
        {"name": "default", "template": "plain{{ bos_token is defined }}"},
        {"name": "tool_use", "template": "tools {{ eos_token }}"},
    ]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    chat = read_chat(folder)
    asked = [{"role": "user", "content": "Hi"}]
    assert chat.render(asked) == "plainFalse"
    assert chat.render(asked, '[{"type":"function"}]') == "tools <|im_end|>"


def test_a_template_cannot_reach_out_of_its_sandbox(tmp_path: Path) -> None:
    folder = write_tokenizer(tmp_path / "tokenizer", "{{ ''.__class__.__mro__ }}")
    with pytest.raises(Unrenderable):
        read_chat(folder).render([{"role": "user", "content": "Hi"}])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tokenizer.json", None, "tokenizer.json: No such file"),
        ("tokenizer.json", "{}", "tokenizer.json cannot be read"),
        ("chat_template.jinja", None, "no chat template"),
        ("chat_template.jinja", "{% if %}", "chat template default, line 1"),
        ("tokenizer_config.json", "{", "tokenizer_config.json is no JSON"),
    ],
)
def test_a_folder_that_is_no_tokenizer_is_refused_with_what_is_missing(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    folder = write_tokenizer(tmp_path / "tokenizer")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(RecipeError, match=said):
        read_chat(folder)


def test_a_tokenizer_may_be_named_by_its_file(tmp_path: Path) -> None:
    folder = write_tokenizer(tmp_path / "tokenizer")
    assert read_chat(folder / "tokenizer.json").digest == read_chat(folder).digest
