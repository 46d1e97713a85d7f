from pathlib import Path

import polars as pl

from pipelines.bias.judged import LATER, published
from pipelines.bias.report import report
from pipelines.publishing.store import Store
from tests.pipelines.bias.rows import compared, known
from tests.pipelines.versions import make_content, publish


def test_ids_become_places_in_their_order() -> None:
    answers = {id_: {"n_chars": 1} for id_ in ("q/b", "p/2", "q/a", "p/1")}
    found = known(answers, [compared("q/b", "q/a", "a"), {"response_id": "p/2", "score": 3}])
    assert found.responses["response_id"].to_list() == ["p/1", "p/2", "q/a", "q/b"]
    assert found.responses["prompt"].to_list() == [0, 0, 1, 1]
    rows = found.judgments.select("prompt", "response", "a", "b", "comparison").rows()
    assert sorted(rows, key=str) == [(0, 1, None, None, None), (1, None, 3, 2, 1)]


def test_a_dimension_is_a_judge_of_its_own_and_not_a_whole_one() -> None:
    said = [
        {"response_id": "p/1", "score": 3},
        {"response_id": "p/1", "score": 1, "judge": "judge.tone", "dimension": "tone"},
    ]
    found = known({"p/1": {"n_chars": 1}}, said)
    assert (found.judges(), found.whole()) == (["judge", "judge.tone"], ["judge"])
    assert found.of("judge.tone")["score"].to_list() == [1_000_000]


def test_judgments_of_an_older_version_have_no_dimension_and_no_place(tmp_path: Path) -> None:
    version, _ = publish(Store(tmp_path), "demo", make_content())
    [file] = version.files("judgments")
    older = pl.read_parquet(file).drop(LATER, strict=False)
    file.chmod(0o644)
    older.write_parquet(file)
    found = published(version)
    assert found.judgments["dimension"].null_count() == older.height == 18
    [profile] = report(found, found.whole(), {}).profiles
    assert profile.judge == "rater"
    assert profile.list_position is None
    assert profile.distribution is not None
    assert profile.distribution.levels == {1: 6, 2: 6, 3: 6}
