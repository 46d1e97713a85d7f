"""Figure gates: what a figure of the report must keep to, as `[gates] length_bias = "<= 0.1"`."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from pipelines.part import InWords, Table
from schemas.version import Figure

_FORM = re.compile(r"(<=|>=)\s*(-?(?:[0-9]+\.?[0-9]*|\.[0-9]+))")


class Bound(NamedTuple):
    """What a figure must lie at, or on which side of."""

    sign: str
    """"<=" or ">="."""
    limit: Decimal

    def __str__(self) -> str:
        return f"{self.sign} {self.limit}"

    def holds(self, figure: Figure) -> bool:
        """Whether the figure keeps to it with its whole interval, where it has one."""
        at_most = self.sign == "<="
        end = figure.high if at_most else figure.low
        value = Decimal(str(figure.value if end is None else end))
        if value.is_nan():
            return False
        return value <= self.limit if at_most else value >= self.limit


def bound(text: object) -> Bound:
    """The bound that a recipe writes. Raises ValueError for anything else.

    >>> bound("<= 0.1"), bound(">=-.5").limit
    (Bound(sign='<=', limit=Decimal('0.1')), Decimal('-0.5'))
    """
    if isinstance(text, Bound):
        return text
    match = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError('a bound is wanted, in the form "<= 0.1" or ">= 0.6"')
    return Bound(match[1], Decimal(match[2]))


def _needs_risks(given: Bound | None) -> Bound | None:
    if given is not None and find_spec("sklearn") is None:
        raise ValueError("the probe is missing: pip install 'pairwright[risks]'")
    return given


@dataclass(frozen=True, slots=True)
class Within:
    """Where a figure lies: a bound beyond could never hold."""

    low: str
    high: str = "Infinity"

    def __call__(self, given: Bound | None) -> Bound | None:
        """`given`, which must be within reach."""
        if given is None:
            return None
        end = self.low if given.sign == "<=" else self.high
        beyond = given.limit < Decimal(end) if given.sign == "<=" else given.limit > Decimal(end)
        if beyond:
            side = "below" if given.sign == "<=" else "above"
            raise ValueError(f'"{given}" can never hold: the figure is never {side} {end}')
        return given


Wanted = Annotated[Bound, BeforeValidator(bound), InWords('text, as in "<= 0.1"')] | None
"""A bound; None asks for nothing."""
Share = Annotated[Wanted, AfterValidator(Within("0", "1"))]
OffHalf = Annotated[Wanted, AfterValidator(Within("0", "0.5"))]
Amount = Annotated[Wanted, AfterValidator(Within("0"))]
Kappa = Annotated[Wanted, AfterValidator(Within("-1", "1"))]
Probed = Annotated[Share, AfterValidator(_needs_risks)]


class FigureGates(Table):
    """Bounds on figures of the report. With a 95 % interval, all of it must keep to the bound."""

    length_bias: OffHalf = None
    """How far the share of pairs whose chosen answer is the longer one is from one half, in [0, 0.5].
    As in "<= 0.1", which the whole 95 % interval must keep to, where a figure has one. A figure that
    is not defined keeps to no bound."""
    markdown_bias: OffHalf = None
    """The same of the chosen answer that has the larger share of lines with Markdown, in [0, 0.5]."""
    mean_margin: Wanted = None
    """Mean margin of the published pairs, in score units."""
    mean_chars_chosen: Amount = None
    """Mean length of the chosen answers, in characters."""
    mean_chars_rejected: Amount = None
    """Mean length of the rejected answers, in characters."""
    chosen_above_policy: Wanted = None
    """By how much chosen answers score above the policy's own on the same prompt, in score units, as a
    mean over prompts. Well above 0 advises APO-zero, below it APO-down."""
    mean_variance: Amount = None
    """Mean over prompts of the variance of their scores, in score units squared."""
    kept_share: Share = None
    """Of the pairs that were made, the share that is published."""
    prompt_share: Share = None
    """Of the prompts, the share that has a published pair."""
    source_prompt_share: Share = None
    """Of the prompts of each source, the share that has a published pair."""
    lang_prompt_share: Share = None
    """Of the prompts in each language, as `[prompts] lang` says, the share that has a published
    pair."""
    top_model_share: Share = None
    """The share of the chosen answers that one model wrote: the one with the most."""
    top_source_share: Share = None
    """The share of the pairs that one source has: the one with the most."""
    top_lang_share: Share = None
    """The share of the pairs that one language has, as `[prompts] lang` says: the one with the
    most."""
    strength: Wanted = None
    """Of each model: its Bradley-Terry strength among those of the pairs, in nats, 0 for the average
    one."""
    separability: Probed = None
    """How often a linear probe tells from how an answer looks whether it is a chosen one, 0.5 being
    a coin's share. It needs 50 pairs, and the extra `risks`."""
    separability_auc: Probed = None
    """The area under that probe's curve: how often it takes the chosen one of a chosen and a rejected
    answer for the chosen one."""
    model_separability: Probed = None
    """`separability` of one model's answers chosen over another's, for those two models that have the
    most pairs, and the two after them."""
    model_separability_auc: Probed = None
    """`separability_auc` of the same."""
    unread_rate: Share = None
    """Of each judge that decides: the share of its judgments that cannot be read."""
    tie_rate: Share = None
    """Of each judge that decides: the share of duels that it leaves undecided."""
    flip_rate: Share = None
    """Of each judge of comparisons that decides: the share of its votes that change with the order."""
    position_bias: OffHalf = None
    """Of each judge of comparisons that decides: how far the share of comparisons that the first
    shown wins is from one half, in [0, 0.5]."""
    judge_length_bias: OffHalf = None
    """Of each judge that decides: how far the share of duels that the longer answer wins is from one
    half, in [0, 0.5]."""
    judge_agreement: Share = None
    """Of every two judges: of the duels that both decide, the share that they decide alike."""
    judge_kappa: Kappa = None
    """Of every two judges: Cohen's kappa of their verdicts, ties included."""
    money: Amount = None
    """What all replies took, those that earlier runs paid for among them, in the currency of the
    prices. It is not defined where the usage or the price of one is not known; a model that costs
    nothing has `prices = { input = 0, output = 0 }`."""
    money_per_pair: Amount = None
    """The same, for each published pair."""

    def bounds(self) -> dict[str, Bound]:
        """Figure -> its bound, of those that have one."""
        found = {name: getattr(self, name) for name in FigureGates.model_fields}
        return {name: wanted for name, wanted in found.items() if wanted is not None}


OF_JUDGES = frozenset(
    {"unread_rate", "tie_rate", "flip_rate", "position_bias", "judge_length_bias"}
)
"""Figures of single judges: those of a judge that decides no pair stop no build."""
OF_COMPARISONS = frozenset({"flip_rate", "position_bias"})
"""Those of them that judges of single responses do not have."""


def failed_figures(
    gates: FigureGates,
    figures: Collection[Figure],
    counting: Collection[str],
    comparing: Collection[str] = (),
) -> Iterator[str]:
    """What figures do not keep to, in words.

    `counting` are the judges that decide pairs, each of which must have its figures; `comparing`
    those that compare, which alone must have figures `OF_COMPARISONS`.
    """
    for name, wanted in gates.bounds().items():
        found = [one for one in figures if one.figure == name]
        missing: set[str] = set()
        if name in OF_JUDGES:
            found = [one for one in found if one.subject in counting]
            asked = set(counting).intersection(comparing if name in OF_COMPARISONS else counting)
            missing = asked - {one.subject for one in found}
        for judge in sorted(missing):
            yield f"{name} of {judge} is not defined here, and gates.{name} is {wanted}"
        if not found and not missing:
            yield f"{name} is not defined here, and gates.{name} is {wanted}"
        for one in found:
            if not wanted.holds(one):
                yield f"{_described(one)}, and gates.{name} is {wanted}"


def _described(one: Figure) -> str:
    """The figure in words.

    >>> _described(Figure(figure="tie_rate", subject="critic", value=0.2, low=0.1, high=0.3, n=9, prompts=3))
    'tie_rate of critic: 0.2 (95 %: 0.1 to 0.3)'
    """
    about = " and ".join(filter(None, (one.subject, one.other)))
    name = f"{one.figure} of {about}" if about else one.figure
    reach = "" if one.low is None else f" (95 %: {one.low:.4g} to {one.high:.4g})"
    return f"{name}: {one.value:.4g}{reach}"
