"""Scales: a threshold off the judges' scale is a mistake, found before the first call."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from pipelines.filter import Filter
from pipelines.judge import Judge
from pipelines.part import Where
from pipelines.selection.score import Score


def check_scales(
    judges: Sequence[Judge], filters: Sequence[Filter], score: Score, where: Where
) -> None:
    """Holds the thresholds of `filters` against the scales of the judges that `score` combines.

    Raises RecipeError for a threshold that no score can reach, or a margin wider than the scale.
    Checks nothing where no judge declares a scale, or weights may be negative.
    """
    scales = {
        judge.name: judge.scale
        for judge in judges
        if judge.scale is not None and judge.name in (score.judges or [judge.name])
    }
    if not scales or any(weight < 0 for weight in score.weights.values()):
        return
    if score.combine == "log_sigmoid":
        low, high, named = Decimal("-Infinity"), Decimal(0), "a log-sigmoid"
    else:
        low, high = min(low for low, _ in scales.values()), max(high for _, high in scales.values())
        named = "the scale of " + ", ".join(sorted(scales))
    for number, one in enumerate(filters, 1):
        here = replace(where, table=f"[[filters]] #{number} ({one.kind})")
        for threshold in one.thresholds_on_scale():
            if not low <= threshold <= high:
                raise here.error(
                    f"no score can be {threshold}: {named} is {low} to {high}. {_ADVICE}"
                )
        for margin in one.margins_on_scale():
            if margin > high - low:
                raise here.error(
                    f"no margin can be {margin}: {named} is {low} to {high}. {_ADVICE}"
                )


_ADVICE = "A judge that scores on another scale must declare its own `scale`"
