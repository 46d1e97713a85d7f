"""Figures of the judges: what they look at beside quality, and how far any two say the same.

Of versions with more prompts than `MOST_PROMPTS`, those of the first ones in the order of their
ids, which are hashes; of more judges than `MOST_OTHERS`, each beside the next ones by name. `pairwright
judge report` counts all, and shows more.
"""

from collections.abc import Iterator

import polars as pl

from pipelines.bias.distribution import ties
from pipelines.bias.judged import LENGTHS, Judged, judged, judgments_of
from pipelines.bias.panel import MOST_OTHERS, agreements
from pipelines.bias.position import position
from pipelines.bias.profile import Heard, heard
from pipelines.bias.reading import reading
from pipelines.bias.traits import more_wins
from pipelines.gating.figure_gates import OF_JUDGES
from pipelines.publishing.versions import Version
from pipelines.report.estimates import off_half, rows
from schemas.version import Figure

MOST_PROMPTS = 10_000
JUDGE_FIGURES = OF_JUDGES | {"judge_agreement", "judge_kappa"}


def judge_figures(version: Version) -> Iterator[Figure]:
    """All of them that are defined, by judge."""
    known = _first_prompts(version)
    panel = {judge: heard(known, judge) for judge in known.whole()}
    for one in panel.values():
        yield from _of_judge(one, known.responses["n_chars"])
    duels = {judge: one.duels for judge, one in panel.items()}
    ratings = {judge: one.ratings for judge, one in panel.items()}
    for two in agreements(duels, ratings, most_others=MOST_OTHERS):
        yield from rows("judge_agreement", two.same_order, two.one, two.other)
        yield from rows("judge_kappa", two.kappa, two.one, two.other)


def _of_judge(one: Heard, n_chars: pl.Series) -> Iterator[Figure]:
    orders = position(one.said)
    yield from rows("unread_rate", reading(one.said).unread_rate, one.judge)
    yield from rows("tie_rate", ties(one.duels), one.judge)
    yield from rows("flip_rate", orders.flip_rate, one.judge)
    yield from rows("position_bias", off_half(orders.a_rate), one.judge)
    yield from rows("judge_length_bias", off_half(more_wins(one.duels, n_chars)), one.judge)


def _first_prompts(version: Version) -> Judged:
    prompts = pl.scan_parquet(version.files("prompts"), glob=False).select("prompt_id")
    answers = pl.scan_parquet(version.files("responses"), glob=False).select(*LENGTHS, "text_hash")
    said = judgments_of(version)
    if version.manifest.rows("prompts") > MOST_PROMPTS:
        last = prompts.collect().to_series().sort()[MOST_PROMPTS]
        answers = answers.filter(pl.col("prompt_id") < last)
        said = said.filter(pl.col("prompt_id") < last)
    return judged(answers, said)
