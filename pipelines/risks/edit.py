"""Edit distance: how many tokens must be put in, taken out or replaced to turn one text into another.

Levenshtein's distance, with the columns of its table as bits of one integer (Myers 1999, in Hyyrö's
form of 2003): a step for each token of the one text, whatever the length of the other.
"""

from collections.abc import Hashable, Sequence


def edit_distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """The distance of two sequences of tokens: 0 for equal ones, at most the longer length.

    >>> edit_distance("a b c".split(), "a x c".split()), edit_distance("kitten", "sitting")
    (1, 3)
    """
    one, other = _differing(one, other)
    if not one or not other:
        return max(len(one), len(other))
    places: dict[Hashable, int] = {}
    for place, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << place
    every, last, distance = (1 << len(one)) - 1, 1 << (len(one) - 1), len(one)
    up, down = every, 0
    for token in other:
        equal = places.get(token, 0)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        right_up, right_down = (down | ~(diagonal | up)) & every, up & diagonal
        distance += bool(right_up & last) - bool(right_down & last)
        right_up, right_down = right_up << 1 | 1, right_down << 1
        up = (right_down | ~(diagonal | right_up)) & every
        down = right_up & diagonal & every
    return distance


def _differing(
    one: Sequence[Hashable], other: Sequence[Hashable]
) -> tuple[Sequence[Hashable], Sequence[Hashable]]:
    """Both without the beginning and the end that they share."""
    start, shorter = 0, min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]
