"""An ablation as text: one line for each variant."""

from dataclasses import asdict
from itertools import groupby
from typing import Any

import orjson

from flows.texts.plain import aligned, counted
from flows.texts.terminal import one_line
from pipelines.ablation.ablate import Ablation, Row

HEADS = {
    "alone": "each component alone",
    "cumulated": "cumulated",
    "without": "the recipe without",
    "judge": "the recipe with one judge",
}
COLUMNS = ("", "prompts", "pairs", "margin", "chosen", "rejected", "chars +", "chars -", "on-policy",
           "models", "sources", "")  # fmt: skip
MOST_SOURCES = 6
"""Sources with a column of their own."""

LEGEND = """\
margin, chosen, rejected: mean scores; chars +, chars -: mean length of chosen and rejected;
on-policy: share of pairs whose chosen answer is the policy's; models, sources: how far the models
that are chosen, and the sources of the pairs, are from those of "nothing" (total variation, 0 to 1);
a row without pairs ends with the commonest reason why

nothing: the pairing alone, scored by the first judge; annotation: [score]; instruction filter,
response filter: filters on prompts, on responses; pair rule: filters on pairs, and the selectors"""


def ablation_text(ablation: Ablation) -> str:
    """The table of all variants, and what it is about."""
    nothing = ablation.rows[0]
    lines: list[tuple[str, ...]] = [COLUMNS]
    for group, rows in groupby(ablation.rows, key=lambda row: row.group):
        lines.append((HEADS[group], *("" for _ in COLUMNS[1:])))
        lines += [_line(row, nothing) for row in rows]
    about = [counted(ablation.prompts, "prompt") + ", no call made"]
    if ablation.owed:
        about.append(f"{counted(ablation.owed, 'prompt')} left out: their calls are not paid yet")
    return "\n".join([aligned(lines), "", *_sources(ablation), LEGEND, "", "; ".join(about)])


def _sources(ablation: Ablation) -> list[str]:
    """The share that each source has of the pairs of a variant; of one source there is no table."""
    names = list(dict.fromkeys(name for row in ablation.rows for name in row.figures.sources))
    if len(names) < 2:
        return []
    shown, rest = names[:MOST_SOURCES], names[MOST_SOURCES:]
    lines = [
        ("pairs by source", *(one_line(name, 20) for name in shown), *("others",) * bool(rest))
    ]
    for group, rows in groupby(ablation.rows, key=lambda row: row.group):
        lines.append((HEADS[group], *("" for _ in lines[0][1:])))
        for row in rows:
            shares = [row.figures.sources.get(name, 0.0) for name in shown]
            others = [sum(row.figures.sources.get(name, 0.0) for name in rest)] * bool(rest)
            told = (f"{share:.0%}" if row.figures.pairs else "" for share in [*shares, *others])
            lines.append((f"  {row.name}", *told))
    return [aligned(lines), ""]


def ablation_json(ablation: Ablation) -> str:
    """Everything, the shares of each model and source among it."""
    nothing = ablation.rows[0]
    rows: list[dict[str, Any]] = [
        {
            "group": row.group,
            "name": row.name,
            **asdict(row.figures),
            "shift": row.figures.shift(nothing.figures),
            "source_shift": row.figures.source_shift(nothing.figures),
        }
        for row in ablation.rows
    ]
    told = {"prompts": ablation.prompts, "owed": ablation.owed, "rows": rows}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()


def _line(row: Row, nothing: Row) -> tuple[str, ...]:
    figures = row.figures
    numbers = [
        _number(figures.margin, 2),
        _number(figures.score_chosen, 2),
        _number(figures.score_rejected, 2),
        _number(figures.n_chars_chosen, 0),
        _number(figures.n_chars_rejected, 0),
        "" if figures.on_policy is None else f"{figures.on_policy:.0%}",
        _number(figures.shift(nothing.figures), 2),
        _number(figures.source_shift(nothing.figures), 2),
        "" if figures.pairs else _why(figures.reasons),
    ]
    return (f"  {row.name}", f"{figures.prompts:,}", f"{figures.pairs:,}", *numbers)


def _why(reasons: dict[str, int]) -> str:
    """The commonest reason.

    >>> _why({"all_tied": 1200, "identical": 3})
    'all_tied 1,200'
    """
    return next((f"{reason} {rows:,}" for reason, rows in reasons.items()), "")


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:,.{decimals}f}"
