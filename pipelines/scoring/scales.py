"""Scales: a threshold off the judges' scale is a mistake, found before the first call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from pipelines.errors import RecipeError
from pipelines.filter import Filter
from pipelines.judge import Judge
from pipelines.pairing import Pairing
from pipelines.part import Where
from pipelines.scoring.score import Score


class Scale(NamedTuple):
    """The lowest and highest score, and whose they are."""

    low: Decimal
    high: Decimal
    owner: str

    def __str__(self) -> str:
        return f"{self.owner} is {self.low} to {self.high}"


def check_scales(
    judges: Sequence[Judge],
    pairings: Sequence[Pairing],
    filters: Sequence[Filter],
    score: Score,
    where: Where,
) -> None:
    """Holds thresholds against the scales of the judges that `score` combines, or a pairing names.

    Raises one RecipeError for all thresholds that no score can reach or that were made for another
    scale, margins wider than the scale, and a mean over judges on different scales, one of which may
    be none that is known. Where no judge declares a scale, weights may be negative, or scores are controlled
    for something, every threshold is possible that was made for no scale.
    """
    scale = _combined(judges, score)
    faults = [
        *_mixed(judges, score, replace(where, table="[score]")),
        *_on_either(judges, filters, score, where),
        *_of_pairings(judges, pairings, scale, where),
        *_of_filters(filters, scale, where),
    ]
    if faults:
        raise RecipeError("\n".join(map(str, faults)))


def _of_pairings(
    judges: Sequence[Judge], pairings: Sequence[Pairing], scale: Scale | None, where: Where
) -> Iterator[RecipeError]:
    """The thresholds of pairings that no score can reach."""
    for number, pairing in enumerate(pairings, 1):
        here = replace(where, table=f"[[pairings]] #{number} ({pairing.kind})")
        own = _declared(judges, pairing.judge_names()) if pairing.judge_names() else scale
        yield from _no_scores(pairing.thresholds_on_scale(), own, here)


def _of_filters(
    filters: Sequence[Filter], scale: Scale | None, where: Where
) -> Iterator[RecipeError]:
    """The thresholds and margins of filters that no score can reach, or that are for another scale."""
    for number, one in enumerate(filters, 1):
        here = replace(where, table=f"[[filters]] #{number} ({one.kind})")
        yield from _meant_otherwise(one, scale, here)
        yield from _no_scores(one.thresholds_on_scale(), scale, here)
        yield from _no_margins(one.margins_on_scale(), scale, here)


def _combined(judges: Sequence[Judge], score: Score) -> Scale | None:
    """The scale of a combined score; None where it is not known."""
    scale = _declared(judges, score.judges)
    if scale is None or score.control or score.combine == "zscore":
        return None
    if any(weight < 0 for weight in score.weights.values()):
        return None
    if score.combine == "log_sigmoid":
        return Scale(Decimal("-Infinity"), Decimal(0), "a log-sigmoid")
    if score.combine == "majority":
        return Scale(Decimal(0), Decimal(1), "a share of responses beaten")
    return scale


def _mixed(judges: Sequence[Judge], score: Score, here: Where) -> Iterator[RecipeError]:
    """A judge on no known scale is on a scale of its own."""
    # judges of comparisons count only where they are named, with the scale of a win rate
    counting = [
        one for one in judges if one.name in score.judges or (one.rates() and not score.judges)
    ]
    scales = {one.name: one.score_scale() for one in counting}
    if score.combine in ("mean", "median", "min") and len(set(scales.values())) > 1:
        yield here.error(
            f"judges on different scales ({_told(scales)}) have no common {score.combine}. combine = "
            '"zscore" takes each in its standard deviations; or name those that count: judges = '
            '["NAME"]; or declare the `scale` of a judge that has none',
            "combine",
        )


def _told(scales: Mapping[str, tuple[Decimal, Decimal] | None]) -> str:
    """The judges with their scales."""
    return ", ".join(
        f"{name} {'on no known scale' if scale is None else f'{scale[0]} to {scale[1]}'}"
        for name, scale in scales.items()
    )


def _on_either(
    judges: Sequence[Judge], filters: Sequence[Filter], score: Score, where: Where
) -> Iterator[RecipeError]:
    """One prompt has the scores of one judge, the next those of another: no threshold fits both."""
    if score.combine != "first":
        return
    named = [judge for judge in judges if judge.name in score.judges]
    scales = {judge.name: judge.score_scale() for judge in named}
    if len(set(scales.values())) < 2:
        return
    for number, one in enumerate(filters, 1):
        if one.thresholds_on_scale() or one.margins_on_scale():
            yield replace(where, table=f"[[filters]] #{number} ({one.kind})").error(
                f"under combine = \"first\" a score is one judge's or another's ({_told(scales)}), and "
                "this threshold would mean something else for each. Give them one scale, or leave the "
                "filter out: what the strong judge decides is decided"
            )


def _declared(judges: Sequence[Judge], names: Sequence[str]) -> Scale | None:
    """The scales of the judges called `names` (of all, when empty) as one; None without any."""
    scales = {
        judge.name: judge.scale
        for judge in judges
        if judge.scale is not None and judge.name in (names or [judge.name])
    }
    if not scales:
        return None
    low, high = min(low for low, _ in scales.values()), max(high for _, high in scales.values())
    return Scale(low, high, "the scale of " + ", ".join(sorted(scales)))


def _meant_otherwise(one: Filter, scale: Scale | None, here: Where) -> Iterator[RecipeError]:
    """The scale that a filter is for is that of the score."""
    meant = one.scale_meant()
    if meant is None or (scale is not None and (scale.low, scale.high) == meant):
        return
    found = f"{scale}" if scale is not None else "no scale of the scores is known"
    yield here.error(
        f"its thresholds are for scores from {meant[0]} to {meant[1]}, and {found}. Thresholds do not "
        "transfer: ask the judge for that scale, or find others and say their `scale`",
        "scale",
    )


def _no_scores(
    thresholds: Iterable[Decimal], scale: Scale | None, here: Where
) -> Iterator[RecipeError]:
    for threshold in thresholds:
        if scale is not None and not scale.low <= threshold <= scale.high:
            yield here.error(f"no score can be {threshold}: {scale}. {_ADVICE}")


def _no_margins(
    margins: Iterable[Decimal], scale: Scale | None, here: Where
) -> Iterator[RecipeError]:
    for margin in margins:
        if scale is not None and margin > scale.high - scale.low:
            yield here.error(f"no margin can be {margin}: {scale}. {_ADVICE}")


_ADVICE = "A judge that scores on another scale must declare its own `scale`"
