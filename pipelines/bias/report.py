"""Report: the profiles of several judges of one version, and how they agree."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipelines.bias.judged import Judged
from pipelines.bias.panel import Agreement, Spread, agreements, on_one_scale, spread
from pipelines.bias.profile import Heard, Profile, heard, profile


@dataclass(frozen=True, slots=True)
class Report:
    """What is measured of some judges."""

    profiles: tuple[Profile, ...]
    agreements: tuple[Agreement, ...]
    """Of every two that saw the same."""
    spread: Spread | None
    """Of the judges on one scale; None where there are not two."""


def report(
    known: Judged,
    judges: Sequence[str],
    families: Mapping[str, str],
    waiting: Collection[str] = (),
) -> Report:
    """The report on `judges`, in their order.

    `families` has the declared families, by the name of a judge or model; `waiting` are the judges
    that `when` lets wait for another one.
    """
    panel = {judge: heard(known, judge) for judge in judges}
    duels = {judge: one.duels for judge, one in panel.items()}
    ratings = {judge: one.ratings for judge, one in panel.items()}
    return Report(
        profiles=tuple(profile(known, judge, panel, families) for judge in judges),
        agreements=tuple(agreements(duels, ratings, waiting)),
        spread=_spread(panel),
    )


def _spread(panel: Mapping[str, Heard]) -> Spread | None:
    """Of the largest set of judges that lie on the scale of one of them."""
    alike = [
        {
            judge: one.ratings
            for judge, one in panel.items()
            if on_one_scale(one.ratings, own.ratings)
        }
        for own in panel.values()
    ]
    return spread(max(alike, key=len)) if alike else None
