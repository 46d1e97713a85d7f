import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from pipelines.errors import NotThere, StoreError
from pipelines.publishing.store import Store
from pipelines.publishing.versions import MANIFEST
from schemas.version import Step
from tests.pipelines.versions import make_content, make_manifest, publish, write

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def edit_manifest(folder: Path, **changes: object) -> None:
    manifest = orjson.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest | changes))


def test_an_empty_store_has_nothing_and_looking_creates_nothing(store):
    assert store.names() == []
    assert store.versions("x") == []
    assert store.latest("x") is None
    with pytest.raises(StoreError, match="no dataset has been published yet"):
        store.resolve("x")
    assert not store.root.exists()


def test_versions_are_numbered_and_follow_each_other(store):
    first, new = publish(store, "demo", make_content(2))
    second, _ = publish(store, "demo", make_content(3))
    other, _ = publish(store, "other", make_content(2))
    assert new
    assert (first.ref, second.ref, other.ref) == ("demo@v0001", "demo@v0002", "other@v0001")
    assert (first.manifest.run.parent, second.manifest.run.parent) == (None, 1)
    assert store.names() == ["demo", "other"]
    assert [version.number for version in store.versions("demo")] == [1, 2]
    assert second.manifest.run.published.endswith("+00:00")
    assert not list((store.root / "tmp").glob("*/version"))


def test_a_published_version_is_what_was_staged_and_verifies(store):
    version, _ = publish(store, "demo", make_content(4))
    assert store.verify(version) == []
    assert version.manifest.rows("pairs") == 4
    assert set(version.manifest.files) >= {"README.md", "recipe.toml"}
    assert version.folder == store.root / "datasets/demo/v0001"
    assert sum(len(version.files(table)) for table in ("pairs", "prompts", "drops")) == 3


def test_equal_content_publishes_nothing_new(store):
    first, _ = publish(store, "demo", make_content(4))
    again, new = publish(store, "demo", make_content(4))
    assert not new
    assert again == first
    assert [version.number for version in store.versions("demo")] == [1]


def test_going_back_to_earlier_content_is_a_new_version(store):
    for prompts in (2, 3, 2):
        _, new = publish(store, "demo", make_content(prompts))
        assert new
    assert len(store.versions("demo")) == 3


@pytest.mark.parametrize("ref", ["demo", "demo@latest", "demo@2", "demo@v0002", "demo@v2"])
def test_a_version_is_found_by_any_of_its_names(store, ref):
    for prompts in (2, 3):
        publish(store, "demo", make_content(prompts))
    assert store.resolve(ref).number == 2


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("dem", 'no such dataset "dem"; did you mean "demo"'),
        ("demo@3", 'no such version "3"; .*Valid: v0001'),
        ("demo@v", "Valid: v0001, latest"),
        ("demo@-1", "Valid: v0001"),
        ("demo@²", "Valid: v0001"),
        ("../demo", "no such dataset"),
    ],
)
def test_an_unknown_version_lists_those_there_are(store, ref, message):
    publish(store, "demo", make_content(2))
    with pytest.raises(StoreError, match=message):
        store.resolve(ref)


def test_a_folder_without_a_manifest_is_no_version_but_takes_its_number(store):
    publish(store, "demo", make_content(2))
    (store.root / "datasets/demo/v0002/pairs").mkdir(parents=True)
    (store.root / "datasets/half/v0001/pairs").mkdir(parents=True)
    (store.root / "datasets/demo/v00007").mkdir()
    assert store.names() == ["demo"]
    assert store.resolve("demo").number == 1
    version, _ = publish(store, "demo", make_content(3))
    assert (version.number, version.manifest.run.parent) == (3, 1)


@pytest.mark.parametrize("name", ["A", "a/b", "..", "", "a" * 65, "a\n", "-x"])
def test_a_name_that_is_no_safe_folder_is_refused(store, name):
    with pytest.raises(StoreError, match="is no name for a dataset"):
        store.versions(name)


def test_a_dataset_that_is_a_link_out_of_the_store_is_refused(store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (store.root / "datasets").mkdir(parents=True)
    (store.root / "datasets/demo").symlink_to(outside)
    with pytest.raises(StoreError, match="leads out of the store"):
        publish(store, "demo", make_content(2))
    with pytest.raises(StoreError, match="leads out of the store"):
        store.resolve("demo")
    publish(store, "other", make_content(2))
    assert store.names() == ["demo", "other"]
    assert list(outside.iterdir()) == []


def test_a_version_that_is_a_link_out_of_the_store_is_refused(store, tmp_path):
    version, _ = publish(store, "demo", make_content(2))
    version.folder.rename(tmp_path / "moved")
    version.folder.symlink_to(tmp_path / "moved")
    with pytest.raises(StoreError, match="leads out of the store"):
        store.resolve("demo")


def test_a_store_behind_a_link_is_an_ordinary_store(store, tmp_path):
    publish(store, "demo", make_content(2))
    (tmp_path / "link").symlink_to(store.root)
    linked = Store(tmp_path / "link")
    assert linked.verify(linked.resolve("demo")) == []


def test_a_manifest_of_a_newer_pairwright_is_refused_clearly(store):
    version, _ = publish(store, "demo", make_content(2))
    edit_manifest(version.folder, schema_version=2, files="another shape")
    with pytest.raises(StoreError, match="written by a newer pairwright"):
        store.resolve("demo")
    with pytest.raises(StoreError, match="written by a newer pairwright"):
        publish(store, "demo", make_content(3))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema_version": 1}', '"x"', '{"schema_version": null}']
)
def test_a_damaged_manifest_is_a_store_error(store, text):
    version, _ = publish(store, "demo", make_content(2))
    (version.folder / MANIFEST).write_text(text)
    with pytest.raises(StoreError, match=r"manifest\.json"):
        store.resolve("demo")


def test_unbalanced_counts_are_not_published(store):
    lost = Step(step="filters", level="pairs", in_=9, kept=2, dropped=6, reasons={"x": 6})
    with pytest.raises(StoreError, match="9 in, 2 kept, 6 dropped"):
        publish(store, "demo", make_content(2), lambda m: m.model_copy(update={"counts": (lost,)}))
    assert store.names() == []


def test_a_count_of_pairs_that_the_files_do_not_have_is_not_published(store):
    wrong = Step(step="filters", level="pairs", in_=3, kept=3, dropped=0)
    with pytest.raises(StoreError, match="3 pairs were kept, and 2 are written"):
        publish(store, "demo", make_content(2), lambda m: m.model_copy(update={"counts": (wrong,)}))


def test_a_digest_of_other_files_is_not_published(store):
    with pytest.raises(StoreError, match="content digest"):
        publish(
            store, "demo", make_content(2), lambda m: m.model_copy(update={"content_digest": "0"})
        )


def test_a_refused_build_is_kept_with_its_evidence_and_is_no_version(store):
    staging = store.staging()
    content = make_content(2)
    files = write(content, staging)
    manifest = make_manifest("demo", content, files, staging / "version")
    place = store.refuse("demo", staging / "version", manifest, ["2 pairs, and 10 are wanted"])
    assert place.parent == store.root / "refused/demo"
    assert (place / "reasons.txt").read_text() == "2 pairs, and 10 are wanted\n"
    assert (place / "pairs").is_dir()
    assert orjson.loads((place / MANIFEST).read_bytes())["name"] == "demo"
    assert store.names() == []


def test_the_newest_refused_build_can_be_read_by_its_name(store):
    with pytest.raises(NotThere, match='no gate has refused a build of "demo"'):
        store.resolve("demo@refused")
    for pairs in (2, 3):
        staging = store.staging()
        content = make_content(pairs)
        manifest = make_manifest("demo", content, write(content, staging), staging / "version")
        place = store.refuse("demo", staging / "version", manifest, ["too few"])
    found = store.resolve("demo@refused")
    assert (found.ref, found.folder, found.manifest.rows("pairs")) == ("demo@refused", place, 3)
    assert store.verify(found) == []
    with pytest.raises(NotThere, match="a gate refused it: demo@refused"):
        store.resolve("demo")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "its bytes have changed": lambda folder: flip(next(folder.glob("pairs/*"))),
    "README.md: has .* bytes, not": lambda folder: (folder / "README.md").write_text("x"),
    "recipe.toml: is missing": lambda folder: (folder / "recipe.toml").unlink(),
    "extra.txt: is not in the manifest": lambda folder: (folder / "extra.txt").write_text("x"),
    "is a link": lambda folder: (
        shutil.move(folder / "README.md", folder.parent / "README.md"),
        (folder / "README.md").symlink_to(folder.parent / "README.md"),
    ),
    "belongs to demo version 7": lambda folder: edit_manifest(folder, run={"version": 7}),
    "the content digest does not belong": lambda folder: edit_manifest(
        folder, recipe_fingerprint="other"
    ),
    "its columns are not those of the manifest": lambda folder: edit_manifest(
        folder, schema_hashes={}
    ),
}


@pytest.mark.parametrize(("message", "damage"), DAMAGE.items())
def test_verify_finds_what_has_changed(store, message, damage):
    version, _ = publish(store, "demo", make_content(3))
    damage(version.folder)
    faults = store.verify(store.resolve("demo"))
    assert faults
    assert all(fault.startswith("demo@v0001: ") for fault in faults)
    assert re.search(message, "\n".join(faults))


def test_verify_finds_a_wrong_row_count(store):
    version, _ = publish(store, "demo", make_content(3))
    manifest = orjson.loads((version.folder / MANIFEST).read_bytes())
    manifest["files"]["drops/part-00000-of-00001.parquet"]["rows"] = 99
    edit_manifest(version.folder, files=manifest["files"])
    assert store.verify(store.resolve("demo")) == [
        "demo@v0001: drops/part-00000-of-00001.parquet: has 3 rows, not 99"
    ]


@pytest.mark.parametrize("whole", [False, True])
def test_a_table_behind_a_link_is_not_read(store, tmp_path, whole):
    version, _ = publish(store, "demo", make_content(3))
    (file,) = version.files("drops")
    moved = file.parent if whole else file
    moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="a link leads out of the version"):
        version.files("drops")


def test_staging_folders_of_dead_processes_are_removed_and_no_others(store):
    own = store.staging()
    host, pid, _ = own.name.rsplit("-", 2)
    assert int(pid) == os.getpid()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = own.with_name(f"{host}-{ended.pid}-{'0' * 16}")
    elsewhere = own.with_name(f"otherhost-{ended.pid}-{'0' * 16}")
    foreign = own.with_name("notes")
    for folder in (dead, elsewhere, foreign):
        (folder / "inner").mkdir(parents=True)
    store.staging()
    assert not dead.exists()
    assert own.exists()
    assert elsewhere.exists()
    assert foreign.exists()


def test_a_full_disk_leaves_no_version(store, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    publish(store, "demo", make_content(2))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        publish(store, "demo", make_content(3))
    monkeypatch.undo()
    assert [store.verify(version) for version in store.versions("demo")] == [[]]


PUBLISHER = """
import sys
from pathlib import Path
from pipelines.publishing.store import Store
from tests.pipelines.versions import make_content, publish

store, first, count = Store(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, first + count):
    version, new = publish(store, "demo", make_content(2, text=f"text {number}"))
    print(version.number, flush=True)
"""


def publisher(store: Store, first: int, count: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(store.root), str(first), str(count)],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def test_processes_that_publish_at_once_get_a_version_each(store):
    processes = [publisher(store, 10 * number, 3) for number in range(3)]
    for process in processes:
        go(process)
    numbers = [int(line) for process in processes for line in process.communicate()[0].split()]
    assert [process.returncode for process in processes] == [0] * 3
    assert sorted(numbers) == list(range(1, 10))
    versions = store.versions("demo")
    assert [version.number for version in versions] == list(range(1, 10))
    assert [store.verify(version) for version in versions] == [[]] * 9
    assert len({version.manifest.content_digest for version in versions}) == 9
    assert [version.manifest.run.parent for version in versions] == [None, *range(1, 9)]


def test_sigkill_in_the_middle_leaves_whole_versions_only(store):
    publish(store, "demo", make_content(5))
    for attempt in range(4):
        process = publisher(store, 100 * attempt, 100)
        go(process)
        time.sleep(0.05 + 0.15 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        folders = sorted(path.name for path in (store.root / "datasets/demo").iterdir())
        versions = store.versions("demo")
        assert folders == [version.label for version in versions]
        assert [fault for version in versions for fault in store.verify(version)] == []
    version, _ = publish(store, "demo", make_content(6))
    assert store.verify(version) == []
    assert {path.name.split("-")[-2] for path in (store.root / "tmp").iterdir()} == {
        str(os.getpid())
    }


def test_looking_into_a_store_needs_no_heavy_import(store):
    publish(store, "demo", make_content(2))
    code = (
        "import sys; from pathlib import Path; from pipelines.publishing.store import Store;"
        "store = Store(Path(sys.argv[1]));"
        "assert store.versions(store.names()[0])[0].manifest.rows('pairs') == 2;"
        "assert not {'duckdb', 'polars', 'pyarrow', 'aiohttp'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(store.root)], cwd=ROOT, check=True)


def test_a_store_whose_path_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(StoreError, match="must be UTF-8"):
        Store(tmp_path / "\udcff")
