"""Responses in another language than their prompt: a model that slipped into English, most often."""

from typing import ClassVar

import polars as pl

from pipelines.filter import Filter, On


class SameLanguage(Filter):
    """Drops responses in another language than their prompt, before a judge is paid for them.

    The recipe's `[languages]` says which languages are told apart. Where the language of either is
    not known, the response is kept.
    """

    on: ClassVar[On] = "responses"

    def drops(self) -> dict[str, pl.Expr]:
        """The languages were told when the response was drawn."""
        return {"other_language": ~pl.col("same_lang")}
