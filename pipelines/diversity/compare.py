"""Comparing two ways of drawing sets of responses, on the prompts that both were drawn for.

Each figure is a mean over prompts; its interval, and that of the difference, are of resampled
prompts. A difference is paired: of the same prompt, by both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.agreement.bootstrap import Interval, bootstrap
from pipelines.diversity.spread import Spread, spread_of

SIDE = {
    "prompt_id": pl.String,
    "lang": pl.String,
    "text": pl.String,
    "completion_tokens": pl.Float64,
}
"""The columns of a side: its responses that have a text, a row for each."""

EXPRESSED = {"prompt_id": pl.String, "value": pl.String, "expressed": pl.Boolean}
"""Whether some response to a prompt expresses a value, as a judge has it: a row for each of both."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one way of drawing gave."""

    name: str
    responses: pl.DataFrame
    """Columns `SIDE`."""
    expressed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EXPRESSED))
    """Columns `EXPRESSED`; empty where no judge looked for values."""


class Figure(NamedTuple):
    """A figure of both sides."""

    name: str
    prompts: int
    a: float
    a_interval: Interval | None
    b: float
    b_interval: Interval | None
    difference: float
    """Of b, less a."""
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, compared."""

    figures: Sequence[Figure]
    by_lang: Mapping[str, Sequence[Figure]]
    """Language -> its figures, where the prompts have several."""
    prompts: int
    """Prompts that are compared."""
    left_out: int
    """Prompts of either side that are not, since one side has fewer than two responses."""


def compare_sides(a: Side, b: Side, seed: int = 0) -> Comparison:
    """The figures of both sides on the prompts for which both have at least two responses."""
    values_a, values_b = _values(a), _values(b)
    shared = sorted(values_a.keys() & values_b.keys())
    langs = dict(a.responses.select("prompt_id", "lang").unique("prompt_id").iter_rows())
    by_lang: dict[str, list[str]] = {}
    for prompt in shared:
        by_lang.setdefault(langs.get(prompt) or "unknown", []).append(prompt)
    every = pl.concat([a.responses, b.responses])["prompt_id"].n_unique()
    return Comparison(
        _figures(values_a, values_b, shared, seed),
        {
            lang: _figures(values_a, values_b, prompts, seed)
            for lang, prompts in sorted(by_lang.items())
            if len(by_lang) > 1
        },
        len(shared),
        every - len(shared),
    )


def _values(side: Side) -> dict[str, dict[str, float]]:
    """Prompt -> figure -> its value, of prompts with at least two responses."""
    found: dict[str, dict[str, float]] = {}
    sets = side.responses.sort("prompt_id", "text").group_by("prompt_id", maintain_order=True)
    for (prompt,), rows in sets:
        if rows.height < 2:
            continue
        spread = spread_of(rows["text"].to_list())
        values = {"responses": float(rows.height), **spread._asdict()}
        if rows["completion_tokens"].null_count() == 0:
            values["tokens"] = float(rows["completion_tokens"].sum())
        found[str(prompt)] = values
    for prompt, value, expressed in side.expressed.select(*EXPRESSED).iter_rows():
        if prompt in found:
            found[prompt][f"covers {value}"] = float(expressed)
    return found


def _figures(
    a: Mapping[str, Mapping[str, float]],
    b: Mapping[str, Mapping[str, float]],
    prompts: Sequence[str],
    seed: int,
) -> list[Figure]:
    names = dict.fromkeys(name for prompt in prompts for name in (*a[prompt], *b[prompt]))
    order = {name: place for place, name in enumerate(("responses", "tokens", *Spread._fields))}
    return [
        figure
        for name in sorted(names, key=lambda one: (order.get(one, len(order)), one))
        if (figure := _figure(name, a, b, prompts, seed)) is not None
    ]


def _figure(
    name: str,
    a: Mapping[str, Mapping[str, float]],
    b: Mapping[str, Mapping[str, float]],
    prompts: Sequence[str],
    seed: int,
) -> Figure | None:
    pairs = [(a[one][name], b[one][name]) for one in prompts if name in a[one] and name in b[one]]
    if not pairs:
        return None
    of_a, of_b = np.array(pairs).T
    return Figure(
        name,
        len(pairs),
        float(of_a.mean()),
        bootstrap(of_a, np.mean, seed),
        float(of_b.mean()),
        bootstrap(of_b, np.mean, seed),
        float((of_b - of_a).mean()),
        bootstrap(of_b - of_a, np.mean, seed),
    )
