"""Alarms: what of a judge's profile is alarming, in plain words, each with its bound."""

from collections.abc import Iterator
from typing import NamedTuple

from pipelines.bias import distribution, length, list_position, markdown, panel, reading
from pipelines.bias import position as places
from pipelines.bias import self_preference as families
from pipelines.bias.figure import LEAST_PROMPTS, Figure
from pipelines.bias.panel import Agreement
from pipelines.bias.profile import Profile

EVEN = 0.5


class Alarm(NamedTuple):
    """One figure that passes its bound."""

    words: str
    sure: bool
    """False: its interval reaches back to where there is no bias, or there is none, or fewer than
    `LEAST_PROMPTS` prompts say so."""


def alarms(profile: Profile, reference: Profile | None = None) -> list[Alarm]:
    """What is alarming about one judge.

    `reference` is the judge whose word is trusted, if there is one: others are held against it.
    """
    return [
        *_of_reading(profile),
        *_of_distribution(profile),
        *_of_position(profile),
        *_of_list(profile),
        *_of_length(profile, reference),
        *_of_markdown(profile),
        *_of_family(profile),
    ]


def alarm_of_agreement(agreement: Agreement, reference: str | None) -> Alarm | None:
    """What is alarming about two judges, of which one may be the reference.

    Nothing is where a judge was asked about what another was unsure of: there they may well differ.
    """
    kappa, pair = agreement.kappa, (agreement.one, agreement.other)
    if agreement.waiting or kappa is None or kappa.value >= panel.LEAST:
        return None
    said = f"{' and '.join(pair)} agree hardly more than by chance: kappa {kappa.value:.2f}, below "
    advice = "One of them judges something else: find out which before you combine them."
    if reference in pair:
        other = next(one for one in pair if one != reference)
        advice = f"Do not train on what {other} says."
    return _alarm(f"{said}{panel.LEAST}", kappa, panel.LEAST, advice)


def _of_reading(profile: Profile) -> Iterator[Alarm]:
    rate, most = profile.reading.unread_rate, 1 - reading.LEAST
    if rate is not None and profile.reading.read < reading.LEAST * profile.reading.asked:
        why = next(iter(profile.reading.reasons))
        said = f"{rate.value:.1%} of its judgments cannot be read, more than {most:.0%}"
        yield _alarm(said, rate, most, f"The commonest reason: {why}.")


def _of_distribution(profile: Profile) -> Iterator[Alarm]:
    spread, bound = profile.distribution, distribution.MOST
    if spread and spread.commonest and spread.commonest[1] > bound:
        level, share = spread.commonest
        said = f"It says {level:g} in {share:.0%} of its judgments, more than {bound:.0%}"
        sure = spread.prompts >= LEAST_PROMPTS
        yield _in_words(said, "It hardly tells answers apart.", sure, spread.prompts)
    ties = profile.ties
    if ties and ties.value > bound:
        said = (
            f"It finds {ties.value:.0%} of two answers to one prompt equal, more than {bound:.0%}"
        )
        yield _alarm(said, ties, bound, "Few pairs can come of it.")


def _of_position(profile: Profile) -> Iterator[Alarm]:
    first, flips = profile.position.a_rate, profile.position.flip_rate
    if first and abs(first.value - EVEN) > places.MOST:
        place = "first" if first.value > EVEN else "second"
        said = (
            f"It prefers what it is shown {place} in {_larger(first):.1%} of the comparisons that "
            f"it decides, more than {EVEN + places.MOST:.0%}"
        )
        yield _alarm(said, first, EVEN, "Judge in both orders, and try another template.")
    if flips and flips.value > places.MOST_FLIPS:
        said = (
            f"It says something else in {flips.value:.1%} of its votes when the order is turned, "
            f"more than {places.MOST_FLIPS:.0%}"
        )
        yield _alarm(said, flips, places.MOST_FLIPS, "So many of its votes say nothing.")


def _of_list(profile: Profile) -> Iterator[Alarm]:
    place = profile.list_position
    found = place.correlation if place else None
    if found is not None and abs(found.value) > list_position.MOST:
        where = "late" if found.value > 0 else "early"
        said = (
            f"Answers that stand {where} in its lists fare better: correlation {found.value:.2f}, "
            f"beyond {list_position.MOST}"
        )
        yield _alarm(said, found, 0, "Rotate the lists, or make them shorter.")


def _of_length(profile: Profile, reference: Profile | None) -> Iterator[Alarm]:
    wins = profile.length.longer_wins
    if wins is None or abs(wins.value - EVEN) <= length.MOST - EVEN:
        return
    which = "longer" if wins.value > EVEN else "shorter"
    trusted = reference.length.longer_wins if reference else None
    if trusted is not None and reference is not None:
        share = trusted.value if which == "longer" else 1 - trusted.value
        if share < _larger(wins):  # else it goes less by length than it should
            yield _one_sided(which, wins, f"With {reference.judge} it wins {share:.1%}.")
        return
    advice = "Unless such answers are better here, it looks at length"
    if profile.length.varies:
        advice += '; see what [score] control = "length" changes'
    yield _one_sided(which, wins, f"{advice}.")


def _of_markdown(profile: Profile) -> Iterator[Alarm]:
    wins = profile.markdown.denser_wins
    if wins is not None and abs(wins.value - EVEN) > markdown.MOST - EVEN:
        which = "more structured" if wins.value > EVEN else "less structured"
        advice = "Unless such answers are better here, it looks at Markdown."
        yield _one_sided(which, wins, advice)


def _of_family(profile: Profile) -> Iterator[Alarm]:
    own = profile.self_preference
    beyond = own.beyond_others if own else None
    if own is not None and beyond is not None and beyond.value > families.MOST:
        said = (
            f"Answers of its own family ({own.family}) win {beyond.value:.1%} more often with it "
            f"than with the other judges, more than {families.MOST:.0%}"
        )
        yield _alarm(said, beyond, 0, "Let models of other families judge as well.")


def _one_sided(which: str, wins: Figure, advice: str) -> Alarm:
    said = (
        f"The {which} answer wins {_larger(wins):.1%} of the duels that it decides, more than "
        f"{length.MOST:.0%}"
    )
    return _alarm(said, wins, EVEN, advice)


def _larger(share: Figure) -> float:
    return max(share.value, 1 - share.value)


def _alarm(said: str, figure: Figure, unbiased: float, advice: str) -> Alarm:
    """With a caution where the interval of `figure` reaches back to the `unbiased` value."""
    interval = figure.interval
    beyond = interval is not None and not interval.low <= unbiased <= interval.high
    sure = beyond and figure.prompts >= LEAST_PROMPTS
    return _in_words(said, advice, sure, figure.prompts)


def _in_words(said: str, advice: str, sure: bool, prompts: int) -> Alarm:
    return Alarm(f"{said}{'' if sure else _doubt(prompts)}. {advice}", sure)


def _doubt(prompts: int) -> str:
    if prompts >= LEAST_PROMPTS:
        return ", though so few prompts say so that it may be chance"
    return f", though it rests on {prompts} prompt{'s' * (prompts != 1)} and may be chance"
