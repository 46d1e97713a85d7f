"""Calls of tools as values: what makes two answers call the same."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call. Numbers among its arguments are Decimals, so that no digit is lost."""

    name: str
    arguments: dict[str, Any]


def same_calls(some: Sequence[Call], others: Sequence[Call]) -> bool:
    """Whether both make the same calls, in whatever order; a call made twice is made twice.

    Arguments are compared as JSON: the order of keys and the form of a number (1, 1.0, 1e0) do not
    count, their types do ("1" is no 1, and true is no 1).

    >>> from decimal import Decimal
    >>> one = Call("f", {"a": Decimal(1), "b": ["x"]})
    >>> same_calls([one], [Call("f", {"b": ["x"], "a": Decimal("1.0")})])
    True
    >>> same_calls([one], [Call("f", {"b": ["x"], "a": True})]), same_calls([one], [one, one])
    (False, False)
    """
    return Counter(map(_key, some)) == Counter(map(_key, others))


def _key(call: Call) -> Hashable:
    return call.name, _value_key(call.arguments)


def _value_key(value: Any) -> Hashable:
    """What equal JSON values have in common. Python takes True for 1, so types stand beside."""
    if isinstance(value, dict):
        return "object", frozenset((name, _value_key(entry)) for name, entry in value.items())
    if isinstance(value, list):
        return "list", tuple(map(_value_key, value))
    return type(value).__name__, value
