"""The layout of a version's files: splits, shards and row groups."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipelines.part import Real, Runtime, Table, Threshold

SplitName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


class Publish(Table):
    """The shape of the published files."""

    splits: dict[SplitName, Threshold] = {"train": Decimal("0.98"), "test": Decimal("0.02")}
    """Split -> share of the prompt groups, summing to 1. A group lies wholly in one split, which
    its own seeded draw decides."""
    group_near_duplicates: Real | None = Field(default=None, gt=0, le=1)
    """From which likeness on (Jaccard's, of five characters in a row, estimated by MinHash) prompts
    are one group, as those of one `group` of their source are: 1 for equal sets, 0.8 is usual, 0.9 or
    more for prompts from templates, of which all may become one. Default: groups are as given."""
    shards: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Files per split, of equal row counts (they differ by at most one row). "auto": 1 below
    20,000 rows, 8 below 400,000, else 48."""
    row_group_rows: int = Field(default=4096, ge=2048, le=8192)
    """Rows per Parquet row group: small groups let a trainer start without much memory."""
    report: Annotated[bool, Runtime] = True
    """Whether the version has `report.html`, and its manifest the figures in it. Figures that gates
    name are worked out either way."""

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        shares = self.splits.values()
        if sum(shares) != 1 or min(shares) < 0:
            given = " + ".join(str(share) for share in shares)
            raise ValueError(f"splits: the shares are at least 0 and sum to 1, not {given}")
        return self
