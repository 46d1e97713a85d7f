"""What makes a revision useless: it is none, it tells that it is one, or it is another answer."""

import re
from decimal import Decimal

from pydantic import Field

from pipelines.part import Real, Table
from pipelines.selection.texts import norm_hash


class Bounds(Table):
    """What a revision has to keep to."""

    min_length_ratio: Real = Field(default=0.5, gt=0, le=1)
    """Least length of a revision, in characters, over that of what it revises."""
    max_length_ratio: Real = Field(default=3.0, ge=1)
    """Greatest length of a revision over that of what it revises."""
    leak_within: int = Field(default=200, ge=0)
    """Characters at its start in which a revision must not tell that it is one ("revised", "the
    student", "corrected"); 0: it may."""


_LEAK = re.compile(
    r"\b(?:revis(?:ed|ion)|correct(?:ed|ion)|worsened|rewritten|"
    r"(?:the|this|your)[ ]student(?:['’]s)?)\b",
    re.IGNORECASE,
)


def fault_of(original: str, revision: str, prompt: str, bounds: Bounds) -> str | None:
    """Why a revision is useless; None where it is not.

    Words that the prompt or the original use as well are no leak: a task may be about a revision.

    >>> bounds = Bounds()
    >>> fault_of("Four  is it.", "Four is it.", "2+2?", bounds)
    'no_change'
    >>> fault_of("It is three.", "The revised answer: it is four.", "2+2?", bounds)
    'leak'
    >>> fault_of("It is three.", "The revised plan is four.", "What is the revised plan?", bounds)
    >>> fault_of("It is three.", "4", "2+2?", bounds)
    'too_short'
    """
    if norm_hash(original) == norm_hash(revision):
        return "no_change"
    ratio = Decimal(len(revision)) / max(1, len(original))
    if ratio < Decimal(str(bounds.min_length_ratio)):
        return "too_short"
    if ratio > Decimal(str(bounds.max_length_ratio)):
        return "too_long"
    known = f"{prompt}\n{original}".lower()
    leaks = _LEAK.finditer(revision[: bounds.leak_within])
    return "leak" if any(leak[0].lower() not in known for leak in leaks) else None
