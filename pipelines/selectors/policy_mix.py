"""On-policy and off-policy pairs in a fixed proportion."""

from decimal import Decimal
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from pipelines.part import Threshold, micro
from pipelines.selection.seeded import seeded_order
from pipelines.selector import Selector
from schemas.canonical import MICRO


class PolicyMix(Selector):
    """Keeps the largest set of pairs with the wanted share of on-policy ones (AIR: one half).

    The group that is too large is down-sampled by the seed; the other one stays whole. Where one
    group is empty, no set has the wanted share, and nothing is kept.
    """

    reads: ClassVar[frozenset[str]] = frozenset(("chosen_policy", "rejected_policy"))

    on: Threshold = Field(default=Decimal("0.5"), gt=0, lt=1)
    """Wanted share of on-policy pairs, above 0 and below 1."""
    side: Literal["chosen", "both", "any"] = "chosen"
    """What makes a pair on-policy: its chosen response, both responses, or either one."""

    def drops(self, pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
        """A pair of which it is not known whether it is on-policy is dropped."""
        drawn = pairs.select(
            "pair_id",
            on_policy=self._on_policy(),
            draw=seeded_order(pairs["pair_id"], seed, self.name),
        ).sort("draw", "pair_id")
        on, off = (drawn.filter(pl.col("on_policy") == policy) for policy in (True, False))
        keep_on, keep_off = _largest_mix(on.height, off.height, micro(self.on))
        dropped = {
            "policy_unknown": drawn.filter(pl.col("on_policy").is_null()),
            "on_policy_surplus": on.slice(keep_on),
            "off_policy_surplus": off.slice(keep_off),
        }
        return pl.concat(
            rows.select("pair_id", reason=pl.lit(reason)) for reason, rows in dropped.items()
        )

    def _on_policy(self) -> pl.Expr:
        chosen, rejected = pl.col("chosen_policy") == "on", pl.col("rejected_policy") == "on"
        return {"chosen": chosen, "both": chosen & rejected, "any": chosen | rejected}[self.side]


def _largest_mix(on: int, off: int, share: int) -> tuple[int, int]:
    """How many to keep of `on` and `off` pairs for a share of on-policy pairs in micro-units.

    >>> _largest_mix(10, 4, 500_000), _largest_mix(3, 100, 250_000)
    ((4, 4), (3, 9))
    """
    rest = MICRO - share
    return min(on, off * share // rest), min(off, on * rest // share)
