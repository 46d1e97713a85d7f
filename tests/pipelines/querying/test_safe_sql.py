import hashlib
import shutil
import time
from pathlib import Path

import pytest

from pipelines.errors import StoreError
from pipelines.publishing.store import Store
from pipelines.publishing.versions import MANIFEST
from pipelines.querying.safe_sql import QueryError, run_sql
from tests.pipelines.versions import Content, make_content, publish


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("sql") / "store")
    for prompts in (2, 5):
        publish(store, "zero-eval", make_content(prompts))
    publish(store, "other", make_content(3))
    return store


@pytest.fixture(scope="module")
def only(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("only") / "store")
    publish(store, "demo", make_content(3))
    return store


def rows(store, sql, *args, **kwargs):
    with run_sql(store, sql, *args, **kwargs) as reader:
        return [tuple(row.values()) for row in reader.read_all().to_pylist()]


def fingerprint(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(file): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_tables_are_found_by_dataset_and_by_version(store):
    assert rows(store, 'SELECT count(*) FROM "zero-eval".pairs') == [(5,)]
    assert rows(store, 'SELECT count(*) FROM "zero-eval@v0001".pairs') == [(2,)]
    assert rows(store, "SELECT count(*) FROM OTHER.Responses") == [(9,)]


def test_two_versions_are_compared_in_one_query(store):
    sql = 'SELECT pair_id FROM "zero-eval".pairs EXCEPT SELECT pair_id FROM "zero-eval@v0001".pairs'
    assert len(rows(store, sql)) == 3


def test_plain_names_are_those_of_the_dataset_that_was_asked_for(store):
    assert rows(store, "SELECT count(*) FROM pairs", "zero-eval") == [(5,)]
    assert rows(store, "SELECT count(*) FROM pairs", "zero-eval@1") == [(2,)]
    sql = "SELECT (SELECT count(*) FROM pairs), (SELECT count(*) FROM other.pairs)"
    assert rows(store, sql, "zero-eval@1") == [(2, 3)]


def test_plain_names_are_those_of_the_only_dataset(only):
    sql = "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM demo.{})"
    for table, n in {"pairs": 3, "prompts": 3, "responses": 9, "judgments": 9, "drops": 3}.items():
        assert rows(only, sql.format(table, table)) == [(n, n)]
    assert rows(only, "SELECT reason, dropped FROM funnel") == [("below_min", 3)]


def test_versions_are_a_table(store):
    sql = "SELECT name, version, pairs FROM versions WHERE latest ORDER BY name"
    assert rows(store, sql) == [("other", "v0001", 3), ("zero-eval", "v0002", 5)]
    assert rows(Store(store.root / "none"), "FROM versions") == []


def test_nested_columns_are_reached(only):
    sql = "SELECT DISTINCT prompt[1].role, chosen[1].role, len(rejected) FROM pairs"
    assert rows(only, sql) == [("system", "assistant", 1)]


def test_describe_summarize_pivot_and_explain_are_reading(only):
    assert ("pair_id", "VARCHAR") in [row[:2] for row in rows(only, "DESCRIBE pairs")]
    assert rows(only, "SUMMARIZE SELECT score_margin FROM pairs")[0][0] == "score_margin"
    assert rows(only, "PIVOT (SELECT model FROM responses) ON model USING count(*)") == [(3, 3, 3)]
    assert "order_key" in str(rows(only, "EXPLAIN SELECT * FROM pairs"))
    assert rows(only, "SELECT 1; -- done") == [(1,)]


def test_an_unknown_table_lists_those_there_are(store, only):
    with pytest.raises(QueryError, match=r'Tables: versions, other\.pairs, .*"zero-eval"\.pairs'):
        rows(store, "FROM pairs")
    with pytest.raises(QueryError, match=r"Tables: pairs, prompts, .*versions, demo\.pairs"):
        rows(only, "FROM pears")


def test_an_unknown_dataset_names_the_nearest(store):
    with pytest.raises(StoreError, match='did you mean "other"'):
        rows(store, "FROM pairs", "othr")


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nope FROM pairs", "", "SELECT 1; SELECT 2"])
def test_a_wrong_query_says_what_is_wrong(only, sql):
    with pytest.raises(QueryError):
        rows(only, sql)


def test_an_error_in_the_middle_of_the_rows_is_a_query_error(only):
    sql = "SELECT CASE WHEN x = 90000 THEN error('boom') ELSE x END FROM range(100000) t(x)"
    with pytest.raises(QueryError, match="boom"):
        rows(only, sql)


PARQUET = "{store}/datasets/demo/v0001/drops/part-00000-of-00001.parquet"
ATTACKS = [
    "COPY pairs TO '{parquet}'",
    "COPY (SELECT 1) TO '{outside}/x.csv'",
    "WITH x AS (COPY (SELECT 1) TO '{parquet}') SELECT * FROM x",
    "WITH x AS (COPY (SELECT 1) TO '{outside}/x.csv') SELECT count(*) FROM x",
    "SELECT * FROM pairs WHERE pair_id IN (WITH x AS (COPY pairs TO '{parquet}') SELECT '1' FROM x)",
    "EXPLAIN ANALYZE COPY pairs TO '{parquet}'",
    "SELECT 1; COPY pairs TO '{parquet}'",
    "COPY pairs FROM '{parquet}'",
    "EXPORT DATABASE '{outside}/db'",
    "IMPORT DATABASE '{outside}/db'",
    "ATTACH '{outside}/x.duckdb' AS x",
    "ATTACH '{store}/catalog.duckdb' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "SET temp_directory = '{outside}'",
    "SET python_enable_replacements = true",
    "PRAGMA enable_profiling = 'json'",
    "CALL enable_logging('QueryLog', storage = 'file')",
    "FROM enable_logging('QueryLog', storage = 'file', storage_config = {{'path': '{outside}'}})",
    "FROM enable_profiling()",
    "CHECKPOINT",
    "USE memory",
    "FROM read_csv('/etc/passwd')",
    "FROM read_csv_auto('/etc/passwd')",
    "FROM read_text('/etc/passwd')",
    "FROM read_blob('{parquet}')",
    "FROM read_json('/etc/passwd')",
    "FROM read_parquet('{parquet}')",
    "FROM parquet_metadata('{parquet}')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM glob('{store}/*')",
    "FROM '/etc/passwd'",
    "FROM '{parquet}'",
    "FROM '{outside}/link.parquet'",
    "FROM read_duckdb('{store}/catalog.duckdb')",
    "FROM read_text('https://example.com/')",
    "SELECT getenv('HOME')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{outside}/x.csv''')",
    "FROM query_table('{parquet}')",
    "FROM json_execute_serialized_sql('x')",
    "CREATE TABLE x AS SELECT 1",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE MACRO m() AS TABLE FROM read_csv('/etc/passwd')",
    "DROP VIEW pairs",
    "DELETE FROM pairs",
    "UPDATE pairs SET pair_id = ''",
    "INSERT INTO pairs SELECT * FROM pairs",
    "PREPARE p AS COPY pairs TO '{outside}/x.csv'",
    "EXECUTE p",
    "VACUUM",
    "FROM store",
    "FROM fingerprint",
    "FROM duckdb_secrets()",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_query_reads_or_writes_anything_but_the_tables(only, tmp_path, attack, monkeypatch):
    outside = tmp_path / "outside"
    outside.mkdir()
    parquet = PARQUET.format(store=only.root)
    assert Path(parquet).is_file()
    (outside / "link.parquet").symlink_to(parquet)
    monkeypatch.chdir(outside)
    before, listing = fingerprint(only.root), sorted(outside.iterdir())
    sql = attack.format(store=only.root, outside=outside, parquet=parquet)
    with pytest.raises(QueryError):
        rows(only, sql)
    assert fingerprint(only.root) == before
    assert sorted(outside.iterdir()) == listing


def test_python_variables_are_no_tables(only):
    import pyarrow as pa

    secret = pa.table({"a": [1]})
    assert secret.num_rows == 1
    with pytest.raises(QueryError, match="secret"):
        rows(only, "FROM secret")


def test_a_table_behind_a_link_is_refused(tmp_path):
    store = Store(tmp_path / "store")
    version, _ = publish(store, "demo", make_content(2))
    (file,) = version.files("drops")
    file.unlink()
    file.symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match="a link leads out of the version"):
        rows(store, "FROM drops")


def test_a_query_that_never_ends_is_stopped(only):
    sql = "SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE a.range % 7 = 3"
    with pytest.raises(QueryError, match=r"stopped after 0\.3 s"):
        rows(only, sql, timeout_s=0.3)


def test_a_reader_that_dawdles_is_stopped_too(only):
    def dawdle(reader):
        for _ in reader:
            time.sleep(0.05)

    with (
        run_sql(only, "FROM range(10000000000)", timeout_s=0.3) as reader,
        pytest.raises(QueryError, match="stopped"),
    ):
        dawdle(reader)


def test_a_query_that_needs_more_memory_than_it_may_have_fails_alone(only):
    sql = "SELECT list(repeat('x', 1000) || range) FROM range(1000000)"
    with pytest.raises(QueryError, match="It may take 50MB"):
        rows(only, sql, memory_limit="50MB")
    assert rows(only, "SELECT 1") == [(1,)]


def test_a_query_that_would_fill_the_disk_fails_alone(only, monkeypatch):
    free = shutil.disk_usage("/")._replace(free=16 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    sql = """
        SELECT a.i, b.i AS j, md5(a.i::TEXT || b.i::TEXT) AS x
        FROM range(3000) a(i), range(1000) b(i) ORDER BY x
    """
    with pytest.raises(QueryError, match="max_temp_directory_size"):
        rows(only, sql, memory_limit="150MB")
    assert rows(only, "SELECT 1") == [(1,)]


def test_a_wrong_memory_limit_is_a_query_error(only):
    with pytest.raises(QueryError, match="lots"):
        rows(only, "SELECT 1", memory_limit="lots")


def test_a_version_without_pairs_is_read_as_empty(tmp_path):
    store = Store(tmp_path / "store")
    publish(store, "empty", Content())
    assert rows(store, "SELECT chosen[1].content FROM pairs") == []


def test_columns_of_one_name_are_both_there(only):
    assert rows(only, "SELECT 1 AS a, 2 AS a") == [(1, 2)]


def test_a_damaged_dataset_is_in_nobody_elses_way(tmp_path):
    store = Store(tmp_path / "store")
    publish(store, "demo", make_content(2))
    version, _ = publish(store, "broken", make_content(2))
    (version.folder / MANIFEST).write_text("{")
    assert rows(store, "SELECT count(*) FROM demo.pairs") == [(2,)]
    assert rows(store, "SELECT DISTINCT name FROM versions") == [("demo",)]
    with pytest.raises(StoreError, match=r"broken.v0001.manifest\.json"):
        rows(store, "FROM broken.pairs")


@pytest.mark.parametrize("name", ["main", "memory", "temp", "information_schema"])
def test_a_name_that_duckdb_has_taken_does_no_harm(tmp_path, name):
    store = Store(tmp_path / "store")
    publish(store, name, make_content(2))
    assert rows(store, f'SELECT count(*) FROM "{name}@latest".pairs') == [(2,)]
    assert rows(store, "SELECT count(*) FROM pairs") == [(2,)]
