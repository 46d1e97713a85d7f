"""Selected: what selection found out about every row, of some prompts or of all."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import polars as pl

from pipelines.arrow import sparing


@dataclass(frozen=True, slots=True)
class Selected:
    """The tables that publishing puts beside the staged ones."""

    pairs: pl.DataFrame
    """The kept pairs, columns `columns.OF_EVERY_PAIR`, and `difficulty`."""
    dropped_pairs: pl.LazyFrame
    """The others, columns `columns.OF_DROPPED_PAIR`. They may be many, and wait in files."""
    responses: pl.DataFrame
    """Every response, in the order of its number: `prompt`, `arrival` (`staged.ARRIVAL`), `score`
    (micro-units), `n_scores`, `score_var` (in units), `kept`."""
    measures: pl.DataFrame
    """What the measures found of kept and dropped pairs: `measured.LONG`."""
    prompts: pl.DataFrame
    """Every prompt, in the order of its number: ids, `arrival`, `group_id`, and how many responses
    it has and what their scores sum up to (`frames.PROMPTS`)."""

    def spared(self) -> "Selected":
        """The same, in which columns without a value take no memory."""
        return replace(
            self,
            pairs=sparing(self.pairs),
            responses=sparing(self.responses),
            measures=sparing(self.measures),
            prompts=sparing(self.prompts),
        )


def together(parts: Sequence[Selected]) -> Selected:
    """What was found out about different prompts, as one."""
    return Selected(
        *(pl.concat(getattr(part, field.name) for part in parts) for field in fields(Selected))
    )
