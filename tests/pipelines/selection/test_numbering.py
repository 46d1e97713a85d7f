from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.selection.frames import EVERY_COLUMN
from pipelines.selection.numbering import (
    number_judgments,
    number_nodes,
    number_prompts,
    number_responses,
)
from pipelines.selection.staged import read_staged
from schemas.rows import root_id
from tests.pipelines.versions import make_content, stage
from tests.trees import asked, frames_of, node_rows

RESPONSES = {"prompt_id": ["q", "p", "p", "gone"], "response_id": ["d", "c", "b", "a"]}


def numbered() -> tuple[pl.DataFrame, pl.DataFrame]:
    prompts = number_prompts(pl.DataFrame({"prompt_id": ["q", "p"]}))
    return prompts, number_responses(pl.DataFrame(RESPONSES), prompts, first=7)


def test_responses_are_numbered_by_prompt_and_id_from_the_first_number_on() -> None:
    """A response of no prompt comes first: null is the smallest number."""
    _, responses = numbered()
    assert responses.select("response", "prompt", "response_id").rows() == [
        (7, None, "a"), (8, 0, "b"), (9, 0, "c"), (10, 1, "d"),
    ]  # fmt: skip


@pytest.mark.parametrize("equal", [False, True])
def test_judgments_find_their_responses_even_where_hashes_are_equal(
    monkeypatch: pytest.MonkeyPatch, equal: bool
) -> None:
    if equal:
        monkeypatch.setattr(pl.Expr, "hash", lambda expression: expression.str.len_bytes())
    said = pl.DataFrame({"response_id": ["d", None, "b", "x"], "score": [1, 2, 3, 4]})
    prompts, responses = numbered()
    found = number_judgments(said, prompts, responses).sort("score")
    assert found.select("response", "prompt").rows() == [(10, 1), (None,) * 2, (8, 0), (None,) * 2]


def test_rewrites_which_do_not_go_on_from_each_other_have_no_prefix() -> None:
    steps = {"a": {"n": 1, "text": "Add."}, "ab": {"n": 1, "text": "Subtract."}}
    prompt = asked()
    frames = frames_of({"steps": steps, "rewrites": steps}, prompt)
    assert frames.nodes.filter(depth=2)["n_chars_prefix"].to_list() == [4, 4]
    raw = pl.DataFrame(
        {"response": 9, "response_id": root_id(prompt.prompt_id, "rewrites"), "n_chars": 7}
    )
    responses = pl.concat([frames.responses.select(raw.columns), raw], how="vertical_relaxed")
    nodes = number_nodes(
        node_rows({"steps": steps, "rewrites": steps}, prompt), frames.prompts, responses
    )
    prefixes = nodes.select("sampler", "depth", "n_chars_prefix").sort("sampler", "depth").rows()
    assert prefixes == [("rewrites", 0, 0), ("rewrites", 1, 0), ("rewrites", 2, 0),
                        ("steps", 0, 0), ("steps", 1, 0), ("steps", 2, 4)]  # fmt: skip


def test_blocks_lie_in_the_order_of_numbers_and_none_is_left_out(tmp_path: Path) -> None:
    content = make_content(5)
    lost = replace(content.responses[0], response_id="lost", prompt_id="0" * 32)
    content.responses.append(lost)
    staged = read_staged(stage(content, tmp_path, files=2), EVERY_COLUMN)
    for size in (1, 2, 3, 9):
        numbers = pl.concat(frames.responses["response"] for frames in staged.blocks(size))
        assert numbers.to_list() == list(range(16))
        prompts = [frames.prompts["prompt"] for frames in staged.blocks(size)]
        assert pl.concat(prompts).to_list() == list(range(5))
        assert max(map(len, prompts)) <= size


@given(st.lists(st.sampled_from(["p", "q", "gone"]), max_size=9), st.booleans())
def test_responses_get_the_numbers_of_their_prompts_however_they_lie(
    prompt_ids: list[str], equal: bool
) -> None:
    prompts = number_prompts(pl.DataFrame({"prompt_id": ["q", "p"]}))
    ids = [f"{number:032x}" for number in range(len(prompt_ids))]
    schema = {"prompt_id": pl.String, "response_id": pl.String}
    rows = pl.DataFrame({"prompt_id": prompt_ids, "response_id": ids}, schema)
    with pytest.MonkeyPatch.context() as patch:
        if equal:
            patch.setattr(pl.Expr, "hash", lambda expression: expression.str.len_bytes())
        found = dict(number_responses(rows, prompts).select("response_id", "prompt").rows())
    places = {"p": 0, "q": 1, "gone": None}
    assert found == dict(zip(ids, map(places.get, prompt_ids), strict=True))
