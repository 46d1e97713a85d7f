"""Kinds of instructions: how each is checked, how it is said, and how its opposite is.

The names and arguments are those of IFEval (arXiv 2311.07911), whose data holds them; the words and
the checks are our own. A keyword is a whole word here, where the published check finds "war" in
"warm"; and the language of a text is not looked at by the checks of letter case.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from pipelines.errors import JudgmentError
from pipelines.extras import missing
from pipelines.instructions import counts

Arguments = Mapping[str, Any]

ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
SEPARATOR = "******"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind."""

    holds: Callable[[str, Arguments], bool]
    """Whether a text keeps to it. Raises KeyError where an argument is missing."""
    said: str
    """The instruction; {arguments} in braces."""
    opposite: str | None
    """What holds exactly where the instruction does not; None: nobody would say that."""


def _compared(count: int, relation: Any, number: Any) -> bool:
    """Whether `count` is "at least" or "less than" a number."""
    if relation not in ("at least", "less than"):
        raise JudgmentError(f'a relation is "at least" or "less than", not "{relation}"')
    return bool((count >= int(number)) == (relation == "at least"))


def _capital_words(text: str, given: Arguments) -> bool:
    count = sum(word.isupper() for word in counts.words(text))
    return _compared(count, given["capital_relation"], given["capital_frequency"])


def _letters(text: str, given: Arguments) -> bool:
    count = text.lower().count(str(given["letter"]).lower())
    return _compared(count, given["let_relation"], given["let_frequency"])


def _two_responses(text: str, _: Arguments) -> bool:
    parts = [part.strip() for part in re.split(rf"\s*{re.escape(SEPARATOR)}\s*", text.strip())]
    return len(parts) == 2 and all(parts) and parts[0] != parts[1]


def _is_json(text: str, _: Arguments) -> bool:
    bare = re.sub(r"\A\s*```(?:json)?\s*\n|\n\s*```\s*\Z", "", text, flags=re.IGNORECASE)
    try:
        return isinstance(orjson.loads(bare), dict | list)
    except orjson.JSONDecodeError:
        return False


def _sections(text: str, given: Arguments) -> bool:
    mark = re.escape(str(given["section_spliter"]).strip())
    return len(re.findall(rf"\b{mark}\s*\d+", text)) >= int(given["num_sections"])


def _first_word(text: str, given: Arguments) -> bool:
    parts = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    number, place = int(given["num_paragraphs"]), int(given["nth_paragraph"])
    if len(parts) != number or not 1 <= place <= number:
        return False
    first = counts.words(parts[place - 1])[:1]
    return [word.lower() for word in first] == [str(given["first_word"]).lower()]


def _postscript(text: str, given: Arguments) -> bool:
    letters = re.findall(r"[A-Za-z]", str(given["postscript_marker"]))
    mark = r"\.?\s?".join(map(re.escape, letters))
    return re.search(rf"^\W*{mark}\b", text, re.IGNORECASE | re.MULTILINE) is not None


def _quoted(text: str, _: Arguments) -> bool:
    bare = text.strip()
    return len(bare) > 1 and bare[0] in '"“' and bare[-1] in '"”'


def _ends(text: str, given: Arguments) -> bool:
    bare = text.strip().strip('"“”').rstrip().lower()
    return bare.endswith(str(given["end_phrase"]).strip().strip('"“”').lower())


@cache
def _detector() -> Any:
    from lingua import LanguageDetectorBuilder

    every = LanguageDetectorBuilder.from_all_languages()
    return every.with_low_accuracy_mode().build()  # the other mode takes 0.9 GB


def _language(text: str, given: Arguments) -> bool:
    code = str(given["language"]).lower().partition("-")[0]
    if lacking := missing("languages", "lingua"):
        raise JudgmentError(lacking)
    found = _detector().detect_language_of(text)
    return found is not None and found.iso_code_639_1.name.lower() == code


def _starts(text: str, given: Arguments) -> bool:
    return text.strip().lower().startswith(str(given["prompt_to_repeat"]).strip().lower())


def _found(text: str, phrases: Any) -> list[bool]:
    if not isinstance(phrases, list):
        raise JudgmentError(f"a list of words is wanted, not {phrases!r}")
    return [counts.occurrences(text, str(phrase)) > 0 for phrase in phrases]


KINDS: dict[str, Kind] = {
    "capital_word_frequency": Kind(
        _capital_words,
        "Write {capital_relation} {capital_frequency} words in capital letters only.",
        "Write {not capital_relation} {capital_frequency} words in capital letters only.",
    ),
    "english_capital": Kind(
        lambda text, _: text.isupper(),
        "Write everything in capital letters.",
        "Do not write everything in capital letters.",
    ),
    "english_lowercase": Kind(
        lambda text, _: text.islower(),
        "Write everything in lower-case letters.",
        "Do not write everything in lower-case letters.",
    ),
    "repeat_prompt": Kind(
        _starts,
        'Begin with this request, word for word: "{prompt_to_repeat}"',
        'Do not begin with this request: "{prompt_to_repeat}"',
    ),
    "two_responses": Kind(
        _two_responses, f"Give two different responses, separated by {SEPARATOR}.", None
    ),
    "number_placeholders": Kind(
        lambda text, given: counts.placeholders(text) >= int(given["num_placeholders"]),
        "Use at least {num_placeholders} placeholders in square brackets, such as [address].",
        "Use fewer than {num_placeholders} placeholders in square brackets, such as [address].",
    ),
    "postscript": Kind(
        _postscript,
        "Add a postscript at the end that begins with {postscript_marker}",
        "Do not add a postscript that begins with {postscript_marker}",
    ),
    "constrained_response": Kind(
        lambda text, _: any(one.lower() in text.lower() for one in ANSWERS),
        f"Answer with one of these: {' '.join(ANSWERS)}",
        f"Do not answer with any of these: {' '.join(ANSWERS)}",
    ),
    "json_format": Kind(
        _is_json, "Write nothing but JSON.", "Do not write the whole response as JSON."
    ),
    "multiple_sections": Kind(
        _sections,
        "Write at least {num_sections} sections, each marked with {section_spliter} and its number.",
        "Write fewer than {num_sections} sections that are marked with {section_spliter} and a number.",
    ),
    "number_bullet_lists": Kind(
        lambda text, given: counts.bullets(text) == int(given["num_bullets"]),
        "Write exactly {num_bullets} bullet points in Markdown.",
        "Write more or fewer than {num_bullets} bullet points in Markdown.",
    ),
    "number_highlighted_sections": Kind(
        lambda text, given: counts.highlights(text) >= int(given["num_highlights"]),
        "Highlight at least {num_highlights} parts, *like this*.",
        "Highlight fewer than {num_highlights} parts *like this*.",
    ),
    "title": Kind(
        lambda text, _: re.search(r"<<[^\n<>]*[^\s<>][^\n<>]*>>", text) is not None,
        "Give a title in double angular brackets, <<like this>>.",
        "Do not give a title in double angular brackets, <<like this>>.",
    ),
    "existence": Kind(
        lambda text, given: all(_found(text, given["keywords"])),
        "Use all of these words: {keywords}.",
        "Leave out at least one of these words: {keywords}.",
    ),
    "forbidden_words": Kind(
        lambda text, given: not any(_found(text, given["forbidden_words"])),
        "Use none of these words: {forbidden_words}.",
        "Use at least one of these words: {forbidden_words}.",
    ),
    "frequency": Kind(
        lambda text, given: _compared(
            counts.occurrences(text, str(given["keyword"])), given["relation"], given["frequency"]
        ),
        'Use the word "{keyword}" {relation} {frequency} times.',
        'Use the word "{keyword}" {not relation} {frequency} times.',
    ),
    "letter_frequency": Kind(
        _letters,
        'Use the letter "{letter}" {let_relation} {let_frequency} times.',
        'Use the letter "{letter}" {not let_relation} {let_frequency} times.',
    ),
    "response_language": Kind(
        _language,
        "Write in the language {language} (ISO 639-1), and in no other.",
        "Write in another language than {language} (ISO 639-1).",
    ),
    "number_words": Kind(
        lambda text, given: _compared(
            len(counts.words(text)), given["relation"], given["num_words"]
        ),
        "Write {relation} {num_words} words.",
        "Write {not relation} {num_words} words.",
    ),
    "number_sentences": Kind(
        lambda text, given: _compared(
            counts.sentences(text), given["relation"], given["num_sentences"]
        ),
        "Write {relation} {num_sentences} sentences.",
        "Write {not relation} {num_sentences} sentences.",
    ),
    "number_paragraphs": Kind(
        lambda text, given: len(counts.paragraphs(text)) == int(given["num_paragraphs"]),
        "Write exactly {num_paragraphs} paragraphs, with a line *** between them.",
        "Write more or fewer than {num_paragraphs} paragraphs, with a line *** between them.",
    ),
    "nth_paragraph_first_word": Kind(
        _first_word,
        "Write exactly {num_paragraphs} paragraphs, with an empty line between them; paragraph "
        '{nth_paragraph} begins with "{first_word}".',
        None,
    ),
    "no_comma": Kind(
        lambda text, _: not re.search("[,，،]", text),
        "Use no commas.",
        "Use at least one comma.",
    ),
    "end_checker": Kind(
        _ends,
        'End with exactly these words: "{end_phrase}"',
        'Do not end with these words: "{end_phrase}"',
    ),
    "quotation": Kind(
        _quoted,
        "Put the whole response in double quotation marks.",
        "Do not put the whole response in double quotation marks.",
    ),
}
"""Kind, which is IFEval's id after its colon -> how it is checked and said."""
