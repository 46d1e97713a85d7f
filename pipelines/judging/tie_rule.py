"""Tie rules: what it means that the two orders of a comparison disagree, or that one is unread.

                 both orders     A then B      A then tie    A then unread
    FASTCHAT     the winner      tie           tie           unread
    DOVE         the winner      tie           tie           unread
    JUDGEBENCH   the winner      tie           A             A
    PAIRS        the larger of P = (P(A|AB) + P(B|BA)) / 2 and 1 - P; unread if one order is

FASTCHAT: lm-sys/FastChat's pairwise mode. DOVE: arXiv 2404.00530. JUDGEBENCH: arXiv 2410.12784, an
order counts +1, -1 or 0, and the sign of the sum wins. PAIRS: arXiv 2403.16950.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Inconsistent = Literal["tie", "drop", "average"]


@dataclass(frozen=True, slots=True)
class TieRule:
    """How the orders of one vote become one opinion (`scoring.comparisons`)."""

    inconsistent: Inconsistent | None = None
    """Orders that disagree: a tie, no vote at all, or their average. None: probabilities are
    averaged, verdicts and scores make a tie."""
    band: int = 0
    """Micro-units. A probability so far from 1/2 or nearer is a tie."""
    unread: Literal["drop", "ignore"] = "drop"
    """An order that could not be read: the vote is unread, or the other order speaks alone."""


TieRules = Mapping[str, TieRule]
"""Judge -> its rule."""

PLAIN = TieRule()
"""The rule of a judge that has no other."""
FASTCHAT = DOVE = TieRule("tie")
JUDGEBENCH = TieRule("average", unread="ignore")
PAIRS = TieRule("average")

RECHECK = "recheck"
"""The dimension of comparisons that a ranking does not come from (`selection.transitivity`)."""
