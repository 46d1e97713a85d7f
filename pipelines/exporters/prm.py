"""Steps with labels, for process reward models: the ended answers of searches."""

from decimal import Decimal
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from pipelines.exporter import Exporter, Written
from pipelines.exporting.evidence import in_sql
from pipelines.exporting.files import write_parquet
from pipelines.exporting.pairs import Pairs
from pipelines.part import Threshold

SCHEMA = pa.schema(
    [
        ("prompt", pa.string()),
        ("completions", pa.list_(pa.string())),
        ("labels", pa.list_(pa.bool_())),
        ("values", pa.list_(pa.float64())),
    ]
)

VALUES = {"expected": "round(value + coalesce(v, 0), 6)", "right": "share"}
"""SQL: what is known of a step, by the field `values`."""

ANSWERS = """
    CREATE OR REPLACE TEMP TABLE answers AS
    WITH RECURSIVE trees AS (
        SELECT tree_nodes.*
        FROM version.tree_nodes JOIN version.prompts USING (prompt_id)
        WHERE split = {split} AND prompt_id NOT IN (
            SELECT id FROM version.drops WHERE level = 'prompts' AND step NOT LIKE 'pairings.%'
        )
    ),
    down AS (
        SELECT node_id, prompt_id, terminal, outcome, on_path, n_visits, []::VARCHAR[] AS path
        FROM trees WHERE parent_id IS NULL
        UNION ALL
        SELECT trees.node_id, trees.prompt_id, trees.terminal, trees.outcome, trees.on_path,
            trees.n_visits, list_append(path, trees.node_id)
        FROM down JOIN trees ON trees.parent_id = down.node_id
    ),
    ends AS (
        SELECT node_id AS answer_id, prompt_id, outcome, on_path, n_visits, unnest(path) AS step_id,
            generate_subscripts(path, 1) AS place
        FROM down WHERE terminal
    ),
    shares AS (
        SELECT step_id, avg((outcome > 0)::INT) AS share
        FROM ends WHERE outcome IS NOT NULL GROUP BY step_id
    ),
    steps AS (
        SELECT node_id AS step_id, trim(text, E' \\n\\r\\t') AS text, {known} AS known
        FROM trees LEFT JOIN shares ON step_id = node_id
    )
    SELECT answer_id, prompt_id, list(text ORDER BY place) AS completions,
        list(known ORDER BY place) AS known
    FROM ends JOIN steps USING (step_id) WHERE {wanted} AND text <> ''
    GROUP BY answer_id, prompt_id
"""

UNVALUED = "len(list_filter(known, lambda x: x IS NULL)) > 0"

WRITTEN = f"""
    SELECT array_to_string(list_transform(messages, lambda m: m.content), E'\\n\\n') AS prompt,
        completions, list_transform(known, lambda x: x > {{above}}) AS labels, known AS "values"
    FROM answers JOIN version.prompts USING (prompt_id)
    WHERE NOT ({UNVALUED}) ORDER BY answer_id
"""  # noqa: S608 - our own names


class Prm(Exporter):
    """Parquet with prompt, completions, labels and values: a row for each ended answer of a search.

    `completions` are its steps, `values` what is known of each, and `labels` whether that is above a
    bound: the columns of TRL's PRMTrainer (up to 1.13), and of axolotl's stepwise_supervised. The
    trees are those of all prompts of a split that no filter dropped, whether they gave a pair or not.
    A prompt is the contents of its messages, with empty lines between them. The blank step of an
    answer that ended where a search expected more is none. Answers with a step of which nothing is
    known are left out (`unvalued`).
    """

    keeps_order: ClassVar[bool] = False
    ends_answers: ClassVar[bool] = False

    values: Literal["expected", "right"] = "expected"
    """What is known of a step. "expected": value + V, what the search expects an answer that goes on
    from it to be worth. "right": the share of right answers among those below it that ended."""
    above: Threshold = Decimal(0)
    """A step is labelled true where its value lies above this."""
    answers: Literal["all", "path"] = "all"
    """"all": every ended answer. "path": the one that the search decided for."""
    min_visits: int = Field(default=0, ge=0)
    """Answers that the search ended with fewer times are no rows."""

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs of prompts without a tree."""
        return {"no_tree": "prompt_id NOT IN (SELECT prompt_id FROM version.tree_nodes)"}

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """In the order of the ids of the answers, which are hashes."""
        wanted = f"n_visits >= {self.min_visits}" + (
            " AND on_path" if self.answers == "path" else ""
        )
        split, known = in_sql(pairs.split), VALUES[self.values]
        pairs.con.execute(ANSWERS.format(split=split, known=known, wanted=wanted))
        counts = f"SELECT count(*), count(*) FILTER ({UNVALUED}) FROM answers"  # noqa: S608
        ((every, unvalued),) = pairs.con.sql(counts).fetchall()
        query = WRITTEN.format(above=self.above)
        files = write_parquet(pairs, query, every - unvalued, SCHEMA, folder)
        return Written(files, {"unvalued": unvalued} if unvalued else {})
