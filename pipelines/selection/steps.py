"""Selection: applies pairings, filters and selectors to tables, and writes down every reason.

    early(filters)    before the judges are paid          late(filters)    once scores exist
    make_pairs        pairings -> pairs                   apply_selectors  in the recipe's order

What is dropped comes back as `DROPS`: one row for each reason, so that at every stage the rows in
are the rows kept and the distinct ids dropped.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.errors import RecipeError, nearest
from pipelines.filter import Filter, On
from pipelines.pairing import Pairing
from pipelines.selection.frames import (
    PAIRS,
    PROMPTS,
    PROMPTS_BEFORE,
    RESPONSES,
    RESPONSES_BEFORE,
    TEXT_COLUMNS,
    Frames,
)
from pipelines.selection.pairs import complete_pairs
from pipelines.selector import Selector

DROPS = {
    "level": pl.Categorical,
    "id": pl.String,
    "prompt_id": pl.String,
    "step": pl.Categorical,
    "reason": pl.Categorical,
}
"""Columns of what is dropped, as `schemas.rows.Drop` names them. What many rows have in common
stands in memory once."""

NO_DROPS = pl.DataFrame(schema=DROPS)

COLUMNS: dict[On, dict[str, Any]] = {"prompts": PROMPTS, "responses": RESPONSES, "pairs": PAIRS}
BEFORE = {"prompts": PROMPTS_BEFORE, "responses": RESPONSES_BEFORE, "pairs": frozenset[str]()}
ID: dict[On, str] = {"prompts": "prompt_id", "responses": "response_id", "pairs": "pair_id"}


NO_MEASURES: Mapping[str, Any] = {}


def early(filters: Sequence[Filter], on: On) -> tuple[Filter, ...]:
    """The filters on `on` that need no more than what is known before a judge is asked."""
    return tuple(one for one in filters if one.on == on and _is_early(one))


def late(filters: Sequence[Filter], on: On) -> tuple[Filter, ...]:
    """The filters on `on` that are not `early`."""
    return tuple(one for one in filters if one.on == on and not _is_early(one))


def named(expressions: Iterable[pl.Expr]) -> frozenset[str]:
    """The columns that some expressions name, one by one."""
    return frozenset(name for one in expressions for name in one.meta.root_names())


def texts_named(filters: Iterable[Filter]) -> frozenset[str]:
    """The columns of `frames.TEXT_COLUMNS` that some filter names, and that it must be given."""
    texts = {name for one in filters for name in TEXT_COLUMNS[one.on]}
    return frozenset(texts & {name for one in filters for name in named(one.drops().values())})


def check_filters(filters: Iterable[Filter], of_measures: Mapping[str, Any] = NO_MEASURES) -> None:
    """Tries each filter on a table without rows. Raises RecipeError where that cannot work.

    `of_measures` are the columns that pairs have besides.
    """
    for one in filters:
        if getattr(one, "on", None) not in COLUMNS:
            raise RecipeError(f"filters.{one.name}: its `on` must be one of {', '.join(COLUMNS)}")
        texts = dict.fromkeys(TEXT_COLUMNS[one.on], pl.String)
        more = of_measures if one.on == "pairs" else {}
        apply_filters([one], pl.DataFrame(schema={**COLUMNS[one.on], **texts, **more}), one.on)


def apply_filters(
    filters: Sequence[Filter], frame: pl.DataFrame, on: On
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that every filter keeps, in their order, and `DROPS` for the others.

    Each filter sees each row, so a row has all of its reasons. Raises RecipeError as
    `check_filters`.
    """
    return make_sieve(filters, on, frame.columns).sift(frame)


@dataclass(frozen=True, slots=True)
class Sieve:
    """Some filters on one table, checked and ready to be applied many times."""

    on: On
    labels: tuple[tuple[str, str], ...]
    """(step, reason) of each flag."""
    flags: tuple[pl.Expr, ...]
    columns: frozenset[str]
    """The columns that a table needs for it, its id and prompt id among them."""

    def sift(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """As `apply_filters`."""
        try:
            flagged = frame.select("prompt_id", *self.flags).drop("prompt_id")
            failing = [
                (label, fails)
                for label, fails in zip(self.labels, flagged.iter_columns(), strict=True)
                if fails.any()
            ]
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise self._blame(frame, error) from error
        if not failing:
            return frame, NO_DROPS
        ids = frame.select({ID[self.on], "prompt_id"})
        drops = [
            _drops(ids.filter(fails).with_columns(reason=pl.lit(reason)), self.on, step)
            for (step, reason), fails in failing
        ]
        fails_any = flagged.select(pl.any_horizontal(pl.all().fill_null(False))).to_series()
        return frame.filter(~fails_any), pl.concat(drops)

    def _blame(self, frame: pl.DataFrame, error: Exception) -> RecipeError:
        """The error, in the name of the filter whose expression does not work by itself."""
        for (step, _), flag in zip(self.labels, self.flags, strict=True):
            try:
                frame.select("prompt_id", flag).filter(pl.nth(1))
            except (pl.exceptions.PolarsError, TypeError) as own:
                return RecipeError(f"{step}: its expressions do not work on {self.on}: {own}")
        return RecipeError(f"filters: their expressions do not work on {self.on}: {error}")


def make_sieve(filters: Sequence[Filter], on: On, columns: Collection[str]) -> Sieve:
    """The filters, ready for a table with these columns. Raises RecipeError for another column."""
    labels: list[tuple[str, str]] = []
    flags: list[pl.Expr] = []
    for one in filters:
        step = f"filters.{one.name}"
        for reason, flag in one.drops().items():
            if flag.meta.has_multiple_outputs():  # its columns cannot be told before it runs
                raise RecipeError(
                    f'{step}: "{reason}" must name each column in a pl.col of its own'
                )
            if missing := sorted(named([flag]).difference(columns)):
                hint = nearest(missing[0], [*COLUMNS[on], *TEXT_COLUMNS[on]])
                raise RecipeError(f'{step}: there is no column "{missing[0]}" on {on}; {hint}')
            flags.append(flag.alias(f"flag {len(flags)}"))
            labels.append((step, reason))
    needed = named(flags).union((ID[on], "prompt_id"))
    return Sieve(on, tuple(labels), tuple(flags), needed)


def make_pairs(
    pairings: Sequence[Pairing], frames: Frames, seed: int, columns: Collection[str] = PAIRS
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All pairs (numbers, and `columns` of `frames.PAIRS`), and `DROPS` for what gave none.

    A prompt, or a comparison, is dropped once by each pairing that made no pair of it.
    """
    pairs, drops = [], [NO_DROPS]
    prompts = frames.prompts.select("prompt", "prompt_id")
    for pairing in pairings:
        made = pairing.pair(frames, seed)
        step = f"pairings.{pairing.name}"
        pairs.append(complete_pairs(made.pairs, pairing.name, frames, columns))
        drops.append(_drops(made.unpaired_prompts.join(prompts, on="prompt"), "prompts", step))
        if made.unpaired_comparisons is not None:
            undecided = made.unpaired_comparisons.join(prompts, on="prompt")
            drops.append(_drops(undecided, "comparisons", step))
    return pl.concat(pairs), pl.concat(drops)


def apply_selectors(
    selectors: Sequence[Selector], pairs: pl.DataFrame, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pairs that every selector keeps, in their order, and `DROPS` for the others.

    Each selector chooses among what the one before it kept.
    """
    drops = [NO_DROPS]
    for selector in selectors:
        dropped = selector.drops(pairs, seed).select("pair_id", "reason")
        reasons = pairs.select("pair_id", "prompt_id").join(
            dropped, on="pair_id", how="left", maintain_order="left"
        )
        gone = reasons["reason"].is_not_null()
        drops.append(_drops(reasons.filter(gone), "pairs", f"selectors.{selector.name}"))
        pairs = pairs.filter(~gone)
    return pairs, pl.concat(drops)


def _is_early(filter_: Filter) -> bool:
    known = BEFORE[filter_.on].union(TEXT_COLUMNS[filter_.on])
    return filter_.on != "pairs" and named(filter_.drops().values()) <= known


def _drops(dropped: pl.DataFrame, level: str, step: str) -> pl.DataFrame:
    """`DROPS` from a table with the ids of the level, `prompt_id` and `reason`."""
    columns = {"level": pl.lit(level), "id": pl.col(f"{level[:-1]}_id"), "step": pl.lit(step)}
    drops = dropped.with_columns(**columns)
    return drops.select(pl.col(name).cast(kind) for name, kind in DROPS.items())
