"""Numbering: ids become places among all ids, sorted (`frames.NUMBERS`)."""

import polars as pl

from pipelines.selection.frames import NODES
from pipelines.selection.rounding import rounded
from schemas.canonical import MICRO

ORDER = "order"


def number_prompts(prompts: pl.LazyFrame) -> pl.DataFrame:
    """`prompts` sorted by `prompt_id`, with its place as `prompt`."""
    return prompts.collect().sort("prompt_id").with_row_index("prompt")


def number_responses(responses: pl.LazyFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`responses` sorted by `prompt` and `response_id`, with its place as `response`.

    The `prompt` of a response whose prompt is not there is null.
    """
    numbers = prompts.lazy().select("prompt", "prompt_id", id="prompt_id")
    mine = responses.rename({"prompt_id": "id"}).join(numbers, on="id", how="left").drop("id")
    return _sorted(mine.collect(), "prompt", "response_id").with_row_index("response")


def number_judgments(
    judgments: pl.LazyFrame, prompts: pl.DataFrame, responses: pl.DataFrame
) -> pl.LazyFrame:
    """`judgments` in any order, with `response`, null for comparisons, and `prompt`.

    With a column `prompt_id` they have the `prompt` of that, else that of their response.
    """
    columns = judgments.collect_schema().names()
    id_ = pl.col("response_id")
    hashed = pl.when(id_.is_not_null()).then(id_.hash())  # a fifth of the memory of ids
    key = hashed if responses.select(hashed.is_unique().all()).item() else id_
    numbers = responses.lazy().select("response", "prompt", key=key)
    if "prompt_id" in columns:
        of_prompts = prompts.lazy().select("prompt", "prompt_id")
        judgments = judgments.join(of_prompts, on="prompt_id", how="left")
        numbers = numbers.drop("prompt")
    return judgments.with_columns(key=key).join(numbers, on="key", how="left").drop("key")


def number_nodes(
    nodes: pl.LazyFrame, prompts: pl.DataFrame, responses: pl.DataFrame
) -> pl.DataFrame:
    """Staged nodes of searches in any order, columns `frames.NODES`; values in micro-units.

    `responses` have `n_chars`.
    """
    of_prompts = prompts.lazy().select("prompt", "prompt_id")
    numbers = responses.lazy().select("response", "response_id", "n_chars")
    own = numbers.select(node="response", node_id="response_id")
    parents = numbers.select(parent="response", parent_id="response_id", n_chars_prefix="n_chars")
    micro = {name: rounded(pl.col(name) * MICRO) for name in ("q", "r", "value", "outcome")}
    numbered = (
        nodes.with_columns(**micro)
        .join(of_prompts, on="prompt_id", how="left")
        .join(own, on="node_id", how="left")
        .join(parents, on="parent_id", how="left")
        .with_columns(pl.col("n_chars_prefix").fill_null(0))
    )
    return numbered.select(pl.col(name).cast(kind) for name, kind in NODES.items()).collect()


def _sorted(table: pl.DataFrame, *by: str) -> pl.DataFrame:
    """`table` in the order of some columns: sorted column by column, so that no two of it are held."""
    order = table.select(*by).with_row_index(ORDER).sort(*by)[ORDER]
    columns = {name: table.drop_in_place(name) for name in table.columns}
    for name in list(columns):
        columns[name] = columns[name].gather(order)
    return pl.DataFrame(columns)
