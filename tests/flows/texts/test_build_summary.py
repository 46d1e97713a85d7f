from pathlib import Path

import pytest

from flows.texts.build_summary import summary
from pipelines.build import Outcome
from pipelines.calls.budget import Cost
from pipelines.calls.meter import Meter, Spend


@pytest.mark.parametrize(
    ("equal", "told"),
    [
        (30, "30 equal to others of this run"),
        (0, "30 samples from the ledger"),
        (20, "20 equal to others of this run, 10 samples from the ledger"),
    ],
)
def test_samples_of_this_very_run_are_told_apart_from_those_of_earlier_ones(
    equal: int, told: str
) -> None:
    meter = Meter(samples_replayed=30, samples_equal=equal)
    assert f"no calls were paid, {told}, in 0:05" in summary(Outcome(), meter, Path("store"), 5.0)


def test_calls_that_failed_are_told_beside_those_that_were_paid() -> None:
    outcome, meter = Outcome(spent=Cost(calls=100)), Meter(samples_paid=144)
    meter.spend["policy"] = Spend(calls=72)
    said = summary(outcome, meter, Path("store"), 5.0)
    assert "72 calls for 144 samples, 28 failed, in 0:05\n" in said
    meter.spend["policy"] = Spend(calls=100)
    assert "100 calls for 144 samples, in 0:05\n" in summary(outcome, meter, Path("store"), 5.0)
    assert "no calls were paid, 100 failed, in 0:05" in summary(outcome, Meter(), Path("s"), 5.0)
