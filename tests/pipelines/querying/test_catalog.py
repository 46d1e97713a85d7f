import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipelines.publishing.store import Store
from pipelines.querying.catalog import RESERVED, all_versions, rebuild, versions_table
from schemas.tables import PUBLISHED
from tests.pipelines.versions import Content, make_content, publish


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "it's a store")
    for prompts in (2, 5):
        publish(store, "zero-eval", make_content(prompts))
    publish(store, "other", make_content(3))
    return store


def rows(store, sql):
    with duckdb.connect(rebuild(store).path, read_only=True) as con:
        return con.sql(sql).fetchall()


def test_each_dataset_is_a_schema_and_each_version_too(store):
    count = 'SELECT count(*) FROM "{}".{}'
    assert rows(store, count.format("zero-eval", "pairs")) == [(5,)]
    assert rows(store, count.format("zero-eval@v0001", "pairs")) == [(2,)]
    assert rows(store, count.format("zero-eval@v0002", "responses")) == [(15,)]
    assert rows(store, "SELECT count(*) FROM other.judgments") == [(9,)]


def test_every_published_table_is_there(store):
    found = rows(
        store, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'other'"
    )
    assert {name for (name,) in found} >= {*PUBLISHED, "funnel", "model_scores", "comparisons"}


def test_versions_lists_them_all(store):
    sql = "SELECT name, version, latest, parent, pairs, responses, calls FROM versions ORDER BY ALL"
    assert rows(store, sql) == [
        ("other", "v0001", True, None, 3, 9, 3),
        ("zero-eval", "v0001", False, None, 2, 6, 3),
        ("zero-eval", "v0002", True, "v0001", 5, 15, 3),
    ]
    digests = rows(store, "SELECT content_digest FROM versions ORDER BY name, version")
    assert [digest for (digest,) in digests] == [
        version.manifest.content_digest for version in all_versions(store)
    ]


def test_the_funnel_counts_rows_by_reason(store):
    assert rows(store, "FROM other.funnel") == [("pairs", "filters.margin", "below_min", 3)]


def test_model_scores_are_those_of_the_responses(store):
    sql = "SELECT model, n_responses, score_mean FROM other.model_scores ORDER BY model"
    assert rows(store, sql) == [("model0", 3, 3.0), ("model1", 3, 2.0), ("model2", 3, 1.0)]


def test_the_catalogue_is_derived_and_follows_the_store(store):
    rebuild(store).path.unlink()
    assert rows(store, "SELECT count(*) FROM versions") == [(3,)]
    publish(store, "other", make_content(4))
    assert rows(store, "SELECT count(*) FROM other.pairs") == [(4,)]
    assert list((store.root / "tmp").glob("*/catalog*")) == []


SHELL = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as con:
    con.execute("CREATE TABLE notes AS SELECT 1 AS a")
    print("open", flush=True)
    sys.stdin.readline()
    print(con.sql('SELECT count(*) FROM "other@v0001".pairs').fetchall(), flush=True)
"""


def test_a_shell_that_has_the_old_one_open_is_not_disturbed(store):
    command = [sys.executable, "-c", SHELL, str(rebuild(store).path)]
    with subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as shell:
        assert shell.stdout
        assert shell.stdout.readline() == "open\n"
        publish(store, "other", make_content(4))
        assert rows(store, "SELECT count(*) FROM other.pairs") == [(4,)]
        assert shell.communicate("go on\n")[0] == "[(3,)]\n"
    assert rows(store, "SELECT count(*) FROM other.pairs") == [(4,)]


def test_a_version_without_pairs_has_the_empty_table(store):
    publish(store, "empty", Content())
    assert rows(store, "SELECT * FROM empty.pairs") == []
    assert rows(store, "SELECT chosen[1].content FROM empty.pairs") == []


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_that_duckdb_has_taken_does_no_harm(store, name):
    publish(store, name, make_content(1))
    assert rows(store, f'SELECT count(*) FROM "{name}@latest".pairs') == [(1,)]
    assert rows(store, "SELECT count(*) FROM versions") == [(4,)]


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def extend(file):
    file.write_bytes(file.read_bytes() + b"x")


def empty(file):
    file.write_bytes(b"")


@pytest.mark.parametrize(
    ("table", "damage"),
    [("pairs", Path.unlink), ("drops", cut), ("pairs", extend), ("responses", empty)],
)
def test_a_version_with_a_damaged_file_is_left_out_and_hides_no_other(store, table, damage):
    assert rebuild(store).left_out == ()
    damage(store.resolve("other").files(table)[0])
    path, left_out = rebuild(store)
    assert left_out == ("other@v0001",)
    with duckdb.connect(path, read_only=True) as con:
        assert con.sql('SELECT count(*) FROM "zero-eval".pairs').fetchall() == [(5,)]
        assert con.sql("SELECT count(*) FROM versions").fetchall() == [(3,)]
        schemas = con.sql("SELECT DISTINCT table_schema FROM information_schema.tables").fetchall()
    assert {name for (name,) in schemas} == {
        "main", "zero-eval", "zero-eval@v0001", "zero-eval@v0002"
    }  # fmt: skip


def test_versions_of_an_empty_store_are_none(tmp_path):
    assert versions_table(all_versions(Store(tmp_path))).num_rows == 0
    assert rows(Store(tmp_path), "FROM versions") == []


def test_a_version_that_cannot_be_read_does_not_hide_the_others(store):
    damaged = store.resolve("other")
    (damaged.folder / "manifest.json").write_text("{")
    assert rows(store, "SELECT DISTINCT name FROM versions") == [("zero-eval",)]


def mark(store, schema):
    """Leaves something in a schema by which it is known again."""
    with duckdb.connect(rebuild(store).path) as con:
        con.execute(f'CREATE VIEW "{schema}".mine AS SELECT 1')


def marked(store, **how):
    with duckdb.connect(rebuild(store, **how).path, read_only=True) as con:
        found = con.sql(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = 'mine'"
        )
        return {schema for (schema,) in found.fetchall()}


def test_the_schemas_of_versions_that_stay_are_taken_over(store):
    mark(store, "other@v0001")
    mark(store, "zero-eval")
    assert marked(store) == {"other@v0001", "zero-eval"}
    publish(store, "other", make_content(4))
    assert marked(store) == {"other@v0001", "zero-eval"}
    assert rows(store, "SELECT count(*) FROM other.pairs") == [(4,)]
    publish(store, "zero-eval", make_content(6))
    assert marked(store) == {"other@v0001"}  # the bare name means another version now
    assert rows(store, 'SELECT count(*) FROM "zero-eval".pairs') == [(6,)]
    assert marked(store, anew=True) == set()
    assert rows(store, "SELECT count(*) FROM versions") == [(5,)]


def test_a_version_that_is_gone_or_another_under_its_number_is_not_taken_over(store):
    mark(store, "zero-eval@v0002")
    mark(store, "other@v0001")
    shutil.rmtree(store.resolve("zero-eval@v0002").folder)
    shutil.rmtree(store.resolve("other@v0001").folder)
    publish(store, "other", make_content(1))
    assert marked(store) == set()
    assert rows(store, 'SELECT count(*) FROM "zero-eval".pairs') == [(2,)]
    assert rows(store, 'SELECT count(*) FROM "other@v0001".pairs') == [(1,)]
    schemas = rows(store, "SELECT DISTINCT table_schema FROM information_schema.tables")
    assert ("zero-eval@v0002",) not in schemas


def test_a_version_that_is_repaired_comes_back(store):
    file = store.resolve("other").files("pairs")[0]
    whole = file.read_bytes()
    cut(file)
    assert rebuild(store).left_out == rebuild(store).left_out == ("other@v0001",)
    file.write_bytes(whole)
    assert rebuild(store).left_out == ()
    assert rows(store, "SELECT count(*) FROM other.pairs") == [(3,)]


def spoil(path):
    path.write_bytes(b"no database" * 1000)


def by_other_code(path):
    with duckdb.connect(path) as con:
        con.execute("COMMENT ON TABLE versions IS 'an earlier pairwright'")


def without_versions(path):
    with duckdb.connect(path) as con:
        con.execute("DROP TABLE versions")


@pytest.mark.parametrize("change", [spoil, by_other_code, without_versions, cut])
def test_a_catalogue_of_other_code_or_a_damaged_one_is_made_anew(store, change):
    mark(store, "other")
    change(store.root / "catalog.duckdb")
    assert marked(store) == set()
    assert rows(store, "SELECT count(*) FROM versions") == [(3,)]
    assert rows(store, "SELECT count(*) FROM other.pairs") == [(3,)]


def test_a_damaged_block_of_the_catalogue_neither_stops_a_build_nor_stays(store):
    path = rebuild(store).path
    whole = path.read_bytes()
    for start in range(0, len(whole), 1 << 18):
        spoilt = bytearray(whole)
        for byte in range(start + 1000, min(start + 5000, len(whole))):
            spoilt[byte] ^= 0xFF
        path.write_bytes(spoilt)
        assert rebuild(store).left_out == ()
        with duckdb.connect(path, read_only=True) as con:
            for schema in ("other", "zero-eval@v0001", "zero-eval@v0002"):
                con.execute(f'FROM "{schema}".figures').fetchall()
                con.execute(f'FROM "{schema}".funnel').fetchall()
        path.write_bytes(whole)


def test_a_catalogue_that_cannot_be_read_is_made_anew(store):
    path = rebuild(store).path
    path.unlink()
    path.symlink_to("/proc/self/mem")  # a file whose reading fails, also for root
    assert rows(store, "SELECT count(*) FROM versions") == [(3,)]


def test_a_schema_of_the_users_gives_way_to_a_dataset_and_stays_else(store):
    with duckdb.connect(rebuild(store).path) as con:
        con.execute("CREATE SCHEMA notes; CREATE TABLE notes.pairs AS SELECT 1")
        con.execute("CREATE SCHEMA mine; CREATE TABLE mine.notes AS SELECT 1 AS a")
    publish(store, "notes", make_content(4))
    assert rebuild(store).left_out == ()
    assert rows(store, "SELECT count(*) FROM notes.pairs") == [(4,)]
    assert rows(store, "FROM mine.notes") == [(1,)]
