"""Trees of searches: which steps are siblings, and which answers lead on from a step."""

import polars as pl

from pipelines.selection.frames import Columns, Frames
from pipelines.selection.hashes import make_ids

READS = Columns(responses=frozenset(("has_text", "refused", "text_hash")), nodes=True)
"""What is read here."""


def steps(frames: Frames) -> pl.DataFrame:
    """Every node whose parent is a root or a response that is kept.

    Columns `frames.NODES`; of the node's response `text_hash`, `refused`, and whether it is `kept`
    with a text; and `comparison_id`, the node id of the parent, which siblings have in common.
    """
    own = ("text_hash", "refused", "response_id")
    responses = frames.responses.select(*own, node="response", kept="has_text")
    nodes = frames.nodes.filter(pl.col("node").is_not_null())
    nodes = nodes.join(responses, on="node", how="left").with_columns(
        pl.col("kept", "refused").fill_null(False)
    )
    parents = responses.select(parent="node", comparison_id="response_id")
    below_steps = nodes.join(parents, on="parent")
    below_roots = nodes.filter(pl.col("parent").is_null())
    below_roots = below_roots.join(frames.prompts.select("prompt", "prompt_id"), on="prompt")
    root = make_ids(below_roots, "root", pl.col("prompt_id"), pl.col("sampler"))
    below_roots = below_roots.with_columns(comparison_id=root).select(below_steps.columns)
    return pl.concat([below_roots, below_steps])


def single_ways(steps: pl.DataFrame) -> pl.DataFrame:
    """`node`, and as `end` the step that it leads to where every node has one child only.

    Of a node with several children, or none, that is the node itself.
    """
    only = steps.group_by("parent").agg(pl.col("node", "kept").first(), n=pl.len())
    only = only.filter("kept", pl.col("parent").is_not_null(), n=1)
    ends = steps.select("node", end="node")
    while True:
        further = ends.join(
            only.select(end="parent", child="node"), on="end", how="left", maintain_order="left"
        )
        if further["child"].null_count() == further.height:
            return ends
        ends = further.select("node", end=pl.coalesce("child", "end"))


def best_endings(steps: pl.DataFrame) -> pl.DataFrame:
    """`node`, and as `end` the best answer below it: most visits, then highest Q, then least id.

    An answer that ends is the best one below itself. Nodes below which no answer ends are left out.
    """
    endings = steps.filter("terminal", "kept").select("node", "n_visits", "q", end="node")
    parents = steps.select("node", "parent")
    found = [endings]
    while found[-1].height:
        above = found[-1].join(parents, on="node").drop("node").rename({"parent": "node"})
        found.append(above.drop_nulls("node").select(endings.columns))
    best_first = pl.concat(found).sort(
        "node", "n_visits", "q", "end", descending=[False, True, True, False], nulls_last=True
    )
    return best_first.unique("node", keep="first", maintain_order=True).select("node", "end")
