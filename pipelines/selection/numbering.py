"""Numbering: ids become places among all ids, sorted (`frames.NUMBERS`)."""

import polars as pl

from pipelines.scoring.rounding import rounded
from pipelines.selection.frames import NODES
from pipelines.selection.id_order import in_id_order
from schemas.canonical import MICRO


def number_prompts(prompts: pl.DataFrame) -> pl.DataFrame:
    """`prompts` sorted by `prompt_id`, with its place as `prompt`."""
    return in_id_order(prompts, "prompt_id").with_row_index("prompt")


def number_responses(
    responses: pl.DataFrame, prompts: pl.DataFrame, first: int = 0
) -> pl.DataFrame:
    """`responses` sorted by `prompt` and `response_id`, with its place as `response`.

    Places count from `first`. The `prompt` of a response whose prompt is not there is null.
    """
    mine = _with_prompts(responses, prompts)
    ordered = in_id_order(mine, "response_id", within="prompt").with_row_index("response", first)
    return ordered.with_columns(pl.col("response", "prompt").set_sorted())


def number_judgments(
    judgments: pl.DataFrame, prompts: pl.DataFrame, responses: pl.DataFrame
) -> pl.DataFrame:
    """`judgments` sorted by `response`, which is null for comparisons, with `prompt`.

    With a column `prompt_id` they have the `prompt` of that, else that of their response.
    """
    numbers = responses.select("response", "prompt", "response_id")
    if "prompt_id" in judgments.columns:
        judgments = _with_prompts(judgments, prompts)
        numbers = numbers.drop("prompt")
    return _numbered(judgments, numbers, "response_id").sort("response")


def number_nodes(
    nodes: pl.DataFrame, prompts: pl.DataFrame, responses: pl.DataFrame
) -> pl.DataFrame:
    """Staged nodes of searches in any order, columns `frames.NODES`; values in micro-units.

    `responses` have `n_chars`. Where the root of a tree is a response, its nodes are texts of their
    own (rewrites of an instruction), which have no prefix.
    """
    of_prompts = prompts.lazy().select("prompt", "prompt_id")
    numbers = responses.lazy().select("response", "response_id", "n_chars")
    own = numbers.select(node="response", node_id="response_id")
    parents = numbers.select(parent="response", parent_id="response_id", n_chars_prefix="n_chars")
    micro = {name: rounded(pl.col(name) * MICRO) for name in ("q", "r", "value", "outcome")}
    numbered = (
        nodes.lazy()
        .with_columns(**micro)
        .join(of_prompts, on="prompt_id", how="left")
        .join(own, on="node_id", how="left")
        .join(parents, on="parent_id", how="left")
        .with_columns(pl.when(_goes_on()).then("n_chars_prefix").otherwise(0).fill_null(0))
    )
    return numbered.select(pl.col(name).cast(kind) for name, kind in NODES.items()).collect()


def _goes_on() -> pl.Expr:
    """Whether the texts of a tree go on from each other."""
    is_raw = pl.col("parent_id").is_null() & pl.col("node").is_not_null()
    return ~is_raw.any().over("prompt_id", "sampler")


def _with_prompts(rows: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the number of their `prompt`: looked up once where rows of one lie together."""
    id_ = pl.col("prompt_id")
    new = rows.select((id_ != id_.shift()).fill_null(True)).to_series()
    each = rows.select(id_).filter(new)
    numbers = _numbered(each, prompts.select("prompt", "prompt_id"), "prompt_id")["prompt"]
    return rows.with_columns(numbers.gather(new.cum_sum() - 1))


def _numbered(rows: pl.DataFrame, numbers: pl.DataFrame, by: str) -> pl.DataFrame:
    """`rows`, in their order, with what `numbers` have beside the same id; nulls where it is not there.

    Joined by hashes, at a third of the cost of texts, unless two ids have the same: then there
    are more rows.
    """
    key = pl.when(pl.col(by).is_not_null()).then(pl.col(by).hash())
    hashed = numbers.with_columns(key=key).drop(by)
    keyed = rows.with_columns(key=key)
    joined = keyed.join(hashed, on="key", how="left", maintain_order="left").drop("key")
    if joined.height == rows.height:
        return joined
    return rows.join(numbers, on=by, how="left", maintain_order="left")
