"""A revision and what it revises (CLAIR, arXiv 2408.06266): answers that differ where it matters."""

from typing import ClassVar, Literal

import polars as pl

from pipelines.pairing import Paired, Pairing
from pipelines.revising.reasons import REASONS
from pipelines.selection import votes
from pipelines.selection.duels import first_reason
from pipelines.selection.frames import MAY_BE_LEFT_OUT, NUMBER, PAIRED, Columns, Frames

CHILD, PARENT = ("response", "score", "has_text", "refused", "text_hash", "norm_hash"), "parent_"


class Revision(Pairing):
    """Each usable revision over what it revises; under it, where it was made to be worse.

    No judge is needed. Where one scored both, the pair has its scores.
    """

    reads: ClassVar[Columns] = Columns(
        responses=frozenset(("parent_id", "relation", "error", "sampler", *CHILD)),
        judgments=votes.READS,
    )

    samplers: tuple[str, ...] = ()
    """Names of the samplers whose revisions are paired. Default: all of them."""
    against: Literal["parent", "original"] = "parent"
    """What a revision of a revision is set against: what it revises, or the first answer."""
    agreed: bool = False
    """Whether a pair is made only where the score says that the revision did what it was to do: of
    a better one it is higher, of a worse one lower."""

    def sampler_names(self) -> tuple[str, ...]:
        """Those whose revisions are paired."""
        return self.samplers

    def pair(self, frames: Frames, seed: int) -> Paired:
        """One pair for each revision that is usable."""
        revisions = _with_parents(self._revisions(frames), frames, self.against)
        revisions = revisions.with_columns(reason=self._reason())
        pairs = _sided(revisions.filter(pl.col("reason").is_null()))
        unpaired = frames.prompts.select("prompt").join(pairs, on="prompt", how="anti")
        why = revisions.group_by("prompt").agg(pl.col("reason").sort().first())
        return Paired(
            votes.count_votes(pairs, frames).select(
                name for name in PAIRED if name not in MAY_BE_LEFT_OUT
            ),
            unpaired.join(why, on="prompt", how="left").with_columns(
                pl.col("reason").fill_null("no_revision")
            ),
        )

    def _revisions(self, frames: Frames) -> pl.DataFrame:
        is_revision = pl.col("relation").is_in(["revision", "worsening"])
        ours = pl.col("sampler").is_in(self.samplers) if self.samplers else pl.lit(True)
        return frames.responses.filter(is_revision & ours)

    def _reason(self) -> pl.Expr:
        """Why a revision gives no pair; null where it gives one."""
        better = pl.col("relation") == "revision"
        chosen_refused = pl.when(better).then("refused").otherwise("parent_refused")
        rises = pl.col("score") > pl.col("parent_score")
        falls = pl.col("score") < pl.col("parent_score")
        agreed = pl.when(better).then(rises).otherwise(falls).fill_null(False)
        known = pl.col("error").is_in(REASONS)
        reasons = {
            "original_dropped": pl.col("parent_response").is_null(),
            "revision_failed": pl.col("error").is_not_null() & ~known,
            "no_text": ~pl.col("has_text") & pl.col("error").is_null(),
            "no_change": pl.col("norm_hash") == pl.col("parent_norm_hash"),
            "chosen_refused": chosen_refused & (not self.choose_refusals),
            "not_agreed": ~agreed & self.agreed,
        }
        return pl.coalesce(pl.when(known).then("error"), first_reason(reasons))


def _with_parents(revisions: pl.DataFrame, frames: Frames, against: str) -> pl.DataFrame:
    """`revisions` with what is known of what they are set against."""
    responses = frames.responses
    if against == "original":
        revisions = _from_originals(revisions, responses)
    parents = responses.select(pl.col(CHILD).name.prefix(PARENT), parent_id="response_id")
    return revisions.join(parents, on="parent_id", how="left")


def _from_originals(revisions: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """`revisions` whose `parent_id` is the first answer that they come from."""
    above = responses.filter(pl.col("relation").is_in(["revision", "worsening"])).select(
        parent_id="response_id", above="parent_id"
    )
    while True:
        climbed = revisions.join(above, on="parent_id", how="left")
        if climbed["above"].null_count() == climbed.height:
            return revisions
        revisions = climbed.with_columns(parent_id=pl.coalesce("above", "parent_id")).drop("above")


def _sided(revisions: pl.DataFrame) -> pl.DataFrame:
    """Which of the two is chosen."""
    better = pl.col("relation") == "revision"

    def side(own: str, other: str) -> pl.Expr:
        return pl.when(better).then(own).otherwise(other)

    return revisions.select(
        "prompt",
        chosen=side("response", "parent_response").cast(NUMBER),
        rejected=side("parent_response", "response").cast(NUMBER),
        comparison_id=pl.lit(None, pl.String),
        score_chosen=side("score", "parent_score"),
        score_rejected=side("parent_score", "score"),
    )
