"""At least: the bound of a gate, as a recipe writes it."""

import re
from decimal import Decimal

_FORM = re.compile(r">=\s*([01]|[01]?\.\d+)")


def at_least(text: object) -> Decimal:
    """The share in ">= 0.7". Raises ValueError for anything else.

    >>> at_least(">= 0.7"), at_least(">=.75")
    (Decimal('0.7'), Decimal('0.75'))
    """
    match = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    share = Decimal(match[1]) if match else None
    if share is None or share > 1:
        raise ValueError('a share in [0, 1] is wanted, in the form ">= 0.7"')
    return share
