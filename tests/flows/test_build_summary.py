from pathlib import Path

import pytest

from flows.build_summary import summary
from pipelines.build import Outcome
from pipelines.meter import Meter


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
