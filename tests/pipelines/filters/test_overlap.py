from decimal import Decimal

from tests.pipelines.tables import part, reasons


def overlaps(*texts, prefix=0, **fields):
    """Which of some pairs (chosen, rejected) are dropped."""
    rows = [{"n_chars_prefix": prefix} for _ in texts]
    chosen, rejected = zip(*texts, strict=True)
    sides = {"chosen_text": list(chosen), "rejected_text": list(rejected)}
    found = reasons(part("filters", "overlap", **fields), rows, sides)
    return [why == {"overlap_too_high"} for why in found]


def test_an_overlap_at_the_bound_is_kept():
    nineteen = " ".join(map(str, range(19)))
    assert overlaps((f"{nineteen} x", f"{nineteen} y"), ("a b", "b a a"), ("a b", "a b c")) == [
        False,
        True,
        True,
    ]
    assert overlaps(("a b", "a c"), max=Decimal("0.5")) == [False]
    assert overlaps(("a b", "a c"), max=Decimal("0.4999")) == [True]


def test_what_both_accepted_before_does_not_count():
    same = "a b c d e f "
    assert overlaps((same + "x", same + "y"), prefix=len(same), max=0) == [False]
    assert overlaps((same + "x", same + "y"), prefix=None, max=Decimal("0.8")) == [True]


def test_a_text_without_words_overlaps_with_none():
    assert overlaps(("", "a"), (None, "a"), (" \n", ""), max=0) == [False] * 3
