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
    every = [_Stretches(one) for one in (frames.prompts, frames.responses, frames.judgments)]
    trees = _Stretches(frames.nodes)
    for first in range(0, end, size):
        prompts, responses, judgments = (one.of(first, first + size) for one in every)
        yield replace(
            frames,
            prompts=prompts,
            responses=responses.join(prompts, on="prompt", how="semi"),
            judgments=judgments.join(prompts, on="prompt", how="semi"),
            nodes=trees.of(first, first + size),
        )


class _Stretches:
    """The rows of some prompts, found without looking at all the others for each block."""

    def __init__(self, table: pl.DataFrame) -> None:
        prompt = table["prompt"]
        known = len(prompt) - prompt.null_count()
        self._table, self._order = table, prompt.arg_sort(nulls_last=True).head(known)
        self._sorted = prompt.gather(self._order)

    def of(self, first: int, end: int) -> pl.DataFrame:
        """The rows of the prompts from `first` to `end`, which is left out, in their order."""
        begin, until = (self._sorted.search_sorted(place) for place in (first, end))
        return self._table[self._order[begin:until].sort()]
