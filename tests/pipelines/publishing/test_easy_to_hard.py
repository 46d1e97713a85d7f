"""The pairs of known difficulty once more, from the easiest to the hardest."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import RecipeError
from pipelines.exporting.export import export
from pipelines.publishing.layout import Publish
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from tests.exports import add_measure, parquet_rows, part, tool_pairs, version_of
from tests.pipelines.versions import Content, make_content, make_manifest, publish, write

ONE_SPLIT = {"train": Decimal(1)}


def measured(prompts: int, unknown: int = 0) -> Content:
    """Pairs whose difficulties are 0, 7, 14... modulo 11; the last ones have none."""
    content = make_content(prompts)
    for number, row in enumerate(content.pairs[: prompts - unknown]):
        add_measure(content, row, number * 7 % 11)
    return content


def difficulties(rows: list[dict[str, Any]]) -> list[tuple[float, str]]:
    return [(row["difficulty"], row["pair_id"]) for row in rows]


def test_rows_are_the_same_in_another_order_over_all_files(tmp_path: Path) -> None:
    content = measured(40, unknown=3)
    write(content, tmp_path, publish=Publish(splits=ONE_SPLIT, shards=4))
    folder = tmp_path / "version"
    assert len(list((folder / "easy_to_hard").iterdir())) == 4
    easy, pairs = (parquet_rows(folder / name) for name in ("easy_to_hard", "pairs"))
    known = [row for row in pairs if row["difficulty"] is not None]
    assert len(known) == 37
    assert difficulties(easy) == sorted(difficulties(known))
    assert [row["order_key"] for row in easy] == list(range(37))
    by_id = {row["pair_id"]: row | {"order_key": None} for row in known}
    assert all(row | {"order_key": None} == by_id[row["pair_id"]] for row in easy)


def test_a_set_without_difficulties_has_no_such_folder(tmp_path: Path) -> None:
    version, _ = publish(Store(tmp_path / "store"), "toy", make_content())
    assert not (version.folder / "easy_to_hard").exists()
    assert "easy_to_hard" not in (version.folder / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return publish(Store(tmp_path / "store"), "toy", measured(120, unknown=20))[0]


def test_datasets_loads_it_in_order_by_the_card(version: Version, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")
    cache = str(tmp_path / "cache")
    rows = datasets.load_dataset(
        str(version.folder), "easy_to_hard", split="train", cache_dir=cache
    ).to_list()
    assert len(rows) > 90
    assert difficulties(rows) == sorted(difficulties(rows))
    streamed = datasets.load_dataset(
        str(version.folder), "easy_to_hard", split="train", streaming=True
    )
    assert list(streamed) == rows
    default = datasets.load_dataset(str(version.folder), split="train", cache_dir=cache)
    assert len(default) > len(rows)
    assert Store(version.folder.parents[2]).verify(version) == []


def exported(version: Version, out: Path, kind: str = "trl") -> dict[str, Any]:
    store = Store(version.folder.parents[2])
    return export(store, version, part(kind), out, order="easy_to_hard")


@pytest.mark.parametrize("kind", ["trl", "soft"])
def test_an_export_keeps_the_order_and_counts_what_is_not_measured(
    version: Version, tmp_path: Path, kind: str
) -> None:
    made = exported(version, tmp_path / "out", kind)
    for split, published in version.manifest.splits().items():
        one = made[split]
        assert one.pairs + sum(one.left_out.values()) == published
        wanted = parquet_rows(version.folder / "easy_to_hard", split)
        shown = parquet_rows(tmp_path / "out", split)
        assert [row["chosen"] for row in shown] == [row["chosen"] for row in wanted]
    assert sum(one.left_out["difficulty_unknown"] for one in made.values()) == 20


def test_a_version_without_difficulties_has_no_such_export(tmp_path: Path) -> None:
    version, _ = publish(Store(tmp_path / "store"), "toy", make_content())
    with pytest.raises(RecipeError, match="has no order easy_to_hard"):
        exported(version, tmp_path / "out")


def test_a_set_with_tools_has_them_in_this_order_too(tmp_path: Path) -> None:
    version = version_of(tmp_path, tool_pairs())
    easy, pairs = (parquet_rows(version.folder / name) for name in ("easy_to_hard", "pairs"))
    assert easy
    assert all("tools" in row for row in easy)
    assert {row["tools"] for row in easy} == {row["tools"] for row in pairs}


def test_equal_content_has_equal_files(tmp_path: Path) -> None:
    hashes = []
    for number, at_once in enumerate((1 << 20, 2_000)):
        folder = tmp_path / str(number)
        content = measured(30)
        files = write(content, folder, at_once=at_once)
        make_manifest("toy", content, files, folder / "version")
        hashes.append({path: info.sha256 for path, info in files.items()})
    assert hashes[0] == hashes[1]
    assert any(path.startswith("easy_to_hard/") for path in hashes[0])
