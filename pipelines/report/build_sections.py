"""What became of all rows: the funnel, the parts of the set, and what it took."""

from pipelines.report.charts import CHOSEN, OTHER, Bar, Series, Spec, bars
from pipelines.report.numbers import count, percent, percents, score
from pipelines.report.section import MOST_DRAWN, Column, Section, named, number
from pipelines.report.tables import Row


def _reasons(row: Row) -> str:
    return ", ".join(f"{one['reason']} {count(one['n'])}" for one in row["reasons"])


def _step(row: Row) -> str:
    return f"{row['place']}. {row['step']} ({row['level']})"


def _funnel(rows: list[Row]) -> Spec | None:
    shares = [
        bar
        for row in rows
        if row["n_in"]
        for bar in (
            Bar(_step(row), "kept", row["n_kept"] / row["n_in"]),
            Bar(_step(row), "dropped", row["n_dropped"] / row["n_in"]),
        )
    ]
    return bars(shares, (Series("kept", CHOSEN), Series("dropped", OTHER)), "share", "%")


def _parts(rows: list[Row]) -> Spec | None:
    shown = [
        bar
        for row in rows[:MOST_DRAWN]
        for label in [f"{row['part_by']}: {row['part'] or 'unknown'}"]
        for bar in (
            Bar(label, "with a pair", row["n_with_pairs"]),
            Bar(label, "without", row["n_prompts"] - row["n_with_pairs"]),
        )
    ]
    return bars(shown, (Series("with a pair", CHOSEN), Series("without", OTHER)), "prompts")


def _languages(rows: list[Row]) -> Spec | None:
    shown = [
        bar
        for row in rows[:MOST_DRAWN]
        for bar in (
            Bar(row["lang"] or "unknown", "kept", row["n_kept"]),
            Bar(row["lang"] or "unknown", "dropped", row["n_responses"] - row["n_kept"]),
        )
    ]
    return bars(shown, (Series("kept", CHOSEN), Series("dropped", OTHER)), "responses")


def _cost(rows: list[Row]) -> Spec | None:
    if not any(row["money"] for row in rows):
        tokens = [
            bar
            for row in rows[:MOST_DRAWN]
            for bar in (
                Bar(row["model"], "prompt", row["prompt_tokens"]),
                Bar(row["model"], "completion", row["completion_tokens"]),
            )
        ]
        return bars(tokens, (Series("prompt", OTHER), Series("completion", CHOSEN)), "tokens")
    money = [Bar(row["model"], "money", row["money"]) for row in rows[:MOST_DRAWN]]
    return bars(money, (Series("money", CHOSEN),), "money")


def _money(row: Row) -> str:
    if row["unpriced"] + row["missing_usage"] >= row["calls"]:
        return "unknown"
    return score(row["money"])


FUNNEL = Section(
    title="Funnel",
    about="What each step of the build kept and dropped, and why. A row may have several reasons.",
    query="FROM steps ORDER BY place",
    columns=(
        Column("step", lambda row: f"{row['place']}. {row['step']}", is_number=False),
        named("of", "level"),
        number("in", "n_in", count),
        number("kept", "n_kept", count),
        number("dropped", "n_dropped", count),
        Column("reasons", _reasons, is_number=False),
    ),
    chart=_funnel,
    without="the manifest counts no step",
    is_wordy=True,
)

BREAKDOWN = Section(
    title="Sources, languages, tasks, splits",
    about="How prompts and pairs spread over the parts of the set: a part without pairs is not "
    "learned from.",
    query="SELECT breakdown.*, low, high FROM breakdown LEFT JOIN figures "
    "ON figure = part_by || '_prompt_share' AND subject = part "
    "WHERE part IS NOT NULL ORDER BY part_by = 'split', part_by, n_prompts DESC, part",
    columns=(
        named("by", "part_by"),
        named("part", "part"),
        number("prompts", "n_prompts", count),
        Column("with a pair", lambda row: percent(row["n_with_pairs"] / row["n_prompts"])),
        Column("95 %", lambda row: percents(row["low"], row["high"])),
        number("pairs", "n_pairs", count),
        number("mean score", "score_mean", score),
        number("mean margin", "margin_mean", score),
        number("chosen, characters", "n_chars_chosen", lambda value: _whole(value)),
        number("rejected, characters", "n_chars_rejected", lambda value: _whole(value)),
    ),
    chart=_parts,
    without="there is no prompt",
)

LANGUAGES = Section(
    title="Languages",
    about="What became of each language's prompts and of the responses to them. Those of responses are "
    "told where the recipe has a table [languages]; a model that slips into another one shows here.",
    query="FROM language_funnel ORDER BY n_prompts DESC, lang NULLS LAST",
    only_if="FROM prompts WHERE lang IS NOT NULL LIMIT 1",
    columns=(
        named("asked in", "lang"),
        number("prompts", "n_prompts", count),
        number("responses", "n_responses", count),
        number("in that language", "n_same_language", count),
        number("in another one", "n_other_language", count),
        number("kept", "n_kept", count),
        number("scored", "n_scored", count),
        number("pairs", "n_pairs", count),
    ),
    chart=_languages,
    without="no prompt says its language, and the recipe has no [languages]",
)

COST = Section(
    title="Cost",
    about="What each model took, in this run and in those before it whose replies were used again.",
    query="FROM spending ORDER BY money DESC, model",
    columns=(
        named("model", "model"),
        number("calls", "calls", count),
        number("prompt tokens", "prompt_tokens", count),
        number("completion tokens", "completion_tokens", count),
        Column("money", _money),
        number("replies without usage", "missing_usage", count),
    ),
    chart=_cost,
    without="no model was called",
)


def _whole(value: float | None) -> str:
    return count(None if value is None else round(value))
