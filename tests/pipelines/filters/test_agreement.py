from decimal import Decimal

from tests.pipelines.tables import part, reasons


def votes(chosen, total):
    return {"n_votes": total, "n_votes_chosen": chosen}


def test_agreement_is_compared_exactly():
    pairs = [votes(7, 10), votes(69, 100), votes(2, 3)]
    expected = [set(), {"agreement_too_low"}, {"agreement_too_low"}]
    assert reasons(part("filters", "agreement", min=Decimal("0.7")), pairs) == expected


def test_two_of_three_reach_0_666_and_not_0_667():
    two = [votes(2, 3)]
    assert reasons(part("filters", "agreement", min=Decimal("0.666")), two) == [set()]
    assert reasons(part("filters", "agreement", min=Decimal("0.667")), two) != [set()]


def test_too_few_votes_are_their_own_reason():
    filter_ = part("filters", "agreement", min=Decimal("0.5"), min_votes=2)
    assert reasons(filter_, [votes(1, 1), votes(0, 0), votes(1, 2)]) == [
        {"too_few_votes"},
        {"too_few_votes"},
        set(),
    ]
