import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.health.check import Check
from pipelines.health.ledger import check_ledger
from pipelines.health.versions import check_catalogue, check_left_over, check_versions
from pipelines.publishing.store import Store
from pipelines.querying.catalog import rebuild
from tests.pipelines.versions import make_content, publish


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """toy@v0001 and toy@v0002, with a catalogue."""
    store = Store(tmp_path / "store")
    for prompts in (2, 3):
        publish(store, "toy", make_content(prompts))
    rebuild(store)
    return store


def by_ref(store: Store, *, deep: bool = False) -> dict[str, Check]:
    return {check.subject: check for check in check_versions(store, deep=deep)}


def parquet(store: Store) -> Path:
    return next((store.root / "datasets" / "toy" / "v0001" / "drops").glob("*.parquet"))


def test_untouched_versions_are_ok_quickly_and_deeply(store: Store) -> None:
    for deep in (False, True):
        found = by_ref(store, deep=deep)
        assert set(found) == {"toy@v0001", "toy@v0002"}
        assert {check.status for check in found.values()} == {"ok"}


def test_a_changed_byte_is_found_only_deeply(store: Store) -> None:
    content = bytearray(parquet(store).read_bytes())
    content[50] ^= 1
    parquet(store).write_bytes(content)
    assert by_ref(store)["toy@v0001"].status == "ok"
    found = by_ref(store, deep=True)
    assert found["toy@v0001"].status == "fault"
    assert found["toy@v0001"].help == "pairwright verify toy@v0001"
    assert found["toy@v0002"].status == "ok"


def test_missing_cut_and_foreign_files_are_found_quickly(store: Store) -> None:
    file = parquet(store)
    name = f"drops/{file.name}"
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-1])
    assert by_ref(store)["toy@v0001"].finding == f"{name}: has {size - 1} bytes, not {size}"
    file.unlink()
    assert by_ref(store)["toy@v0001"].finding == f"{name}: is missing"
    (file.parent / "mine.parquet").touch()
    assert by_ref(store)["toy@v0001"].finding == (
        "drops/mine.parquet: is not in the manifest (and 1 more)"
    )


def test_versions_of_a_newer_pairwright_and_those_without_a_manifest_are_faults(
    store: Store,
) -> None:
    first, second = (
        (store.root / "datasets" / "toy" / f"v000{n}" / "manifest.json") for n in (1, 2)
    )
    manifest = json.loads(first.read_text())
    first.write_text(json.dumps(manifest | {"schema_version": 99}))
    second.unlink()
    found = by_ref(store)
    assert {check.status for check in found.values()} == {"fault"}
    assert "newer pairwright (schema version 99" in found["toy@v0001"].finding
    assert "has no manifest.json" in found["toy@v0002"].finding


def test_a_store_without_versions_is_ok(tmp_path: Path) -> None:
    (found,) = by_ref(Store(tmp_path)).values()
    assert (found.status, found.help) == ("ok", "pairwright build quickstart")
    assert check_catalogue(Store(tmp_path)).status == "ok"


def test_a_catalogue_that_is_missing_stale_damaged_or_moved_is_repaired(store: Store) -> None:
    path = store.root / "catalog.duckdb"

    def spoil_by_absence() -> None:
        path.unlink()

    def spoil_by_age() -> None:
        publish(store, "toy", make_content(4))

    def spoil_by_bytes() -> None:
        path.write_bytes(b"no database")

    assert check_catalogue(store).status == "ok"
    for spoil in (spoil_by_absence, spoil_by_age, spoil_by_bytes):
        spoil()
        found = check_catalogue(store)
        assert found.status == "warning", spoil
        assert found.repair is not None
        assert found.repair() == f"rebuilt {path}"
        assert check_catalogue(store).status == "ok"

    moved = store.root.rename(store.root.with_name("moved"))
    found = check_catalogue(Store(moved))
    assert found.finding == "does not list the versions that there are"


def test_only_the_staging_of_dead_processes_is_left_over(store: Store) -> None:
    alive = store.staging()
    code = (
        "import sys; from pathlib import Path; from pipelines.publishing.store import Store;"
        "folder = Store(Path(sys.argv[1])).staging(); (folder / 'rows').write_bytes(bytes(2**20));"
        "print(folder)"
    )
    dead = subprocess.run(
        [sys.executable, "-c", code, str(store.root)],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (found,) = check_left_over(store)
    assert (found.status, found.finding) == ("warning", "1 folder of dead builds, 1.0 MiB")
    assert found.repair is not None
    assert found.repair() == "removed 1 folder"
    assert alive.is_dir()
    assert not Path(dead).exists()
    assert [check.status for check in check_left_over(store)] == ["ok"]


def test_refused_builds_are_told_with_their_size(store: Store) -> None:
    evidence = store.root / "refused" / "toy" / "20260101T000000Z-abcdef01"
    evidence.mkdir(parents=True)
    (evidence / "pairs.parquet").write_bytes(bytes(3 * 2**20))
    *_, found = check_left_over(store)
    assert (found.status, found.finding) == ("ok", "1 build that a gate refused, 3.0 MiB")


# The ledger


def test_the_ledger_is_counted_and_its_damage_told_by_segment(tmp_path: Path) -> None:
    from pipelines.backend import Completion, Reply
    from pipelines.calls.ledger import Ledger, request_key

    def key(number: int) -> bytes:
        return request_key("i", "m", (), None, {"number": number})

    with Ledger(tmp_path) as ledger:
        for number in range(3):
            ledger.put("unit", key(number), [0, 1], Reply((Completion("a"),) * 2, None))
        refused = Completion(None, error="HTTP 400: no", status=400)
        ledger.put("unit", key(9), [0], Reply((refused,), None), "i#m")
    found = list(check_ledger(tmp_path))
    assert [check.finding for check in found] == [
        "7 samples kept, never to be paid again",
        "1 refused sample kept too",
    ]
    assert found[1].help == "pairwright retry"

    (segment,) = tmp_path.glob("p*/*.jsonl")
    content = bytearray(segment.read_bytes())
    content[30] ^= 1
    segment.write_bytes(content + b"\n0badc0de 00")
    samples, _, damage = check_ledger(tmp_path)
    assert samples.finding == "5 samples kept, never to be paid again"
    assert damage.status == "warning"
    assert damage.finding.startswith(f"{segment.parent.name}/{segment.name}: 2 broken records")
    assert "may be one that is being written now" in damage.finding
    assert damage.repair is None


def test_a_ledger_of_a_newer_pairwright_is_a_fault(tmp_path: Path) -> None:
    from pipelines.calls.segments import frame

    file = tmp_path / "p00" / "later.jsonl"
    file.parent.mkdir()
    file.write_bytes(b"\n%b\n" % frame(bytes(16), b'{"v":2}'))
    (found,) = check_ledger(tmp_path)
    assert found.status == "fault"
    assert "version 2" in found.finding
