"""Questions that tell of the text that they were made from: "What does the author advise?"."""

import re
from typing import ClassVar

import polars as pl
from pydantic import field_validator

from pipelines.filter import Filter, On

SOURCES = (
    "text|passage|article|post|thread|excerpt|extract|document|paragraph|essay|story|snippet|review|"
    "blog|author|writer|narrator|poster|speaker|reviewer"
)

LEAK = rf"""(?ix)
\b (?: the | this | that | above | following | given | provided ) \s+
   (?: (?: above | given | provided | following | original | user['’]s ) \s+ )?
   (?: {SOURCES} ) (?: ['’]s | s )? \b
| \b according \s+ to \s+ (?: the | this | what ) \b
| \b (?: mentioned | described | stated | given | discussed ) \s+ (?: above | below | here ) \b
"""
"""What a question that stands alone does not say."""


class Leak(Filter):
    """Drops responses that speak of a text that a reader will not see (PUGC, arXiv 2506.04463).

    For questions, or instructions, that a model made of a text: "the text", "this article", "the
    author", "according to the...", "mentioned above". English only; add your own words.
    """

    on: ClassVar[On] = "responses"

    phrases: tuple[str, ...] = ()
    """Further words that must not stand there, as whole words and letter case aside."""
    allow: tuple[str, ...] = ()
    """Words that may stand there after all, as in "the story of" for questions about novels."""

    @field_validator("phrases", "allow")
    @classmethod
    def _not_blank(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if any(not phrase.strip() for phrase in phrases):
            raise ValueError("a phrase is blank: every response would have it")
        return phrases

    def drops(self) -> dict[str, pl.Expr]:
        """A response without a text tells nothing."""
        text = pl.col("text")
        if self.allow:
            text = text.str.replace_all(_any_of(self.allow), "")
        leaks = text.str.contains(LEAK)
        if self.phrases:
            leaks |= text.str.contains(_any_of(self.phrases))
        return {"leak": leaks}


def _any_of(phrases: tuple[str, ...]) -> str:
    """A pattern of Rust's `regex` for each of `phrases` as whole words."""
    words = "|".join(re.escape(phrase.strip()) for phrase in phrases)
    return rf"(?i)(?:^|\b)(?:{words})(?:\b|$)"
