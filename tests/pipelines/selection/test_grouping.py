from dataclasses import replace
from pathlib import Path

from pipelines.selection.frames import EVERY_COLUMN, PAIRS
from pipelines.selection.grouping import NAMES
from pipelines.selection.staged import read_frames
from pipelines.staging.evidence import prompts_frame
from tests.pipelines.versions import make_content, stage


def test_a_prompt_of_two_sources_has_both_as_its_source(tmp_path: Path) -> None:
    content = make_content(2)
    content.prompts[0] = replace(content.prompts[0], sources=("a", "b"))
    staged = read_frames(stage(content, tmp_path), EVERY_COLUMN).prompts
    assert dict(staged.select("prompt_id", "source").rows()) == {
        content.prompts[0].prompt_id: "a+b", content.prompts[1].prompt_id: "s",
    }  # fmt: skip
    early = prompts_frame(content.prompts, {"source"})
    assert early["source"].to_list() == ["a+b", "s"]


def test_pairs_are_grouped_by_texts_and_by_no_number() -> None:
    assert {"source", "task", "lang", "chosen_model"} <= set(NAMES) <= set(PAIRS)
    assert not {"score_margin", "chosen_n_chars", "chosen_refused"} & set(NAMES)
