"""Batch jobs in words."""

from collections.abc import Collection

from flows.texts.plain import counted

MOST_STATES = 3


def jobs_in_words(states: Collection[str]) -> str:
    """The jobs under way, each with its state where they are few; "" where there is none.

    >>> jobs_in_words(["in progress 120/5,000"])
    '1 job (in progress 120/5,000)'
    >>> jobs_in_words(["validating"] * 5)
    '5 jobs'
    """
    if not states:
        return ""
    number = counted(len(states), "job")
    return number if len(states) > MOST_STATES else f"{number} ({', '.join(states)})"
