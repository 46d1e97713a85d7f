"""What holds for every exporter on the shelf."""

import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.errors import RecipeError, StoreError
from pipelines.exporting.export import export
from pipelines.part import kinds
from pipelines.publishing.folders import inspect_file, listed
from pipelines.publishing.layout import Publish
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from tests.exports import (
    exported,
    part,
    plain_version,
    tool_pairs,
    version_of,
    write_tokenizer,
)
from tests.pipelines.versions import make_content, make_manifest, write

KINDS = kinds("exporters")

Needed = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> Needed:
    """Kind -> what it cannot do without."""
    folder = tmp_path_factory.mktemp("needed")
    return {"steps": {"tokenizer": str(write_tokenizer(folder / "tokenizer"))}}


def contents(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in listed(folder)}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return plain_version(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Version:
    answered = [{"prompt": f"Q{n}", "chosen": "yes", "rejected": "no"} for n in range(4)]
    return version_of(tmp_path_factory.mktemp("tools"), [*tool_pairs(), *answered], "tools")


@pytest.mark.parametrize("kind", KINDS)
def test_two_exports_have_the_same_bytes(
    plain: Version, tools: Version, kind: str, needed: Needed, tmp_path: Path
) -> None:
    for version in (plain, tools):
        exported(version, kind, tmp_path / version.name / "one", **needed.get(kind, {}))
        exported(version, kind, tmp_path / version.name / "two", **needed.get(kind, {}))
        one, two = (contents(tmp_path / version.name / out) for out in ("one", "two"))
        assert one == two


@pytest.mark.parametrize("kind", KINDS)
def test_the_record_names_the_version_and_hashes_every_file(
    plain: Version, kind: str, needed: Needed, tmp_path: Path
) -> None:
    made = exported(plain, kind, tmp_path / "out", **needed.get(kind, {}))
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert record["dataset"] == "toy@v0001"
    assert record["content_digest"] == plain.manifest.content_digest
    assert record["format"] == kind
    assert {*record["files"], "export.json"} == {*contents(tmp_path / "out")}
    for path, info in record["files"].items():
        there = inspect_file(tmp_path / "out" / path)
        assert (info["sha256"], info["bytes"]) == (there.sha256, there.bytes)
    rows = {split: one.written.rows for split, one in made.items()}
    assert {split: one["rows"] for split, one in record["splits"].items()} == rows


@pytest.mark.parametrize("kind", KINDS)
def test_every_published_pair_is_held_or_counted_with_a_reason(
    plain: Version, tools: Version, kind: str, needed: Needed, tmp_path: Path
) -> None:
    for version in (plain, tools):
        made = exported(version, kind, tmp_path / version.name, **needed.get(kind, {}))
        for split, published in version.manifest.splits().items():
            assert made[split].pairs + sum(made[split].left_out.values()) == published


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_the_folder_is_left_and_the_store_is_untouched(
    plain: Version, kind: str, needed: Needed, tmp_path: Path
) -> None:
    exported(plain, kind, tmp_path / "deep" / "out", **needed.get(kind, {}))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert Store(plain.folder.parents[2]).verify(plain) == []


@pytest.mark.parametrize("kind", ["trl", "kto", "reward"])
def test_shards_have_one_schema_and_as_many_files_as_the_split(kind: str, tmp_path: Path) -> None:
    content = make_content(40)
    store = Store(tmp_path / "store")
    staging = store.staging()
    layout = Publish(splits={"train": Decimal(1)}, shards=4)
    files = write(content, staging, publish=layout)
    manifest = make_manifest("toy", content, files, staging / "version")
    version, _ = store.publish("toy", staging / "version", manifest)
    made = exported(version, kind, tmp_path / "out")
    shards = sorted((tmp_path / "out").glob("*.parquet"))
    assert [shard.name for shard in shards] == [f"train-0000{n}-of-00004.parquet" for n in range(4)]
    assert len({str(pq.read_schema(shard)) for shard in shards}) == 1
    sizes = [pq.read_metadata(shard).num_rows for shard in shards]
    assert max(sizes) - min(sizes) <= 1
    assert sum(sizes) == made["train"].written.rows


def test_a_folder_with_files_is_not_overwritten(plain: Version, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    with pytest.raises(StoreError, match="is there already"):
        exported(plain, "trl", tmp_path / "out")
    assert contents(tmp_path / "out") == {"mine": b"keep"}


def test_an_empty_folder_may_be_there_already(plain: Version, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    exported(plain, "trl", tmp_path / "out")
    assert (tmp_path / "out" / "export.json").is_file()


def test_an_export_into_the_store_is_refused_even_through_a_link(
    plain: Version, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(plain.folder)
    for out in (plain.folder / "more", tmp_path / "link" / "more"):
        with pytest.raises(StoreError, match="lies in the store"):
            exported(plain, "trl", out)
    assert Store(plain.folder.parents[2]).verify(plain) == []


def test_an_export_that_fails_leaves_nothing(plain: Version, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from pipelines.exporter import Exporter\n\n\n"
        "class Broken(Exporter):\n"
        "    def write(self, pairs, folder):\n"
        "        (folder / 'half').write_text('half')\n"
        "        raise OSError(28, 'no space left')\n"
    )
    with pytest.raises(StoreError, match="no space left"):
        exported(plain, str(broken), tmp_path / "place" / "out")
    assert list((tmp_path / "place").iterdir()) == []


def test_an_unknown_split_names_those_there_are(plain: Version, tmp_path: Path) -> None:
    store = Store(plain.folder.parents[2])
    with pytest.raises(RecipeError, match='no split "tran"; did you mean "train"'):
        export(store, plain, part("trl"), tmp_path / "out", ["tran"])


def test_one_split_can_be_exported_alone(plain: Version, tmp_path: Path) -> None:
    store = Store(plain.folder.parents[2])
    made = export(store, plain, part("trl"), tmp_path / "out", ["train"])
    assert list(made) == ["train"]
    assert {name.partition("-")[0] for name in contents(tmp_path / "out")} == {
        "train",
        "export.json",
    }
