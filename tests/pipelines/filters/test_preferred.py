from decimal import Decimal

from tests.pipelines.tables import UNIT, part, reasons


def test_a_probability_at_the_bound_is_kept_and_a_pair_without_votes_is_not():
    preferred = part("filters", "preferred", min=Decimal("0.9"))
    rows = [{"p_preferred": p} for p in (9 * UNIT // 10, 9 * UNIT // 10 - 1, None)]
    assert reasons(preferred, rows) == [set(), {"not_sure_enough"}, {"no_votes"}]
