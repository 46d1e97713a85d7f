"""Who wins against whom."""

from pipelines.report import charts
from pipelines.report.charts import Cell, Reach, Spec
from pipelines.report.numbers import count, decimals, interval, percent
from pipelines.report.section import MOST_DRAWN, Column, Section, named, number
from pipelines.report.tables import Row


def _strengths(rows: list[Row]) -> Spec | None:
    known = [row for row in rows if row["strength"] is not None]
    reaches = [
        Reach(row["model"], row["strength"], row["low"], row["high"]) for row in known[:MOST_DRAWN]
    ]
    return charts.intervals(reaches, "strength, in nats", (0,)) if reaches else None


def _wins(rows: list[Row]) -> Spec | None:
    order = list(dict.fromkeys(row["model"] for row in rows))[:MOST_DRAWN]
    cells = [Cell(row["model"], row["other"], row["win_share"]) for row in rows]
    shown = [one for one in cells if {one.row, one.column} <= set(order)]
    return charts.heat(shown, order)


STRENGTHS = Section(
    title="Models",
    about="How often each model's answers were chosen over another's, and its Bradley-Terry strength: "
    "of two models, the one wins with the probability 1 / (1 + exp(-(difference of strengths))).",
    query="FROM model_strengths ORDER BY strength DESC NULLS LAST, win_share DESC, model",
    columns=(
        named("model", "model"),
        number("pairs", "n_pairs", count),
        number("chosen", "win_share", percent),
        number("strength", "strength", decimals),
        Column("95 %", lambda row: interval(row["low"], row["high"])),
    ),
    chart=_strengths,
    without="no pair has answers of two models",
)

WINS = Section(
    title="Who wins against whom",
    about="Of the pairs of two models, the share in which the first one's answer was chosen: the "
    "stronger the colour, the larger.",
    query="SELECT wins.* FROM wins JOIN model_strengths AS own USING (model) "
    "ORDER BY own.strength DESC NULLS LAST, own.win_share DESC, model, wins.n_pairs DESC, other",
    columns=(
        named("model", "model"),
        named("against", "other"),
        number("pairs", "n_pairs", count),
        number("chosen", "n_wins", count),
        number("share", "win_share", percent),
    ),
    chart=_wins,
    without="no pair has answers of two models",
)
