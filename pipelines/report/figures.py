"""All figures of a version with their intervals: what its manifest keeps of the report."""

from collections.abc import Collection, Iterator

from pipelines.publishing.versions import Version
from pipelines.ranking.models import ranking_of
from pipelines.report.judge_figures import judge_figures
from pipelines.report.pair_figures import pair_figures
from pipelines.report.policy_figures import policy_figures
from schemas.version import Figure


def figures(version: Version, wanted: Collection[str] = ()) -> tuple[Figure, ...]:
    """Those that are defined, by name and by what they are about. Raises StoreError.

    Separability takes seconds, so it is for sets of `pair_figures.WORTH_PROBING` pairs and more,
    and where it is `wanted`.
    """
    found = [*pair_figures(version, wanted), *policy_figures(version)]
    found += [*judge_figures(version), *_strengths(version)]
    return tuple(sorted(found, key=lambda one: (one.figure, one.subject, one.other)))


def _strengths(version: Version) -> Iterator[Figure]:
    """Of the models of the pairs, where they can be ranked."""
    if not version.manifest.rows("pairs"):
        return
    ranking = ranking_of(version)
    for one in ranking.models:
        if one.strength is not None:
            yield Figure(
                figure="strength",
                subject=one.model,
                value=one.strength,
                low=one.low,
                high=one.high,
                n=one.games,
                prompts=ranking.prompts,
            )
