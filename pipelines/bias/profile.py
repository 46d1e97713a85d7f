"""Profile: all that is measured of one judge."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.bias.annotators import Annotators, annotators
from pipelines.bias.distribution import Distribution, distribution, ties
from pipelines.bias.duels import duels, of_different_texts, ratings
from pipelines.bias.family import family
from pipelines.bias.figure import Figure
from pipelines.bias.judged import Judged
from pipelines.bias.length import Length, length
from pipelines.bias.list_position import ListPosition, list_position
from pipelines.bias.markdown import Markdown, markdown
from pipelines.bias.position import Position, position
from pipelines.bias.reading import Reading, reading
from pipelines.bias.self_preference import SelfPreference, self_preference


@dataclass(frozen=True, slots=True)
class Profile:
    """One judge."""

    judge: str
    identities: tuple[str, ...]
    """What decided its judgments; several where rows of several builds were recorded."""
    reading: Reading
    compares: bool
    """Whether it compares two answers at a time."""
    distribution: Distribution | None
    """None without scores of single answers."""
    ties: Figure | None
    position: Position
    list_position: ListPosition | None
    """None for a judge that is shown one answer, or two."""
    length: Length
    markdown: Markdown
    self_preference: SelfPreference | None
    annotators: Annotators | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What one judge said, in the three forms that figures are made from."""

    judge: str
    said: pl.DataFrame
    """Its judgments, as `Judged.judgments`."""
    ratings: pl.DataFrame
    duels: pl.DataFrame
    """Those of different texts."""

    @property
    def identities(self) -> tuple[str, ...]:
        """All under which it judged, sorted."""
        return tuple(self.said["judge_identity"].unique().sort())


def heard(known: Judged, judge: str) -> Heard:
    """What `judge` said of the answers in `known`, which have their `text_hash`."""
    said = known.of(judge)
    fought = of_different_texts(duels(said), known.responses["text_hash"])
    return Heard(judge, said, ratings(said), fought)


def profile(
    known: Judged, judge: str, panel: Mapping[str, Heard], families: Mapping[str, str]
) -> Profile:
    """The profile of one judge of `panel`.

    The answers in `known` have their `model`, and `markdown`. `families` has the declared ones.
    """
    answers, own = known.responses, panel[judge]
    return Profile(
        judge=judge,
        identities=own.identities,
        reading=reading(own.said),
        compares=own.said["comparison"].null_count() < own.said.height,
        distribution=distribution(own.said),
        ties=ties(own.duels),
        position=position(own.said),
        list_position=list_position(own.said),
        length=length(own.duels, own.ratings, answers["n_chars"]),
        markdown=markdown(own.duels, own.ratings, answers["markdown"]),
        self_preference=_self_preference(answers["model"], judge, panel, families),
        annotators=annotators(own.said),
    )


def _self_preference(
    models: pl.Series, judge: str, panel: Mapping[str, Heard], families: Mapping[str, str]
) -> SelfPreference | None:
    own = panel[judge]
    mine = _family_of(own, families)
    if mine is None:
        return None
    kin = [model for model in models.unique() if family(model, families) == mine]
    others = [one.duels for one in panel.values() if _family_of(one, families) != mine]
    beside = pl.concat(others) if others else own.duels.clear()
    return self_preference(mine, kin, models, own.ratings, own.duels, beside)


def _family_of(one: Heard, families: Mapping[str, str]) -> str | None:
    """The declared one, else that of all its identities; None where they are of several."""
    found = {family(identity, families) for identity in one.identities}
    return families.get(one.judge) or (found.pop() if len(found) == 1 else None)
