"""Blocks: some prompts at a time, so that what is made of them on the way needs little memory."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from pipelines.selection.frames import Frames

PROMPTS_AT_ONCE = 16_384


def in_blocks(frames: Frames, size: int = PROMPTS_AT_ONCE) -> Iterator[Frames]:
    """At most `size` prompts each, with all that is theirs; at least one block."""
    last = frames.prompts["prompt"].max()
    end = last + 1 if isinstance(last, int) else 1
    for first in range(0, end, size):
        ours = pl.col("prompt").is_between(first, first + size - 1)
        prompts = frames.prompts.filter(ours)
        responses, judgments = (
            table.filter(ours).join(prompts, on="prompt", how="semi")
            for table in (frames.responses, frames.judgments)
        )
        nodes = frames.nodes.filter(ours)
        yield replace(
            frames, prompts=prompts, responses=responses, judgments=judgments, nodes=nodes
        )
