from hypothesis import given
from hypothesis import strategies as st

from pipelines.agreement.wilson import lower_bound


def test_the_bound_is_wilsons():
    # Newcombe 1998, table I: 81 of 263 -> 0.2553 to 0.3662; 0 of 20 -> 0 to 0.1611
    assert round(lower_bound(81 / 263, 263), 4) == 0.2553
    assert lower_bound(0.0, 20) == 0.0


def test_an_undefined_share_has_no_bound():
    assert lower_bound(None, 100) is None
    assert lower_bound(1.0, 0) is None


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_bound_is_below_the_share_and_rises_with_the_trials(n: int, share: float):
    bound = lower_bound(share, n)
    assert 0 <= bound <= share
    assert bound <= lower_bound(share, 2 * n) + 1e-12
