"""The rows that `pairwright judge report` shows of one judge, columns `figure_cells.HEAD`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.judging.figure_cells import Row, number_row, percent, share_row
from flows.texts.plain import count, counted

if TYPE_CHECKING:
    from pipelines.bias.length import Length
    from pipelines.bias.profile import Profile


def rows_of(profile: "Profile") -> list[Row]:
    """Every figure that is defined, the most basic first."""
    return [row for row in _rows(profile) if row is not None]


def _rows(profile: "Profile") -> Iterator[Row | None]:
    if profile.reading.read < profile.reading.asked:
        yield share_row(
            "unread", profile.reading.unread_rate, "judgments", "they count as no score"
        )
    yield from _of_distribution(profile)
    yield share_row("ties", profile.ties, "duels", "two different texts, none preferred")
    yield from _of_annotators(profile)
    yield from _of_position(profile)
    yield from _of_list(profile)
    length = profile.length
    yield share_row("longer wins", length.longer_wins, "duels", "50 %: length does not matter")
    yield number_row(
        "margin with length", length.margin_correlation, "duels", "0: they are independent"
    )
    yield number_row(
        "score with length", length.score_correlation, "answers", "rank correlation in a prompt"
    )
    if length.slope is not None and length.varies:
        after = length.controlled_correlation
        yield ("  for twice the length", f"{length.slope:+.3g}", "", "", "points, within prompts")
        yield number_row("  if controlled for", after, "answers", _use_of_control(length))
    markdown = profile.markdown
    yield share_row("more Markdown wins", markdown.denser_wins, "duels", "50 %: it does not matter")
    yield number_row(
        "score with Markdown", markdown.score_correlation, "answers", "rank correlation in a prompt"
    )
    yield from _of_family(profile)


def _use_of_control(length: "Length") -> str:
    before, after = length.score_correlation, length.controlled_correlation
    if before and after and abs(after.value) >= abs(before.value):
        return "no better: do not control for it"
    return '[score] control = "length"'


def _of_distribution(profile: "Profile") -> Iterator[Row]:
    spread = profile.distribution
    if spread is None:
        return
    span = f"{spread.low:g} to {spread.high:g}"
    yield ("scores", f"{spread.mean:.3g}", "", counted(spread.n, "score"), f"mean; {span}")
    yield ("  deviation", f"{spread.deviation:.3g}", "", "", "standard deviation")
    if spread.levels and spread.commonest and spread.entropy is not None:
        level, share = spread.commonest
        levels = counted(len(spread.levels), "level")
        yield (f"  says {level:g}", percent(share), "", f"{levels} seen", "the commonest score")
        if (top := max(spread.levels)) != level:
            yield (f"  says {top:g}", percent(spread.at_top or 0), "", "", "the highest score")
        yield ("  entropy", f"{spread.entropy:.2f}", "", "", "bits; 0: always the same score")


def _of_position(profile: "Profile") -> Iterator[Row | None]:
    position = profile.position
    if profile.compares and position.a_rate is None:
        yield ("first shown wins", "", "", "", "not known: no order of showing is recorded")
    yield share_row(
        "orders disagree", position.flip_rate, "votes", "0 %: the order changes nothing"
    )
    yield share_row(
        "first shown wins", position.a_rate, "decided", "50 %: the place does not matter"
    )


def _of_list(profile: "Profile") -> Iterator[Row | None]:
    place = profile.list_position
    if place is None:
        return
    means = ", ".join(f"{at}: {mean:.2f}" for at, mean in place.means.items())
    found = "rank" if place.ranked else "score"
    yield number_row("place in the list", place.correlation, "answers", "0: it does not matter")
    yield (f"  mean {found} there", "", "", "", means)


def _of_annotators(profile: "Profile") -> Iterator[Row]:
    several = profile.annotators
    if several is None:
        return
    of = f"{count(several.n)} {_judged(profile)}"
    most = f"at most {several.votes} votes on one"
    if several.alpha is not None:
        yield ("own votes agree", f"{several.alpha:.2f}", "", of, f"Krippendorff's alpha; {most}")
    if several.fleiss is not None:
        yield ("", f"{several.fleiss:.2f}", "", "", "Fleiss' kappa")


def _judged(profile: "Profile") -> str:
    return "comparisons" if profile.compares else "answers"


def _of_family(profile: "Profile") -> Iterator[Row | None]:
    own = profile.self_preference
    if own is None:
        return
    yield share_row(f"own family wins ({own.family})", own.win_rate, "duels", "50 %: as others do")
    yield number_row("  mean score apart", own.difference, "prompts", "points, on the same prompt")
    yield share_row("  beyond other judges", own.beyond_others, "duels", "0 %: they find the same")
