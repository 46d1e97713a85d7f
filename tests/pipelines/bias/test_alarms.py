from typing import Any

import pytest

from pipelines.agreement.bootstrap import Interval
from pipelines.bias.alarms import alarm_of_agreement, alarms
from pipelines.bias.distribution import Distribution
from pipelines.bias.figure import Figure
from pipelines.bias.length import Length
from pipelines.bias.list_position import ListPosition
from pipelines.bias.markdown import Markdown
from pipelines.bias.panel import Agreement
from pipelines.bias.position import Position
from pipelines.bias.profile import Profile
from pipelines.bias.reading import Reading
from pipelines.bias.self_preference import SelfPreference

SCORES = Distribution(100, 1, 5, 9, 2, {1.0: 50, 9.0: 50}, 1.0, 100)


def sure(value: float) -> Figure:
    return Figure(value, 100, Interval(value - 0.01, value + 0.01), 100)


def profile(**found: Any) -> Profile:
    """A judge with which nothing is wrong but what is given."""
    plain: dict[str, Any] = {
        "judge": "judge",
        "identities": ("judge#1",),
        "reading": Reading(100, 100, 0, sure(0), {}),
        "compares": False,
        "distribution": SCORES,
        "ties": sure(0.5),
        "position": Position(sure(0.1), sure(0.5)),
        "list_position": None,
        "length": of_length(0.5),
        "markdown": Markdown(sure(0.5), None),
        "self_preference": None,
        "annotators": None,
    }
    return Profile(**plain | found)


def of_length(wins: float) -> Length:
    return Length(sure(wins), None, None, None, None, 1.0)


ALARMING: dict[str, dict[str, Any]] = {
    "shown first in 61.0%": {"position": Position(None, sure(0.61))},
    "shown second in 61.0%": {"position": Position(None, sure(0.39))},
    "when the order is turned": {"position": Position(sure(0.4), None)},
    "The longer answer wins 66.0%": {"length": of_length(0.66)},
    "The shorter answer wins 66.0%": {"length": of_length(0.34)},
    "The more structured answer wins 70.0%": {"markdown": Markdown(sure(0.7), None)},
    "The less structured answer wins 70.0%": {"markdown": Markdown(sure(0.3), None)},
    "finds 95% of two answers": {"ties": sure(0.95)},
    "It says 8 in 91% of its judgments, more than 90%": {
        "distribution": SCORES._replace(levels={8.0: 91, 9.0: 9})
    },
    "The commonest reason: no number.": {
        "reading": Reading(100, 90, 0, sure(0.1), {"no number": 10})
    },
    "Answers that stand late in its lists fare better": {
        "list_position": ListPosition({1: 2.0, 2: 1.0}, True, sure(0.3))
    },
    "of its own family (gpt) win 11.0% more often": {
        "self_preference": SelfPreference("gpt", sure(0.7), None, sure(0.11))
    },
}


@pytest.mark.parametrize("said", ALARMING)
def test_what_passes_its_bound_is_said_in_words(said: str) -> None:
    [alarm] = alarms(profile(**ALARMING[said]))
    assert said in alarm.words
    assert alarm.sure
    assert "may be chance" not in alarm.words


AT_THE_BOUND: list[dict[str, Any]] = [
    {"position": Position(sure(1 / 3), sure(0.6))},
    {"position": Position(None, None)},
    {"length": of_length(0.65), "markdown": Markdown(sure(0.35), None)},
    {"ties": sure(0.9), "distribution": SCORES._replace(levels={8.0: 90, 9.0: 10})},
    {"reading": Reading(100, 95, 0, sure(0.05), {"no number": 5})},
    {"self_preference": SelfPreference("gpt", sure(0.9), sure(2), None)},
]


@pytest.mark.parametrize("found", AT_THE_BOUND, ids=str)
def test_what_is_at_its_bound_or_undefined_is_not_alarming(found: dict[str, Any]) -> None:
    assert alarms(profile(**found)) == []


def test_a_few_equal_scores_may_be_chance() -> None:
    [alarm] = alarms(profile(distribution=SCORES._replace(n=76, levels={5.0: 76}, prompts=19)))
    assert "It says 5 in 100%" in alarm.words
    assert "though it rests on 19 prompts and may be chance" in alarm.words
    assert not alarm.sure


@pytest.mark.parametrize(("prompts", "is_sure"), [(19, False), (20, True)])
def test_few_prompts_are_never_sure_and_are_counted(prompts: int, is_sure: bool) -> None:
    found = sure(0.8)._replace(prompts=prompts)
    [alarm] = alarms(profile(position=Position(None, found)))
    assert alarm.sure is is_sure
    assert ("it rests on 19 prompts and may be chance" in alarm.words) is not is_sure


def test_an_interval_that_reaches_back_casts_doubt() -> None:
    unsure = Figure(0.8, 50, Interval(0.4, 1.0), 50)
    for rate in (unsure, unsure._replace(interval=None)):
        [alarm] = alarms(profile(position=Position(None, rate)))
        assert "so few prompts say so that it may be chance" in alarm.words
        assert not alarm.sure


def test_a_judge_that_goes_by_length_no_more_than_the_reference_is_not_alarming() -> None:
    human = profile(judge="human", length=of_length(0.8))
    assert alarms(profile(length=of_length(0.8)), human) == []
    assert alarms(human, human) == []
    [alarm] = alarms(profile(length=of_length(0.85)), human)
    assert alarm.words.endswith("With human it wins 80.0%.")
    [alarm] = alarms(profile(length=of_length(0.2)), human)
    assert alarm.words.endswith("With human it wins 20.0%.")


def test_control_is_advised_only_where_there_are_scores_of_different_lengths() -> None:
    [of_scores] = alarms(profile(length=of_length(0.9)))
    [of_verdicts] = alarms(profile(length=of_length(0.9)._replace(spread=None)))
    assert 'control = "length"' in of_scores.words
    [of_like] = alarms(profile(length=of_length(0.9)._replace(spread=0.29)))
    assert "control" not in of_verdicts.words
    assert "control" not in of_like.words


def test_two_judges_that_hardly_agree_are_alarming() -> None:
    agreement = Agreement("a", "b", sure(0.5), sure(0.19), None, None)
    assert "before you combine them" in str(alarm_of_agreement(agreement, None))
    assert "Do not train on what a says." in str(alarm_of_agreement(agreement, "b"))
    assert alarm_of_agreement(agreement._replace(kappa=sure(0.2)), "b") is None
    assert alarm_of_agreement(agreement._replace(kappa=None), "b") is None


def test_duels_that_were_selected_raise_no_alarm_of_kappa() -> None:
    agreement = Agreement("a", "b", sure(0.5), sure(-0.2), None, None, ("b",))
    assert alarm_of_agreement(agreement, None) is None
