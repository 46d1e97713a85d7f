"""Within a block of prompts: all that selection does by prompt, from scores to pairs.

    responses ─ score, filters ─> prompts ─ filters ─> pairings ─> pairs ─ filters, selectors ─>

Every block takes the same steps, in the same order, and counts them in a funnel of its own.
"""

from itertools import takewhile

import polars as pl

from pipelines.arrow import compact
from pipelines.errors import StoreError
from pipelines.filter import On
from pipelines.judging.tie_rule import TieRules
from pipelines.recipe import Recipe
from pipelines.scoring.score import prompt_scores, score_var
from pipelines.selection.choosing import ROW, choose, less
from pipelines.selection.columns import columns_read, measures_read, pairs_read, texts_read
from pipelines.selection.frames import Frames, Texts
from pipelines.selection.funnel import Funnel
from pipelines.selection.measured import measured
from pipelines.selection.scoring import Scoring
from pipelines.selection.selected import Selected
from pipelines.selection.steps import (
    ID,
    apply_filters,
    late,
    make_pairs,
    texts_named,
)
from pipelines.selector import Selector

OF_RESPONSES = ("prompt", "arrival", "score")
OF_PROMPTS = ("prompt", "prompt_id", "arrival", "group_id", "n_responses", "n_scored", "score_sum",
              "score_sumsq")  # fmt: skip


def by_prompt(recipe: Recipe) -> list[Selector]:
    """The first selectors of a recipe, as far as none looks across prompts."""
    return list(takewhile(lambda selector: selector.within_prompts(), recipe.selectors))


class Within:
    """Selects within one block after another."""

    def __init__(
        self, recipe: Recipe, scoring: Scoring, rules: TieRules, texts: Texts, drops: pl.DataFrame
    ) -> None:
        """`drops` are the reasons of all steps before, with the number of their `prompt`."""
        self._recipe, self._scoring, self._rules, self._texts = recipe, scoring, rules, texts
        self._drops = drops
        self._of_pairs = columns_read(recipe).pairs

    def select(self, everything: Frames) -> tuple[Selected, Funnel]:
        """What came of a block, with the columns of pairs that the other selectors read.

        Raises StoreError if a row is neither kept nor has a reason.
        """
        funnel, prompt = Funnel(), everything.prompts["prompt"]
        funnel.staged(self._drops.filter(pl.col("prompt").is_between(prompt.min(), prompt.max())))
        scored = self._scoring.score(everything)
        candidates = self._filter(scored, "responses", funnel)
        prompts = prompt_scores(everything.prompts, candidates)
        eligible = self._filter(prompts, "prompts", funnel)
        frames = Frames(
            prompts=eligible,
            responses=_theirs(candidates, eligible, prompts),
            judgments=_theirs(everything.judgments, eligible, prompts),
            nodes=everything.nodes,
            tie_rules=self._rules,
            named=self._recipe.score.judges,
        )
        pairs, dropped, measures = self._pair(frames, funnel)
        self._refuse_unexplained(prompts, [pairs, dropped], funnel)
        others = [dropped]
        for selector in by_prompt(self._recipe):
            pairs, dropped = choose(self._recipe, selector, pairs, self._texts, funnel)
            others.append(dropped)
        kept = pl.col("response").is_in(candidates["response"].implode())
        n_scores = pl.col("n_scores").cast(pl.UInt32)
        responses = scored.select(*OF_RESPONSES, n_scores, score_var=score_var(), kept=kept)
        selected = Selected(
            compact(pairs),
            pl.concat(others).lazy(),
            responses,
            measures,
            prompts.select(OF_PROMPTS),
        )
        return selected, funnel

    def _pair(
        self, frames: Frames, funnel: Funnel
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Of the pairs that the pairings make, those that the filters keep, the others, the measures.

        A prompt is dropped where no pairing made a pair of it, for the reasons of all of them.
        """
        recipe = self._recipe
        pairs, drops = make_pairs(recipe.pairings, frames, recipe.head.seed, self._of_pairs)
        named = texts_read(recipe.measures)
        pairs, measures = measured(
            recipe.measures, frames, self._texts(pairs, named) if named else pairs
        )
        pairs = pairs.drop(named).with_row_index(ROW)
        compared, n_prompts = pairs["comparison_id"].drop_nulls(), pairs["prompt"].n_unique()
        unpaired = drops.filter(level="prompts").join(pairs, on="prompt_id", how="anti")
        undecided = drops.filter(
            ~pl.col("id").is_in(compared.unique().implode()), level="comparisons"
        )
        n_compared = compared.n_unique()
        funnel.step("pairings", "prompts", frames.prompts.height, n_prompts, unpaired)
        n_in = n_compared + undecided["id"].n_unique()
        funnel.step("pairings", "comparisons", n_in, n_compared, undecided)
        kept = self._sift(pairs, "pairs", funnel)
        columns = (*pairs_read(recipe), *measures_read(recipe))
        return kept.select(columns), less(pairs, kept), measures

    def _filter(self, frame: pl.DataFrame, on: On, funnel: Funnel) -> pl.DataFrame:
        """What no step before has dropped, nor the late filters on `on` drop."""
        gone = funnel.ids(on)
        if gone.len():
            frame = frame.filter(~pl.col(ID[on]).is_in(gone.implode()))
        return self._sift(frame, on, funnel)

    def _sift(self, frame: pl.DataFrame, on: On, funnel: Funnel) -> pl.DataFrame:
        """What the late filters on `on` keep, without the texts that some of them needed."""
        filters = late(self._recipe.filters, on)
        if not filters:
            return frame
        named = texts_named(filters)
        kept, drops = apply_filters(filters, self._texts(frame, named) if named else frame, on)
        funnel.step("filters", on, frame.height, kept.height, drops)
        return kept.drop(named)

    def _refuse_unexplained(
        self, prompts: pl.DataFrame, pairs: list[pl.DataFrame], funnel: Funnel
    ) -> None:
        """Every prompt has pairs, each kept or dropped for a reason, or a reason of its own."""
        unexplained = prompts.select("prompt", "prompt_id")
        for table in pairs:
            unexplained = unexplained.join(table, on="prompt", how="anti")
        if unexplained.height:
            unexplained = unexplained.join(funnel.drops(), on="prompt_id", how="anti")
        if unexplained.height:
            example = unexplained["prompt_id"][0]
            raise StoreError(
                f"{unexplained.height} prompts vanished without a reason, as {example}"
            )


def _theirs(rows: pl.DataFrame, some: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """The `rows` of `some` prompts; with all of the `prompts` there is no need to look."""
    if some.height == prompts.height and not rows["prompt"].null_count():
        return rows
    return rows.join(some, on="prompt", how="semi")
