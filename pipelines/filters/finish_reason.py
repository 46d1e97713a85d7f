"""Why the model stopped writing."""

from typing import ClassVar

import polars as pl

from pipelines.filter import Filter, On


class FinishReason(Filter):
    """Keeps responses that ended by themselves, as far as the endpoint said."""

    on: ClassVar[On] = "responses"

    allow: tuple[str, ...] = ("stop", "tool_calls")
    """Finish reasons that are kept. "length" means that the response was cut off."""
    allow_missing: bool = True
    """Whether to keep responses without a finish reason, as most recorded ones are."""

    def drops(self) -> dict[str, pl.Expr]:
        """A response that was cut off is `truncated`."""
        finish = pl.col("finish_reason")
        refused = ~finish.is_in(list(self.allow))
        reasons = {
            "truncated": refused & (finish == "length"),
            "finish_reason": refused & (finish != "length"),
        }
        if not self.allow_missing:
            reasons["finish_reason_missing"] = finish.is_null()
        return reasons
