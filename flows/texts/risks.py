"""The risks of a version's pairs, as text."""

from collections.abc import Iterator, Sequence

from flows.texts.plain import aligned, count, counted
from flows.texts.terminal import one_line
from pipelines.bias.figure import Figure
from pipelines.bias.length import MOST as MOST_BY_RULE
from pipelines.risks.compared import Compared
from pipelines.risks.probe import FOLDS
from pipelines.risks.separability import (
    LEAST_PAIRS,
    MOST,
    Separability,
    model_pairs,
    separability,
)
from pipelines.risks.shortcuts import shortcuts

RULES = {"longer": "the longer answer", "denser": "the one with more Markdown"}
WIDEST = 70
"""Columns of the names of two models."""


def risks_text(ref: str, known: Compared, most: int) -> str:
    """Shortcuts, and separability over all and for at most so many pairs of models."""
    about = f"{ref}: {counted(known.pairs.height, 'pair')}"
    if known.pairs.is_empty():
        return about
    lines = [about, "", *_rules(shortcuts(known.pairs)), "", *_probes(*_probed(known, most))]
    return "\n".join(lines)


def _rules(rules: dict[str, Figure | None]) -> Iterator[str]:
    yield "chosen, if only this counted (0.5: it tells nothing)"
    rows: list[Sequence[str]] = [("", "", "share", "95 %", "pairs")]
    for rule, found in rules.items():
        value = ("-", "", "0") if found is None else (*_shown(found), f"{found.n:,}")
        rows.append((_mark(found, MOST_BY_RULE), RULES[rule], *value))
    yield aligned(rows)
    if any(mark for mark, *_ in rows):
        yield "A model may learn that instead of what is better. docs/risks.md: what helps."


def _probes(probed: dict[str, Separability | None], unprobed: int) -> Iterator[str]:
    yield "told from how a text looks whether it is a chosen one (0.5: no better than a coin)"
    rows: list[Sequence[str]] = [("", "", "accuracy", "95 %", "AUC", "texts")]
    for name, found in probed.items():
        if found is None:
            few = f"too few: {LEAST_PAIRS} pairs of {FOLDS} prompts are needed"
            rows.append(("", one_line(name, WIDEST), "-", few, "", ""))
        else:
            accuracy, mark = found.accuracy, _mark(found.accuracy, MOST)
            figures = (*_shown(accuracy), f"{found.auc:.3f}", f"{accuracy.n:,}")
            rows.append((mark, one_line(name, WIDEST), *figures))
    yield aligned(rows)
    if unprobed:
        why = f"with fewer than {LEAST_PAIRS} pairs, or beyond --models"
        yield f"   {count(unprobed)} more (chosen > rejected) not probed: {why}"
    if any(mark for mark, *_ in rows):
        yield "A model may learn whose style that is. docs/risks.md: what helps."


def _probed(known: Compared, most: int) -> tuple[dict[str, Separability | None], int]:
    """What was probed, by its name, and how many pairs of models were not."""
    groups = model_pairs(known)
    found = {"all pairs": separability(known, known.pairs)}
    if len(groups) == 1:
        return found, 0
    enough = [models for models, pairs in groups.items() if pairs.height >= LEAST_PAIRS][:most]
    for chosen, rejected in enough:
        found[f"{chosen} > {rejected}"] = separability(known, groups[chosen, rejected])
    return found, len(groups) - len(enough)


def _mark(figure: Figure | None, bound: float) -> str:
    """An exclamation mark from the bound on; "?" where the interval reaches below it, or is none."""
    if figure is None or figure.value < bound:
        return ""
    return "!" if figure.interval is not None and figure.interval.low >= bound else "?"


def _shown(figure: Figure) -> tuple[str, str]:
    interval = figure.interval
    reach = "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
    return f"{figure.value:.3f}", reach
