import json
from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.exporting.begun import begun
from pipelines.exporting.chat import Unrenderable, read_chat
from pipelines.part import kinds
from pipelines.publishing.versions import Version
from tests.exports import TEMPLATE, exported, parquet_rows, tool_pairs, version_of, write_tokenizer
from tests.searched import searched
from tests.trees import ORACLE

OPENING = "<|im_start|>user\nQuestion 0?<|im_end|>\n<|im_start|>assistant\n"
"""The template strips what it is given."""


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "model")


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return searched(tmp_path_factory.mktemp("searched"), questions=1)


def texts(version: Version, tokenizer: Path, out: Path) -> list[tuple[str, str, str]]:
    exported(version, "steps", out, tokenizer=str(tokenizer), form="text")
    return sorted((row["prompt"], row["chosen"], row["rejected"]) for row in parquet_rows(out))


def test_the_prefix_stands_in_the_prompt_and_only_ended_answers_are_closed(
    version: Version, tokenizer: Path, tmp_path: Path
) -> None:
    assert texts(version, tokenizer, tmp_path / "out") == [
        (OPENING, "step a\n", "step b\n"),
        (f"{OPENING}step a\n", "step ab\n<|im_end|>\n", "step aa\n<|im_end|>\n"),
    ]


def test_the_tokens_are_those_of_the_texts(
    version: Version, tokenizer: Path, tmp_path: Path
) -> None:
    exported(version, "steps", tmp_path / "ids", tokenizer=str(tokenizer))
    rows = parquet_rows(tmp_path / "ids")
    chat = read_chat(tokenizer)
    decoded = sorted(
        tuple(
            chat.tokenizer.decode(row[f"{side}_ids"], skip_special_tokens=False)
            for side in ("prompt", "chosen", "rejected")
        )
        for row in rows
    )
    assert decoded == texts(version, tokenizer, tmp_path / "texts")


def test_the_record_says_which_tokenizer_it_was(
    version: Version, tokenizer: Path, tmp_path: Path
) -> None:
    exported(version, "steps", tmp_path / "out", tokenizer=str(tokenizer))
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert record["settings"]["tokenizer_sha256"] == read_chat(tokenizer).digest


def test_continuations_follow_the_prefix_that_both_share(tokenizer: Path, tmp_path: Path) -> None:
    pairing = "pairings.step_siblings.answer=continuation"
    version = searched(tmp_path / "searched", None, pairing, questions=1)
    assert texts(version, tokenizer, tmp_path / "out")[0] == (
        OPENING, "step a\nstep ab\n<|im_end|>\n", "step b\nstep ba\n<|im_end|>\n"
    )  # fmt: skip


def test_other_pairs_have_no_prefix(tokenizer: Path, tmp_path: Path) -> None:
    pairs = [{"prompt": "Question 0?", "chosen": " yes", "rejected": "no "}]
    assert texts(version_of(tmp_path, pairs), tokenizer, tmp_path / "out") == [
        (OPENING, " yes<|im_end|>\n", "no <|im_end|>\n")
    ]


def test_answers_that_call_tools_are_left_out(tokenizer: Path, tmp_path: Path) -> None:
    answered = [{"prompt": f"Q{number}", "chosen": "yes", "rejected": "no"} for number in range(4)]
    version = version_of(tmp_path, [*tool_pairs(3), *answered])
    made = exported(version, "steps", tmp_path / "out", tokenizer=str(tokenizer))
    assert sum(one.left_out.get("uses_tools", 0) for one in made.values()) == 3
    assert len(parquet_rows(tmp_path / "out")) == 4


def test_what_the_template_does_not_keep_is_counted(tmp_path: Path) -> None:
    folder = write_tokenizer(
        tmp_path / "model", TEMPLATE.replace("message.content | trim", "message.content | upper")
    )
    pairs = [
        {"prompt": "Q", "chosen": "yes", "rejected": "no"},
        {"prompt": "R", "chosen": "1", "rejected": "2"},
    ]
    made = exported(version_of(tmp_path, pairs), "steps", tmp_path / "out", tokenizer=str(folder))
    assert sum(one.written.notes.get("not_kept", 0) for one in made.values()) == 1
    assert len(parquet_rows(tmp_path / "out")) == 1


def test_a_template_that_renders_the_prompt_otherwise_is_refused(tmp_path: Path) -> None:
    opened = TEMPLATE.replace(
        "<|im_start|>assistant\n{% endif", "<|im_start|>assistant\n<think>{% endif"
    )
    chat = read_chat(write_tokenizer(tmp_path / "model", opened))
    with pytest.raises(Unrenderable, match="otherwise"):
        begun(chat, [{"role": "user", "content": "Q"}], "yes", 0, None, ends=True)


def test_a_folder_without_a_tokenizer_is_refused(version: Version, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no chat template"):
        exported(version, "steps", tmp_path / "out", tokenizer=str(tmp_path))


@pytest.mark.parametrize("kind", sorted({*kinds("exporters")} - {"steps", "prm"}))
def test_every_format_that_ends_answers_says_how_many_it_cuts_within(
    kind: str, version: Version, tmp_path: Path
) -> None:
    by_source = {"by": "source", "accuracies": {"questions": 0.5}}
    settings = by_source if kind == "stages" else {}
    [made] = exported(version, kind, tmp_path / "out", **settings).values()
    assert made.written.notes["unfinished"] == 1


@pytest.mark.parametrize("kind", ["steps", "prm"])
def test_a_format_of_steps_cuts_no_answer(
    kind: str, version: Version, tokenizer: Path, tmp_path: Path
) -> None:
    settings = {"tokenizer": str(tokenizer)} if kind == "steps" else {}
    [made] = exported(version, kind, tmp_path / "out", **settings).values()
    assert "unfinished" not in made.written.notes


def test_the_chat_form_has_steps_as_they_are(version: Version, tmp_path: Path) -> None:
    exported(version, "trl", tmp_path / "out")
    chosen = {row["chosen"][0]["content"] for row in parquet_rows(tmp_path / "out")}
    assert chosen == {"step a\n", "step a\nstep ab\n"}


def test_what_is_no_answer_and_was_written_to_its_end_is_closed(
    tokenizer: Path, tmp_path: Path
) -> None:
    """A rewritten instruction is partial, so that nobody judges it; but it does not go on."""
    whole = {path: {**ORACLE[path], "finish_reason": "stop"} for path in ("a", "b")}
    version = searched(tmp_path / "searched", {"*": {**ORACLE, **whole}}, questions=1)
    first = (OPENING, "step a\n<|im_end|>\n", "step b\n<|im_end|>\n")
    assert texts(version, tokenizer, tmp_path / "out")[0] == first
    [made] = exported(version, "trl", tmp_path / "trl").values()
    assert made.written.notes == {}
