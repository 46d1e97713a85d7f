"""The page of `pairwright judge report`: sections with tables, for whatever format shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.plain_text import count, counted
from pipelines.bias.alarms import alarm_of_agreement, alarms

if TYPE_CHECKING:
    from pipelines.bias.alarms import Alarm
    from pipelines.bias.figure import Figure
    from pipelines.bias.length import Length
    from pipelines.bias.panel import Agreement, SameScale
    from pipelines.bias.profile import Profile
    from pipelines.bias.report import Report

HEAD = ("figure", "value", "95 % interval", "of", "how to read it")
AGREEMENT = ("judge", "judge", "same verdict", "of duels", "kappa", "95 % interval", "same order")
SCORES = ("judge", "judge", "answers", "alpha ordinal", "alpha interval", "ICC", "apart by")
PAIRWISE, BOTH_SCORES = "Two judges, the same duels", "Two judges, scores on one scale"

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One table with what is said about it."""

    title: str
    about: tuple[str, ...]
    """Sentences before the table."""
    head: Row
    rows: tuple[Row, ...]
    alarms: "tuple[Alarm, ...]" = ()


def sections(report: "Report", reference: str | None) -> Iterator[Section]:
    """One section for each judge, then those about every two of them."""
    trusted = next((one for one in report.profiles if one.judge == reference), None)
    for profile in report.profiles:
        yield _of_judge(profile, trusted)
    if report.agreements:
        yield _of_verdicts(report, reference)
    if any(one.scores for one in report.agreements):
        yield _of_scores(report)


def summary(pages: "Sequence[Section]") -> str:
    """Whose figures are alarming."""
    counts = {
        words: {one.title: [alarm.sure for alarm in one.alarms].count(sure) for one in pages}
        for words, sure in (("alarming (!)", True), ("perhaps (?)", False))
    }
    lines = [
        f"{words}: {', '.join(f'{title} {count}' for title, count in found.items() if count)}"
        for words, found in counts.items()
        if any(found.values())
    ]
    return "\n".join(lines) or "nothing is alarming"


def _of_judge(profile: "Profile", trusted: "Profile | None") -> Section:
    said = profile.reading
    read = f"{count(said.read)} of {counted(said.asked, 'judgment')} could be read"
    about = [f"{', '.join(profile.identities)}; {read}"]
    if said.reasons:
        why = ", ".join(f"{reason} ({count(rows)})" for reason, rows in said.reasons.items())
        about.append(f"unread: {why}")
    rows = [row for row in _rows(profile) if row is not None]
    return Section(profile.judge, tuple(about), HEAD, tuple(rows), tuple(alarms(profile, trusted)))


def _rows(profile: "Profile") -> Iterator[Row | None]:
    if profile.reading.read < profile.reading.asked:
        yield _share("unread", profile.reading.unread_rate, "judgments", "they count as no score")
    yield from _of_distribution(profile)
    yield _share("ties", profile.ties, "duels", "two different texts, none preferred")
    yield from _of_annotators(profile)
    yield from _of_position(profile)
    yield from _of_list(profile)
    length = profile.length
    yield _share("longer wins", length.longer_wins, "duels", "50 %: length does not matter")
    yield _number(
        "margin with length", length.margin_correlation, "duels", "0: they are independent"
    )
    yield _number(
        "score with length", length.score_correlation, "answers", "rank correlation in a prompt"
    )
    if length.slope is not None:
        after = length.controlled_correlation
        yield ("  for twice the length", f"{length.slope:+.3g}", "", "", "points, within prompts")
        yield _number("  if controlled for", after, "answers", _use_of_control(length))
    markdown = profile.markdown
    yield _share("more Markdown wins", markdown.denser_wins, "duels", "50 %: it does not matter")
    yield _number(
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
    yield ("scores", f"{spread.mean:.3g}", "", f"{count(spread.n)} scores", f"mean; {span}")
    yield ("  deviation", f"{spread.deviation:.3g}", "", "", "standard deviation")
    if spread.levels and spread.commonest and spread.entropy is not None:
        level, share = spread.commonest
        levels = counted(len(spread.levels), "level")
        yield (f"  says {level:g}", _percent(share), "", f"{levels} seen", "the commonest score")
        if (top := max(spread.levels)) != level:
            yield (f"  says {top:g}", _percent(spread.at_top or 0), "", "", "the highest score")
        yield ("  entropy", f"{spread.entropy:.2f}", "", "", "bits; 0: always the same score")


def _of_position(profile: "Profile") -> Iterator[Row | None]:
    position = profile.position
    if profile.distribution is None and position.a_rate is None:
        yield ("first shown wins", "", "", "", "not known: no order of showing is recorded")
    yield _share("orders disagree", position.flip_rate, "votes", "0 %: the order changes nothing")
    yield _share("first shown wins", position.a_rate, "decided", "50 %: the place does not matter")


def _of_list(profile: "Profile") -> Iterator[Row | None]:
    place = profile.list_position
    if place is None:
        return
    means = ", ".join(f"{at}: {mean:.2f}" for at, mean in place.means.items())
    found = "rank" if place.ranked else "score"
    yield _number("place in the list", place.correlation, "answers", "0: it does not matter")
    yield (f"  mean {found} there", "", "", "", means)


def _of_annotators(profile: "Profile") -> Iterator[Row]:
    several = profile.annotators
    if several is None:
        return
    of = f"{several.n} votes each"
    if several.alpha is not None:
        yield ("own votes agree", f"{several.alpha:.2f}", "", of, "Krippendorff's alpha; 1: fully")
    if several.fleiss is not None:
        yield ("", f"{several.fleiss:.2f}", "", "", "Fleiss' kappa")


def _of_family(profile: "Profile") -> Iterator[Row | None]:
    own = profile.self_preference
    if own is None:
        return
    yield _share(f"own family wins ({own.family})", own.win_rate, "duels", "50 %: as others do")
    yield _number("  mean score apart", own.difference, "prompts", "points, on the same prompt")
    yield _share("  beyond other judges", own.beyond_others, "duels", "0 %: they find the same")


def _of_verdicts(report: "Report", reference: str | None) -> Section:
    found = (alarm_of_agreement(one, reference) for one in report.agreements)
    about = (
        "verdict: the one answer, the other, or neither; same order: of the duels that both decide",
        "kappa: 1 the same, 0 as by chance; from 0.2 on fair, 0.4 moderate, 0.6 substantial",
    )
    rows = tuple(map(_verdict_row, report.agreements))
    return Section(PAIRWISE, about, AGREEMENT, rows, tuple(filter(None, found)))


def _verdict_row(one: "Agreement") -> Row:
    kappa = ("", "") if one.kappa is None else (f"{one.kappa.value:.2f}", _interval(one.kappa, 1))
    order = one.same_order
    same, n = _percent(one.same_verdict.value), count(one.same_verdict.n)
    return one.one, one.other, same, n, *kappa, _percent(order.value) if order else ""


def _of_scores(report: "Report") -> Section:
    rows = tuple(_score_row(one, one.scores) for one in report.agreements if one.scores)
    about = [
        "Krippendorff's alpha, ICC(2,1): 1 the same scores, 0 as by chance; apart: in the mean"
    ]
    if (spread := report.spread) and spread.within_prompts is not None:
        about.append(
            f"{counted(spread.n, 'answer')} scored by all: variance between judges "
            f"{spread.between_judges:.3g}, between the answers to a prompt "
            f"{spread.within_prompts:.3g}"
        )
    return Section(BOTH_SCORES, tuple(about), SCORES, rows)


def _score_row(one: "Agreement", both: "SameScale") -> Row:
    figures = (both.alpha_ordinal, both.alpha_interval, both.icc, both.mean_difference)
    return one.one, one.other, count(both.n), *map(_two, figures)


def _share(name: str, figure: "Figure | None", of: str, reading: str) -> Row | None:
    if figure is None:
        return None
    return (
        name,
        _percent(figure.value),
        _interval(figure, 100),
        f"{count(figure.n)} {of}",
        reading,
    )


def _number(name: str, figure: "Figure | None", of: str, reading: str) -> Row | None:
    if figure is None:
        return None
    return (name, _two(figure.value), _interval(figure, 1), f"{count(figure.n)} {of}", reading)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _two(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def _interval(figure: "Figure", unit: int) -> str:
    """The interval in `unit`s; "" where there is none."""
    if figure.interval is None:
        return ""
    low, high = (bound * unit for bound in figure.interval)
    return f"{low:.1f} to {high:.1f} %" if unit == 100 else f"{low:.2f} to {high:.2f}"
