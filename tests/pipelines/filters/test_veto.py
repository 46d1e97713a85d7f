import pytest

from tests.pipelines.tables import part, reasons


def votes(n, chosen, rejected):
    return {"n_votes": n, "n_votes_chosen": chosen, "n_votes_rejected": rejected}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [set(), set(), {"vetoed"}, {"vetoed"}]),
        ({"votes": 2}, [set(), set(), set(), {"vetoed"}]),
        ({"ties": True}, [set(), {"vetoed"}, {"vetoed"}, {"vetoed"}]),
    ],
)
def test_votes_for_the_rejected_drop_a_pair_whatever_most_say(fields, expected):
    rows = [votes(0, 0, 0), votes(5, 4, 0), votes(9, 8, 1), votes(5, 3, 2)]
    assert reasons(part("filters", "veto", **fields), rows) == expected
