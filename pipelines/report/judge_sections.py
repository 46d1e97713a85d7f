"""What the judges do: how they agree, and what they look at beside quality."""

from pipelines.report import charts
from pipelines.report.charts import Reach, Spec
from pipelines.report.numbers import count, decimals, interval
from pipelines.report.section import MOST_DRAWN, Column, Section, number
from pipelines.report.tables import Row

AGREEMENT_WORDS = {"judge_agreement": "same preference", "judge_kappa": "kappa of verdicts"}
HABIT_WORDS = {
    "unread_rate": "not readable",
    "tie_rate": "undecided",
    "flip_rate": "changes with the order",
    "position_bias": "bias to a place",
    "judge_length_bias": "bias to length",
}


def _agreement(rows: list[Row]) -> Spec | None:
    own = [row for row in rows if row["figure"] == "judge_agreement"]
    reaches = [
        Reach(f"{row['judge']}, {row['other']}", row["value"], row["low"], row["high"])
        for row in own[:MOST_DRAWN]
    ]
    return charts.intervals(reaches, AGREEMENT_WORDS["judge_agreement"], (0.5,)) if own else None


def _habits(rows: list[Row]) -> Spec | None:
    reaches = [
        Reach(
            f"{HABIT_WORDS[row['figure']]}: {row['judge']}", row["value"], row["low"], row["high"]
        )
        for row in rows[:MOST_DRAWN]
    ]
    return charts.intervals(reaches, "share, or distance from one half", (0,))


_FIGURES = (
    number("figure", "value", decimals),
    Column("95 %", lambda row: interval(row["low"], row["high"])),
    number("of", "n", count),
    number("prompts", "prompts", count),
)

AGREEMENT = Section(
    title="Judges' agreement",
    about="Of the duels that two judges decide, the share that they decide alike; and Cohen's kappa of "
    "all their verdicts, 1 for the same ones and 0 for agreement by chance.",
    query="FROM judge_agreement ORDER BY figure, judge, other",
    columns=(
        Column("judges", lambda row: f"{row['judge']}, {row['other']}", is_number=False),
        Column("what", lambda row: AGREEMENT_WORDS[row["figure"]], is_number=False),
        *_FIGURES,
    ),
    chart=_agreement,
    without="no two judges saw the same answers",
)

HABITS = Section(
    title="Judges' habits",
    about="What decides beside quality. A bias is how far from one half the share is of comparisons "
    "that the first shown answer, or the longer one, wins.",
    query="FROM judge_habits ORDER BY judge, figure",
    columns=(
        Column("judge", lambda row: row["judge"], is_number=False),
        Column("what", lambda row: HABIT_WORDS[row["figure"]], is_number=False),
        *_FIGURES,
    ),
    chart=_habits,
    without="there is no judgment",
)
