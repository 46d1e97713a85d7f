"""What was spent, in words. What is unknown is said to be unknown, never shown as 0."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from flows.texts.plain import aligned, count, counted
from pipelines.calls.meter import Spend

if TYPE_CHECKING:
    from pipelines.planning.estimate import Estimate
    from schemas.version import Forecast, Run, Spent


def tokens(spends: "Collection[Spend | Spent]") -> tuple[int, int]:
    """Prompt and completion tokens of the replies that told them."""
    return sum(one.prompt_tokens for one in spends), sum(one.completion_tokens for one in spends)


def spend_in_words(spends: "Collection[Spend | Spent]") -> str:
    """The money of all priced replies, and how many replies it leaves out.

    >>> spend_in_words([Spend(calls=5, money=0.1234, missing_usage=2)])
    'spend 0.1234 + 2 replies without usage'
    >>> spend_in_words([Spend(calls=5, unpriced=5)])
    'spend unknown (5 replies without a price)'
    """
    missing, unpriced = _left_out(spends)
    left_out = [f"{counted(missing, 'reply', 'replies')} without usage"] if missing else []
    left_out += [f"{counted(unpriced, 'reply', 'replies')} without a price"] if unpriced else []
    if missing + unpriced == sum(one.calls for one in spends):
        return f"spend unknown ({' + '.join(left_out) or 'no calls'})"
    return " + ".join([f"spend {sum(one.money for one in spends):.4g}", *left_out])


def spend_in_brief(spends: "Collection[Spend | Spent]") -> str:
    """As `spend_in_words`, where there is little room; "" where no model has a price.

    >>> spend_in_brief([Spend(calls=5, money=0.1234, missing_usage=2)])
    'spend 0.1234 + 2 unknown'
    >>> spend_in_brief([Spend(calls=5, unpriced=5)])
    ''
    """
    missing, unpriced = _left_out(spends)
    calls = sum(one.calls for one in spends)
    if missing + unpriced == calls:
        return "" if unpriced == calls else "spend unknown"
    money = f"spend {sum(one.money for one in spends):.4g}"
    return f"{money} + {missing + unpriced} unknown" if missing + unpriced else money


def spend_table(run: "Run") -> str:
    """What a version took: in the run that published it, before that, and in all; "" of no call.

    Beside it, what a plan before that run expected of it, where one was made.
    """
    rows: list[tuple[str, ...]] = [("paid by", "calls", "tokens in", "tokens out", "")]
    if run.forecast:
        rows.append(_forecast(run.forecast.values()))
    mine, earlier = list(run.spent.values()), list(run.before.values())
    for who, spends in (("this run", mine), ("earlier runs", earlier)):
        if spends:
            rows.append(_row(who, spends))
    if mine and earlier:
        rows.append(_row("together", [*mine, *earlier]))
    return aligned(rows) if len(rows) > 1 else ""


def _forecast(models: "Collection[Forecast]") -> tuple[str, ...]:
    """What this run was expected to take: ± half of a 95 % interval, "*" where it was assumed."""
    from flows.texts.plan import figure_text, money_text

    calls, prompt, completion, money = (
        _total(models, name) for name in ("calls", "prompt_tokens", "completion_tokens", "money")
    )
    figures = (figure_text(one) if one else "" for one in (calls, prompt, completion))
    return "forecast", *figures, f"spend {money_text(money)}" if money else ""


def _total(models: "Collection[Forecast]", name: str) -> "Estimate | None":
    from pipelines.planning.estimate import Estimate, total_of

    given = [(getattr(one, name), one.plus_minus.get(name)) for one in models]
    return total_of([None if value is None else Estimate(value, wide) for value, wide in given])


def _row(who: str, spends: "Collection[Spend | Spent]") -> tuple[str, ...]:
    prompt, completion = tokens(spends)
    calls = sum(one.calls for one in spends)
    return who, count(calls), count(prompt), count(completion), spend_in_words(spends)


def _left_out(spends: "Collection[Spend | Spent]") -> tuple[int, int]:
    """Replies without usage, and replies without a price."""
    return sum(one.missing_usage for one in spends), sum(one.unpriced for one in spends)
