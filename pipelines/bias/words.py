"""Words for the figures in a manifest's notes; light to import, for whoever shows a manifest."""

from collections.abc import Mapping

SHARES = {
    "flip_rate": "orders disagree",
    "a_rate": "first shown wins",
    "longer_wins": "longer wins",
    "same_order": "agrees with others",
}
"""Note -> what it is the share of (`notes.py`): votes; decided comparisons; decided duels; duels that
another judge decides too. Its value is from 0 to 1."""


def words_of(notes: Mapping[str, int | float | str]) -> dict[str, str]:
    """Notes for people: shares in words and per cent, the others as they are.

    >>> words_of({"ties": 3, "flip_rate": 0.125})
    {'ties': '3', 'orders disagree': '12.5%'}
    """
    return {
        SHARES.get(name, name): f"{value:.1%}" if name in SHARES else str(value)
        for name, value in notes.items()
    }
