"""The difference of two versions: which pairs were added, removed, flipped or changed, and why.

    kept in A - removed + added = kept in B,    and each removed or added pair has one reason

The versions may be of one dataset or of two: ids are hashes of content. DuckDB reads ids and
numbers of the published Parquet, with bounded memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.comparing.diff_sql import CHANGES, MATCHES, ORDER, explain
from pipelines.errors import StoreError
from pipelines.publishing.shards import BATCH_ROWS
from schemas.tables import PUBLISHED

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.publishing.versions import Version

MEMORY = "2GB"
"""Memory that DuckDB may take; what does not fit is spilled to disk."""

COLUMNS = {
    "pairs": (
        "pair_id", "prompt_id", "chosen_response_id", "rejected_response_id", "score_chosen",
        "score_rejected", "score_margin", "n_votes", "n_votes_chosen", "n_votes_rejected",
        "p_chosen", "pairing", "comparison_id",
    ),
    "prompts": ("prompt_id", "split"),
    "responses": ("response_id", "prompt_id", "score"),
    "judgments": (
        "response_id", "comparison_id", "judge", "annotator", "shown_order", "sample_index",
        "record_key", "score", "rank", "score_a", "score_b", "verdict", "p_a",
    ),
    "drops": (
        "level", "id", "step", "reason", "chosen_response_id", "rejected_response_id",
        "score_chosen", "score_rejected",
    ),
}  # fmt: skip
"""What is read of each published table."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Pairs of both versions; each pair is counted once."""

    kept_a: int
    kept_b: int
    unchanged: int
    changed: int
    """The same two responses in the same direction, with other scores, votes, pairing or split."""
    flipped: int
    """The same two responses, chosen and rejected swapped."""
    removed: int
    added: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some pairs differ."""

    change: str
    """"removed", "added", "flipped" or "changed"."""
    reason: str
    """See `diff_sql.explain`; for flipped and changed pairs "score", "votes", "pairing", "split"."""
    cause: str | None
    """What dropped the pair in the version without it: step and reason."""
    pairs: int


class Difference:
    """What differs between the pairs of two versions. Open inside `compare`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, a: "Version", b: "Version") -> None:
        self.a, self.b = a, b
        self._con = con
        self.reasons: list[Reason] = [
            Reason(*row)
            for row in con.sql(
                "SELECT change, reason, cause, count(*) FROM changes GROUP BY ALL "
                "ORDER BY change, count(*) DESC, reason, cause NULLS FIRST"
            ).fetchall()
        ]
        """Each reason with its pairs, by change, the most frequent first."""
        self.counts = self._counts()

    def rows(self, change: str | None = None, limit: int | None = None) -> "pa.RecordBatchReader":
        """The pairs that differ, of one change or all, at most `limit`; columns as `changes`."""
        where = "true" if change is None else f"change = '{change}'"
        most = "" if limit is None else f"LIMIT {limit:d}"
        query = f"FROM changes WHERE {where} ORDER BY {ORDER} {most}"
        return self._con.sql(query).to_arrow_reader(BATCH_ROWS)

    def _counts(self) -> Counts:
        """The counts. Raises StoreError if they do not balance."""
        found = dict.fromkeys(("changed", "flipped", "removed", "added"), 0)
        for one in self.reasons:
            found[one.change] += one.pairs
        ((kept_a, kept_b, same),) = self._con.sql(
            "SELECT (SELECT count(*) FROM a_pairs), (SELECT count(*) FROM b_pairs), "
            "(SELECT count(*) FROM same)"
        ).fetchall()
        counts = Counts(kept_a, kept_b, same - found["changed"], **found)
        matched = same + counts.flipped
        if (matched + counts.removed, matched + counts.added) != (kept_a, kept_b):
            raise StoreError(
                f"{self.a.ref} and {self.b.ref}: the counts do not balance: {counts}. "
                f"`pairwright verify {self.a.name}`"
            )
        return counts


@contextmanager
def compare(a: "Version", b: "Version") -> Iterator[Difference]:
    """The difference from `a` to `b`, open inside the `with`. Raises StoreError."""
    with TemporaryDirectory(prefix="pairwright-diff-") as place:
        config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": place}
        try:
            with duckdb.connect(":memory:", config=config) as con:
                for side, version in (("a", a), ("b", b)):
                    for table in COLUMNS:
                        _add_view(con, side, version, table)
                con.execute(MATCHES)
                con.execute(explain("removed", own="a", other="b"))
                con.execute(explain("added", own="b", other="a"))
                con.execute(CHANGES)
                yield Difference(con, a, b)
        except duckdb.Error as error:
            raise StoreError(
                f"{a.ref} and {b.ref} cannot be compared: {error}. `pairwright verify`"
            ) from error


def _add_view(con: duckdb.DuckDBPyConnection, side: str, version: "Version", table: str) -> None:
    files = list(map(str, version.files(table)))
    columns = ", ".join(COLUMNS[table])
    if files:
        rows = con.read_parquet(files)
        rows.project(columns).create_view(f"{side}_{table}")
    else:
        con.register("empty", PUBLISHED[table].empty_table())
        con.execute(f"CREATE TABLE {side}_{table} AS SELECT {columns} FROM empty")  # noqa: S608
        con.unregister("empty")
