"""Notes: the main figures of each judge, for the manifest of a version.

Of versions with more prompts than `MOST_PROMPTS`, these are the figures of the first ones in the
order of their ids, which are hashes, and a judge beside more others than `MOST_OTHERS`, as each of many
groups of people is, agrees or not with the next ones by name: an account costs little. `pairwright
judge report` counts all.
"""

from collections.abc import Mapping

import polars as pl

from pipelines.bias.duels import duels
from pipelines.bias.figure import Figure
from pipelines.bias.judged import Judged, judged
from pipelines.bias.length_control import control
from pipelines.bias.panel import MOST_OTHERS, common, same_order
from pipelines.bias.position import position
from pipelines.bias.traits import more_wins
from pipelines.judging.tie_rule import TieRules
from pipelines.scoring.score import Score, score_responses

MOST_PROMPTS = 20_000
LENGTH_SLOPE = "length_slope"
"""The note of what `length_slopes` gives."""


def notes(responses: pl.LazyFrame, judgments: pl.LazyFrame) -> dict[str, dict[str, float]]:
    """Judge -> the notes that are defined for it, in four digits behind the point.

    `responses` have `judged.LENGTHS`, `judgments` the columns `frames.JUDGMENTS`.
    """
    known = _first_prompts(responses, judgments)
    names = known.judges()
    fought = {name: duels(known.of(name)) for name in names}
    return {name: _of_judge(known, name, fought) for name in names}


def length_slopes(
    score: Score, responses: pl.LazyFrame, judgments: pl.LazyFrame, rules: TieRules
) -> dict[str, float]:
    """Judge that counts -> the slope that `control = "length"` took off, where there was one.

    Score units for each doubling of the length, as the scores of the version were made with.
    """
    if score.control != "length":
        return {}
    known, found = judged(responses, judgments), {}
    rating = pl.col("response").is_not_null() & pl.col("dimension").is_null()
    for judge in score.judges or known.judgments.filter(rating)["judge"].unique():
        plain = Score(judges=(judge,), samples=score.samples)
        scored = score_responses(plain, known.responses, known.judgments, rules)
        _, slope = control(scored.select("prompt", "n_chars", value="score"))
        if slope is not None:
            found[judge] = slope
    return found


def _first_prompts(responses: pl.LazyFrame, judgments: pl.LazyFrame) -> Judged:
    each_once = pl.col("prompt_id").rle().struct.field("value").unique()  # they lie together
    ids = responses.select(each_once).collect().to_series().sort()
    if ids.len() <= MOST_PROMPTS:
        return judged(responses, judgments)
    first = pl.col("prompt_id") < ids[MOST_PROMPTS]
    return judged(responses.filter(first), judgments.filter(first))


def _of_judge(known: Judged, name: str, fought: Mapping[str, pl.DataFrame]) -> dict[str, float]:
    orders = position(known.of(name), sure=False)
    found = {
        "flip_rate": orders.flip_rate,
        "a_rate": orders.a_rate,
        "longer_wins": more_wins(fought[name], known.responses["n_chars"], sure=False),
        "same_order": _agreement(name, fought),
    }
    return {note: round(one.value, 4) for note, one in found.items() if one is not None}


def _agreement(name: str, fought: Mapping[str, pl.DataFrame]) -> Figure | None:
    """Of the duels that this judge and another decide, over all others, the share decided alike."""
    names = sorted(fought)
    place = names.index(name) + 1
    others = [*names[place:], *names[: place - 1]][:MOST_OTHERS]
    both = [common(fought[name], fought[other]) for other in others]
    return same_order(pl.concat(both), sure=False) if both else None
