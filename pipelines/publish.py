"""Publishing: the staged evidence and the selected pairs become the files of a version."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from pipelines.part import Table, Threshold


class Publish(Table):
    """`[publish]`: the shape of the published files."""

    splits: dict[str, Threshold] = {"train": Decimal("0.98"), "test": Decimal("0.02")}
    """Split -> share of the prompt groups, summing to 1. A group lies wholly in one split."""
    shards: int | Literal["auto"] = "auto"
    """Files per split, of equal row counts (they differ by at most one row). "auto": 1 below
    20,000 rows, 8 below 400,000, else 48."""
    row_group_rows: int = Field(default=4096, ge=2048, le=8192)
    """Rows per Parquet row group: small groups let a trainer start without much memory."""
