"""The pairs of a version as numbers."""

from pathlib import Path

import polars as pl

from pipelines.publishing.numbered_pairs import numbered_pairs
from pipelines.publishing.store import Store
from tests.pipelines.versions import make_content, publish


def test_a_prompts_number_is_its_place_among_all_ids(tmp_path: Path) -> None:
    content = make_content(30)
    content.pairs = content.pairs[::3]  # most prompts have none, and keep their place
    version, _ = publish(Store(tmp_path), "few", content)
    pairs = numbered_pairs(version)
    assert pairs.prompts.to_list() == sorted(one.prompt_id for one in content.prompts)
    published = pl.read_parquet(version.files("pairs"))
    assert pairs.rows.height == len(content.pairs)
    assert pairs.prompts.gather(pairs.rows["prompt"]).to_list() == published["prompt_id"].to_list()
    assert pairs.rows["chosen_model"].to_list() == published["chosen_model"].to_list()
    assert pairs.rows["score_margin"].to_list() == published["score_margin"].to_list()


def test_the_first_prompts_are_those_that_have_such_a_pair(tmp_path: Path) -> None:
    version, _ = publish(Store(tmp_path), "all", make_content(6))
    pairs = numbered_pairs(version)
    ids = pairs.prompts.to_list()
    assert pairs.last_of_first(2, pl.lit(True)) == ids[1]
    assert pairs.last_of_first(99, pl.lit(True)) == ids[5]
    assert pairs.last_of_first(2, pl.col("prompt") >= 3) == ids[4]
    own = pairs.read(("prompt_id",), pl.col("prompt_id") <= ids[1])
    assert sorted(own["prompt_id"]) == ids[:2]
