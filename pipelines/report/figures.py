"""All figures of a version with their intervals: what its manifest keeps of the report."""

from collections.abc import Collection, Iterator

from pipelines.publishing.numbered_pairs import numbered_pairs
from pipelines.publishing.versions import Version
from pipelines.ranking.models import Ranking, ranking
from pipelines.report.judge_figures import judge_figures
from pipelines.report.pair_figures import kept_share, pair_figures
from pipelines.report.policy_figures import policy_figures
from pipelines.report.text_figures import text_figures
from schemas.version import Figure


def figures(
    version: Version,
    wanted: Collection[str] = (),
    of_judges: Collection[Figure] | None = None,
) -> tuple[Figure, ...]:
    """Those that are defined, by name and by what they are about. Raises StoreError.

    `of_judges` are those of `judge_figures`, where they are known.
    Separability takes seconds, so it is for sets of `text_figures.WORTH_PROBING` pairs and more,
    and where it is `wanted`.
    """
    found = [*kept_share(version), *(judge_figures(version) if of_judges is None else of_judges)]
    if version.manifest.rows("pairs"):
        pairs = numbered_pairs(version)
        found += [*pair_figures(pairs), *text_figures(pairs, wanted)]
        found += [*policy_figures(version), *_strengths(ranking(pairs.games()))]
    return tuple(sorted(found, key=lambda one: (one.figure, one.subject, one.other)))


def _strengths(ranking: Ranking) -> Iterator[Figure]:
    """Of the models of the pairs, where they can be ranked."""
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
