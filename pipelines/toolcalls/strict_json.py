"""JSON as strictly as a call needs it: exact numbers, no key twice, no NaN."""

import json
from decimal import Decimal
from typing import Any

from pipelines.errors import JudgmentError


def read_json(text: str) -> Any:
    """The JSON value in `text`, numbers as Decimals. Raises JudgmentError.

    >>> read_json('{"a": 1.50}')
    {'a': Decimal('1.50')}
    >>> read_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    pipelines.errors.JudgmentError: no JSON: "a" stands there twice
    """
    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse,
            object_pairs_hook=_distinct,
        )
    except (ValueError, RecursionError) as error:
        raise JudgmentError(f"no JSON: {error}") from error
    except ArithmeticError as error:
        raise JudgmentError("no JSON: a number beyond all bounds") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f'"{name}" stands there twice')
        found[name] = value
    return found
