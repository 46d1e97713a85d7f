"""Pairs whose two texts say the same."""

import hashlib
from typing import Any, ClassVar

import polars as pl
from pydantic import Field, PrivateAttr, model_validator

from pipelines.filter import Filter, On
from pipelines.part import Where


class Identical(Filter):
    """Drops pairs whose texts are equal after normalisation (NFKC, white space folded).

    With a tokenizer, also those that are equal once a trainer has cut both to `max_tokens`.
    """

    on: ClassVar[On] = "pairs"

    tokenizer: str | None = None
    """A `tokenizer.json`, or a folder with one."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Length to which both texts are cut, in tokens, without special tokens."""

    _tokenizer: Any = PrivateAttr(default=None)
    _tokenizer_sha256: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _both_or_neither(self) -> "Identical":
        if (self.tokenizer is None) != (self.max_tokens is None):
            raise ValueError("`tokenizer` and `max_tokens` need each other")
        return self

    def check(self, where: Where) -> None:
        """Reads the tokenizer. Raises RecipeError where that fails."""
        if self.tokenizer is None:
            return
        path = where.root / self.tokenizer
        path = path / "tokenizer.json" if path.is_dir() else path
        try:
            content = path.read_bytes()
        except OSError as error:
            raise where.error(f"{path}: {error.strerror}", "tokenizer") from error
        self._tokenizer = _load_tokenizer(content, where)
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer_sha256 = hashlib.sha256(content).hexdigest()

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`; a tokenizer counts by its content, wherever it lies."""
        identity = super().identity()
        return (
            identity if self.tokenizer is None else identity | {"tokenizer": self._tokenizer_sha256}
        )

    def drops(self) -> dict[str, pl.Expr]:
        """With a tokenizer this names the texts, so it runs where they are at hand."""
        reasons = {"identical": pl.col("chosen_norm_hash") == pl.col("rejected_norm_hash")}
        if self._tokenizer is not None:
            texts = pl.struct("chosen_text", "rejected_text")
            reasons["identical_truncated"] = texts.map_batches(
                self._equal_tokens, return_dtype=pl.Boolean, is_elementwise=True
            )
        return reasons

    def _equal_tokens(self, texts: pl.Series) -> pl.Series:
        chosen, rejected = (
            self._tokenizer.encode_batch_fast(
                texts.struct.field(side).fill_null("").to_list(), add_special_tokens=False
            )
            for side in ("chosen_text", "rejected_text")
        )
        equal = [one.ids == other.ids for one, other in zip(chosen, rejected, strict=True)]
        return pl.Series(equal, dtype=pl.Boolean)


def _load_tokenizer(content: bytes, where: Where) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_buffer(content)
    except ValueError as error:
        raise where.error(f"not a tokenizer.json: {error}", "tokenizer") from error
