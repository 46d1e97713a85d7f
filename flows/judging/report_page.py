"""The page of `pairwright judge report`: sections with tables, for whatever format shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.judging.figure_cells import HEAD, Row, interval, percent, two_digits
from flows.judging.judge_rows import rows_of
from flows.texts.plain import count, counted
from pipelines.bias.alarms import alarm_of_agreement, alarms

if TYPE_CHECKING:
    from pipelines.bias.alarms import Alarm
    from pipelines.bias.panel import Agreement, SameScale
    from pipelines.bias.profile import Profile
    from pipelines.bias.report import Report

AGREEMENT = ("judge", "judge", "same order", "same verdict", "of duels", "prompts", "kappa",
             "95 % interval")  # fmt: skip
SCORES = ("judge", "judge", "answers", "alpha ordinal", "alpha interval", "ICC", "apart by")
PAIRWISE, BOTH_SCORES = "Two judges, the same duels", "Two judges, scores on one scale"


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
    rows, found = tuple(rows_of(profile)), tuple(alarms(profile, trusted))
    return Section(profile.judge, tuple(about), HEAD, rows, found)


def _of_verdicts(report: "Report", reference: str | None) -> Section:
    found = (alarm_of_agreement(one, reference) for one in report.agreements)
    about = [
        "same order: of the duels that both decide; same verdict: of all, so that ties lower it",
        "kappa of verdicts: 1 the same, 0 as by chance; from 0.2 fair, 0.4 moderate, 0.6 substantial",
    ]
    if waiting := sorted({judge for one in report.agreements for judge in one.waiting}):
        about.append(f"selected by `when`, so often hard: the duels of {', '.join(waiting)}")
    rows = tuple(map(_verdict_row, report.agreements))
    return Section(PAIRWISE, tuple(about), AGREEMENT, rows, tuple(filter(None, found)))


def _verdict_row(one: "Agreement") -> Row:
    kappa = ("", "") if one.kappa is None else (f"{one.kappa.value:.2f}", interval(one.kappa))
    order = one.same_order
    alike = percent(order.value) if order else "", percent(one.same_verdict.value)
    seen = count(one.same_verdict.n), count(one.same_verdict.prompts)
    return one.one, one.other, *alike, *seen, *kappa


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
    return one.one, one.other, count(both.n), *map(two_digits, figures)
