"""Languages: what prompts and responses are written in, as lingua tells by their letters.

    prompt ─ last user message ─> lang, where its source gives none      (before the early filters)
    response ─ its text ────────> lang, same_lang                        (before the early filters)

It is a function of the text and of the table here: whoever draws, resumes or shards finds the same.
lingua is the extra `languages`, imported where the first text is looked at.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from pipelines.errors import nearest
from pipelines.extras import missing
from pipelines.filter import Filter
from pipelines.part import Real, Table, Where
from schemas.rows import Message, Prompt, Response

if TYPE_CHECKING:
    from lingua import LanguageDetector

LOOKED_AT = 500
"""Characters: more of a text makes no language surer, and takes its time."""

FENCED = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
"""What is written in no language: code between fences or backticks, and addresses."""

DECIMALS = 6
"""lingua sums in an order that differs from run to run, and with it the last digits."""


class Languages(Table):
    """The languages of prompts and responses are told from their texts, and kept as columns.

    `prompts.lang` where the source gives none, `responses.lang`, and `responses.same_lang`: whether a
    response is in its prompt's language, which the filter `same_language` goes by. Needs lingua:
    `pip install "pairwright[languages]"`.
    """

    of: tuple[str, ...] = Field(min_length=2)
    """The languages that there may be, two-letter codes of ISO 639-1, as in ["de", "en"]. A text in
    another one is taken for one of these where the script is theirs, else for unknown. The fewer, the
    surer; all 75 take 0.9 GB of memory."""
    min_confidence: Real = Field(default=0.5, ge=0, le=1)
    """Least probability, in [0, 1], of the likeliest of them; below it the language is unknown, as that
    of "ok" is."""

    @field_validator("of")
    @classmethod
    def _distinct(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        if twice := {code for code in codes if codes.count(code) > 1}:
            raise ValueError(f'"{min(twice)}" stands there twice')
        return codes

    def identity(self) -> dict[str, Any]:
        """As `Table.identity`, in any order, with the release of lingua, whose models decide."""
        from importlib.metadata import version

        release = version("lingua-language-detector")
        return super().identity() | {"of": sorted(self.of), "lingua": release}

    def check(self, where: Where) -> None:
        """Raises RecipeError where lingua is not installed, or does not know a language."""
        if lacking := missing("languages", "lingua"):
            raise where.error(lacking)
        known = _codes()
        for code in self.of:
            if code not in known:
                raise where.error(f'no such language "{code}"; {nearest(code, known)}', "of")


@dataclass(frozen=True)
class Detector:
    """Tells languages apart, and notes them in rows."""

    languages: Languages

    def language_of(self, text: str | None) -> str | None:
        """The code of the language, None below the confidence or where no letter tells it."""
        whole = FENCED.sub(" ", text or "")[:LOOKED_AT]
        plain = whole.encode(errors="replace").decode()  # lingua takes no lone surrogates
        if not any(map(str.isalpha, plain)):
            return None
        found = self._lingua.compute_language_confidence_values(plain)
        ranked = [(-round(one.value, DECIMALS), _code(one.language)) for one in found]
        value, code = min(ranked)
        return code if value and -value >= self.languages.min_confidence else None

    def of_prompt(self, prompt: Prompt) -> Prompt:
        """`prompt` with its language, where its source gives none: that of the last user message."""
        if prompt.lang is not None:
            return prompt
        return replace(prompt, lang=self.language_of(_asked(prompt.messages)))

    def of_responses(self, prompt: Prompt, responses: Iterable[Response]) -> list[Response]:
        """`responses` with their languages, and whether these are the prompt's."""
        wanted = _base(prompt.lang)
        wanted = wanted if wanted in self.languages.of else None
        return [self._of_response(one, wanted) for one in responses]

    def _of_response(self, response: Response, wanted: str | None) -> Response:
        lang = self.language_of(response.text)
        same = None if None in (lang, wanted) else lang == wanted
        return replace(response, lang=lang, same_lang=same)

    @cached_property
    def _lingua(self) -> "LanguageDetector":
        from lingua import IsoCode639_1, LanguageDetectorBuilder

        codes = [IsoCode639_1.from_str(code) for code in sorted(self.languages.of)]
        return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()


def check_languages(languages: Languages | None, filters: Iterable[Filter], where: Where) -> None:
    """Raises RecipeError as `Languages.check`, and for a filter that needs what is not asked for."""
    if languages is not None:
        languages.check(Where(where.file, "[languages]", where.root))
        return
    for one in filters:
        if one.on == "responses" and {"lang", "same_lang"} & _columns(one):
            raise where.error(
                "the languages of responses are not known: a table [languages] is needed, as in of = "
                '["de", "en"]',
                f"[[filters]] {one.name}",
            )


def _columns(one: Filter) -> set[str]:
    return {name for flag in one.drops().values() for name in flag.meta.root_names()}


def _asked(messages: tuple[Message, ...]) -> str | None:
    """What the user asked last."""
    return next((one.content for one in reversed(messages) if one.role == "user"), None)


def _base(lang: str | None) -> str | None:
    """The two-letter code that a source's word for a language begins with.

    >>> _base("en-US"), _base("pt_BR"), _base("English"), _base(None)
    ('en', 'pt', None, None)
    """
    found = re.match(r"([a-z]{2})(?![^\W_])", lang.lower()) if lang else None
    return found and found[1]


def _code(language: Any) -> str:
    return str(language.iso_code_639_1.name).lower()


def _codes() -> list[str]:
    from lingua import Language

    return sorted(_code(language) for language in Language.all())


@cache
def detector_for(languages: Languages) -> Detector:
    """The detector; its models are read once in a process."""
    return Detector(languages)
