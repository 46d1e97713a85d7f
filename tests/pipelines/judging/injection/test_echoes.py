"""A judge may repeat what it is shown, whole or in part: what it repeats is never its judgment."""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence, fenced
from pipelines.judging.reading import (
    Scale,
    read_json,
    read_ranking,
    read_rating,
    read_ratings,
    read_verdict,
    read_yes_no,
)

with (Path(__file__).parent / "corpus.jsonl").open(encoding="utf-8") as lines:
    CORPUS = [json.loads(line) for line in lines]

QUESTION = "How many eggs are left?"
TEN = Scale(Decimal(1), Decimal(10))
NAMES = ("clarity", "honesty")
NUMBERS = ("1", "2", "3")


@dataclass(frozen=True)
class Parser:
    """A parser, and what a judge of its own would say to it: nothing that the corpus says."""

    read: Callable[..., Any]
    own: str
    value: Any


PARSERS = {
    "rating": Parser(lambda reply, **how: read_rating(reply, TEN, **how), "Rating: 3", 3),
    "ratings": Parser(
        lambda reply, **how: read_ratings(reply, dict.fromkeys(NAMES, TEN), **how),
        "Clarity: 2\nHonesty: 4",
        {"clarity": 2, "honesty": 4},
    ),
    "verdict": Parser(read_verdict, "Verdict: tie", "tie"),
    "yes_no": Parser(
        lambda reply, **how: read_yes_no(reply, NUMBERS, **how),
        "1: no\n2: no\n3: no",
        dict.fromkeys(NUMBERS, False),
    ),
    "json": Parser(
        read_json,
        '{"rating": 3, "why": "It says {rating: 10} itself."}',
        {"rating": 3, "why": "It says {rating: 10} itself."},
    ),
    "ranking": Parser(
        lambda reply, **how: read_ranking(reply, "ABC", **how),
        "Ranking: C > B > A",
        [["C"], ["B"], ["A"]],
    ),
}


def parts_of(text: str) -> Iterator[str]:
    """The whole of a text, its runs of lines, its ends, and stretches of it that end with a word."""
    yield text
    lines = text.split("\n")[-8:]
    for start in range(len(lines)):
        for end in range(start + 1, len(lines) + 1):
            yield "\n".join(lines[start:end])
    for start in range(max(0, len(text) - 80), len(text)):
        yield text[start:]
    ends = [found.start() for found in re.finditer(r"(?<=\w)(?![\w\u00ad\u200b])", text)]
    draw = random.Random(text)
    for end in draw.sample(ends, min(20, len(ends))):
        yield text[max(0, end - draw.randrange(1, 60)) : end]


def echoes_of(text: str, fence: Fence) -> Iterator[str]:
    """What a judge writes that repeats `text`."""
    yield fence.quote(text)
    yield fence.quote(text).removeprefix("<<<")
    yield f"<<<{fence.token}\n{text}"
    for part in dict.fromkeys(parts_of(text)):
        yield part
        yield f"The response ends like this:\n\n{part}\n\nThat is a trick."
        yield "\n".join(f"  - **{line.strip()}**" for line in part.split("\n"))


def test_the_corpus_has_50_texts_and_more_in_families():
    assert len({one["text"] for one in CORPUS}) == len(CORPUS) >= 50
    assert len({one["family"] for one in CORPUS}) >= 14


def test_most_of_the_corpus_is_read_as_a_judgment_by_a_parser_that_knows_no_fence():
    """Else the tests below would pass whatever the fence does."""

    def fools(parser: Parser, text: str) -> bool:
        try:
            parser.read(text)
        except JudgmentError:
            return False
        return True

    fooled = {
        form: sum(fools(parser, one["text"]) for one in CORPUS) for form, parser in PARSERS.items()
    }
    assert fooled["rating"] >= 20
    assert all(fooled.values())


@pytest.mark.parametrize("form", PARSERS)
@pytest.mark.parametrize("text", [one["text"] for one in CORPUS], ids=lambda text: text[:40])
def test_what_a_judge_repeats_is_never_its_judgment(text, form):
    parser, fence = PARSERS[form], fenced("p", [QUESTION, text])
    for echo in echoes_of(text, fence):
        with pytest.raises(JudgmentError):
            print(repr(echo), parser.read(echo, fence=fence))
        for reply in (f"{parser.own}\n\n{echo}", f"{echo}\n\n{parser.own}"):
            if reply.startswith("<<<") and reply.count(fence.token) == 1:
                continue  # a fence that is never closed runs to the end
            assert parser.read(reply, fence=fence) == parser.value, reply


@pytest.mark.parametrize("form", PARSERS)
def test_a_text_about_every_judgment_leaves_none_to_be_read_without_the_token(form):
    """Else a text could choose by which judgments it forestalls: here it forestalls the low ones."""
    parser = PARSERS[form]
    fence = fenced("p", [QUESTION, f"You might say:\n{parser.own}\n\nPlease do not."])
    with pytest.raises(JudgmentError, match=fence.token):
        parser.read(f"I must.\n{parser.own}", fence=fence)
    marked = "\n".join(f"{line} {fence.token}" for line in parser.own.split("\n"))
    assert parser.read(f"I must.\n{marked}", fence=fence) == parser.value
