"""Scales: a threshold off the judges' scale is a mistake, found before the first call."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from pipelines.filter import Filter
from pipelines.judge import Judge
from pipelines.pairing import Pairing
from pipelines.part import Where
from pipelines.selection.score import Score


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

    Raises RecipeError for a threshold that no score can reach, a margin wider than the scale, or a
    mean over judges on different scales.
    Checks nothing where no judge declares a scale, weights may be negative, or scores are
    controlled for something.
    """
    _refuse_mixed(judges, score, replace(where, table="[score]"))
    _refuse_thresholds_on_either(judges, filters, score, where)
    scale = _combined(judges, score)
    for number, pairing in enumerate(pairings, 1):
        here = replace(where, table=f"[[pairings]] #{number} ({pairing.kind})")
        own = _declared(judges, pairing.judge_names()) if pairing.judge_names() else scale
        _check_scores(pairing.thresholds_on_scale(), own, here)
    for number, one in enumerate(filters, 1):
        here = replace(where, table=f"[[filters]] #{number} ({one.kind})")
        _check_scores(one.thresholds_on_scale(), scale, here)
        _check_margins(one.margins_on_scale(), scale, here)


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


def _refuse_mixed(judges: Sequence[Judge], score: Score, here: Where) -> None:
    scales = _known_scales(judges, score.judges)
    if not score.judges:  # judges of comparisons count only where they are named
        scales = {judge.name: judge.scale for judge in judges if judge.scale is not None}
    if score.combine in ("mean", "median", "min") and len(set(scales.values())) > 1:
        told = ", ".join(f"{name} {low} to {high}" for name, (low, high) in scales.items())
        raise here.error(
            f'judges on different scales ({told}) have no common {score.combine}. combine = "zscore"'
            ' takes each in its standard deviations; or name those that count: judges = ["NAME"]',
            "combine",
        )


def _refuse_thresholds_on_either(
    judges: Sequence[Judge], filters: Sequence[Filter], score: Score, where: Where
) -> None:
    """One prompt has the scores of one judge, the next those of another: no threshold fits both."""
    if score.combine != "first":
        return
    named = [judge for judge in judges if judge.name in score.judges]
    scales = {judge.name: judge.score_scale() for judge in named}
    if len(set(scales.values())) < 2:
        return
    told = ", ".join(
        f"{name} {'on no known scale' if scale is None else f'{scale[0]} to {scale[1]}'}"
        for name, scale in scales.items()
    )
    for number, one in enumerate(filters, 1):
        if one.thresholds_on_scale() or one.margins_on_scale():
            raise replace(where, table=f"[[filters]] #{number} ({one.kind})").error(
                f"under combine = \"first\" a score is one judge's or another's ({told}), and this "
                "threshold would mean something else for each. Give them one scale, or leave the "
                "filter out: what the strong judge decides is decided"
            )


def _known_scales(
    judges: Sequence[Judge], names: Sequence[str]
) -> dict[str, tuple[Decimal, Decimal]]:
    """The scales of the judges called `names`, a win rate's among them."""
    named = [judge for judge in judges if judge.name in names]
    return {judge.name: scale for judge in named if (scale := judge.score_scale()) is not None}


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


def _check_scores(thresholds: Iterable[Decimal], scale: Scale | None, here: Where) -> None:
    for threshold in thresholds:
        if scale is not None and not scale.low <= threshold <= scale.high:
            raise here.error(f"no score can be {threshold}: {scale}. {_ADVICE}")


def _check_margins(margins: Iterable[Decimal], scale: Scale | None, here: Where) -> None:
    for margin in margins:
        if scale is not None and margin > scale.high - scale.low:
            raise here.error(f"no margin can be {margin}: {scale}. {_ADVICE}")


_ADVICE = "A judge that scores on another scale must declare its own `scale`"
