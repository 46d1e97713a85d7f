from decimal import Decimal

import pytest

from tests.pipelines.tables import part, rows_of

ON, OFF = "on", "off"


def groups(policies, seed=0, **fields):
    """The kept (chosen, rejected) policies, and the dropped reasons, both sorted."""
    rows = [
        {"pair_id": f"{number:03}", "chosen_policy": chosen, "rejected_policy": rejected}
        for number, (chosen, rejected) in enumerate(policies)
    ]
    pairs = rows_of("pairs", rows)
    drops = part("selectors", "policy_mix", **fields).drops(pairs, seed)
    kept = pairs.join(drops, on="pair_id", how="anti")
    return sorted(kept.select("chosen_policy", "rejected_policy").rows()), sorted(drops["reason"])


def test_the_larger_group_is_cut_to_the_wanted_share():
    kept, dropped = groups([(ON, OFF)] * 3 + [(OFF, OFF)] * 8)
    assert kept == [(OFF, OFF)] * 3 + [(ON, OFF)] * 3
    assert dropped == ["off_policy_surplus"] * 5


def test_another_share_can_be_wanted():
    kept, dropped = groups([(ON, ON)] * 9 + [(OFF, ON)] * 2, on=Decimal("0.75"))
    assert kept == [(OFF, ON)] * 2 + [(ON, ON)] * 6
    assert dropped == ["on_policy_surplus"] * 3


@pytest.mark.parametrize(("side", "on"), [("chosen", 2), ("both", 1), ("any", 3)])
def test_the_side_says_what_makes_a_pair_on_policy(side, on):
    policies = [(ON, ON), (ON, OFF), (OFF, ON)] + [(OFF, OFF)] * 9
    kept, _ = groups(policies, side=side)
    assert len(kept) == 2 * on


def test_a_pair_of_unknown_policy_is_dropped_with_that_reason():
    policies = [(ON, None), (OFF, None), (None, ON)]
    assert groups(policies)[1] == ["policy_unknown"]
    assert groups(policies, side="any")[1] == [
        "on_policy_surplus",
        "on_policy_surplus",
        "policy_unknown",
    ]


def test_without_one_group_no_set_has_the_wanted_share():
    assert groups([(ON, ON)] * 3) == ([], ["on_policy_surplus"] * 3)


def test_which_pairs_stay_depends_on_the_seed():
    pairs = rows_of(
        "pairs",
        [{"pair_id": f"{n}", "chosen_policy": ON if n < 2 else OFF} for n in range(10)],
    )
    mix = part("selectors", "policy_mix")
    dropped = [tuple(sorted(mix.drops(pairs, seed)["pair_id"])) for seed in range(8)]
    assert len(set(dropped)) > 1
    assert dropped[2] == tuple(sorted(mix.drops(pairs.reverse(), 2)["pair_id"]))
