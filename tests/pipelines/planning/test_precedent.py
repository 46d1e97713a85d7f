"""Precedents: what is paid in full stands for what is not paid at all."""

import math

from pipelines.backends.scripted import Scripted
from pipelines.calls.prices import Prices
from pipelines.planning.estimate import critical
from pipelines.planning.forecaster import Known, Tally
from pipelines.planning.part_plan import Counted, part_plan
from pipelines.planning.precedent import Precedents, UnitForecast, precedents_of

PAIR = ("judges.rating", "critic")
OTHER = ("samplers.independent", "policy")


def took(calls: float) -> UnitForecast:
    return UnitForecast({}, {PAIR: Tally(calls, calls, 10 * calls, 5 * calls)})


FRESH = UnitForecast({PAIR: Tally(calls=99)})
BEGUN = UnitForecast({PAIR: Tally(calls=1)}, {OTHER: Tally(calls=1)})


def test_a_fresh_unit_takes_what_units_paid_in_full_took_on_average() -> None:
    found = precedents_of([took(2), took(6), FRESH]).in_place_of(FRESH)
    assert found == {PAIR: Tally(4, 4, 40, 20)}


def test_the_interval_is_that_of_their_spread_and_of_chance() -> None:
    # 2 and 6 tell of 3 others: mean 4, s^2 = 8; t(1) x 3 x sqrt(8 (1/2 + 1/3))
    units = [took(2), took(6), *3 * [FRESH]]
    counted = Counted(5, units, None, precedents_of(units))
    model = Scripted(kind="scripted", name="critic", prices=Prices(input=1.0, output=1.0))
    found = part_plan(PAIR, model, counted, Known(), [])
    assert found.calls.value == 12
    assert found.calls.plus_minus == critical(1) * 3 * math.sqrt(8 * (1 / 2 + 1 / 3))
    assert found.money is not None
    assert math.isclose(found.money.value, 12 * 15 / 1e6)


def test_tokens_that_no_server_told_are_assumed() -> None:
    units = [took(2), took(6), FRESH]
    counted = Counted(3, units, None, precedents_of(units))
    model = Scripted(kind="scripted", name="critic")
    found = part_plan(PAIR, model, counted, Known(untold=1), [])
    assert (found.completion_tokens.value, found.completion_tokens.plus_minus) == (20, None)
    assert found.calls.plus_minus is not None


def test_a_unit_that_is_paid_in_part_is_counted_by_itself() -> None:
    found = precedents_of(20 * [took(2)]).in_place_of(BEGUN)
    assert found == BEGUN.owed


def test_one_unit_and_many_begun_ones_are_no_measure() -> None:
    assert precedents_of([took(2), FRESH]) == Precedents()
    assert precedents_of([took(2), took(6), BEGUN]) == Precedents()  # of these, less was asked
    assert len(precedents_of([*20 * [took(2)], BEGUN, BEGUN]).units) == 20


def test_a_unit_of_which_a_request_was_refused_tells_nothing() -> None:
    refused = UnitForecast({}, {PAIR: Tally(calls=1)}, refused=True)
    assert precedents_of([took(2), took(6), refused]).units == (took(2), took(6))
