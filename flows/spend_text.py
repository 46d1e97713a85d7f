"""What a build spent, in words. What is unknown is said to be unknown, never shown as 0."""

from typing import TYPE_CHECKING

from flows.plain_text import counted

if TYPE_CHECKING:
    from pipelines.meter import Meter


def tokens(meter: "Meter") -> tuple[int, int]:
    """Prompt and completion tokens of the replies that told them."""
    spent = list(meter.spend.values())
    return sum(one.prompt_tokens for one in spent), sum(one.completion_tokens for one in spent)


def spend_in_words(meter: "Meter") -> str:
    """The money of all priced replies, and how many replies it leaves out.

    >>> from pipelines.meter import Meter, Spend
    >>> spend_in_words(Meter(spend={"m": Spend(calls=5, money=0.1234, missing_usage=2)}))
    'spend 0.1234 + 2 replies without usage'
    >>> spend_in_words(Meter(spend={"m": Spend(calls=5, unpriced=5)}))
    'spend unknown (5 replies without a price)'
    """
    spent = list(meter.spend.values())
    missing = sum(one.missing_usage for one in spent)
    unpriced = sum(one.unpriced for one in spent)
    left_out = [f"{counted(missing, 'reply', 'replies')} without usage"] if missing else []
    left_out += [f"{counted(unpriced, 'reply', 'replies')} without a price"] if unpriced else []
    if missing + unpriced == sum(one.calls for one in spent):
        return f"spend unknown ({' + '.join(left_out) or 'no calls'})"
    return " + ".join([f"spend {sum(one.money for one in spent):.4g}", *left_out])
