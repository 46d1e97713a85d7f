"""Whatever a judge says, it is read within the form, or a JudgmentError says why not."""

import json
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.errors import JudgmentError
from pipelines.judging.fence import fenced
from pipelines.judging.reading import (
    Scale,
    read_json,
    read_ranking,
    read_rating,
    read_ratings,
    read_verdict,
    read_yes_no,
)

with (Path(__file__).parent / "replies.jsonl").open(encoding="utf-8") as lines:
    SEEDS = [str(json.loads(line)["reply"]) for line in lines]

SPLICES = (
    *"0123456789.,-+−–/%()[]{}<>*_`#:：\"'\\ \n\t\r\u2028\u200b٣७八９½²\ud800\x00ABCN=",
    *("Rating: ", "Verdict: ", "Ranking: ", "clarity: ", "1: ", "2: yes", "10", "tie", " out of "),
    *("</think>", "<think>", "```json\n", '{"', '": ', "}}", "<<<", ">>>", "1e9", "NaN", "9" * 50),
)
FENCE = fenced("p", ["Rating: 10\nVerdict: A", '{"clarity": 4}</think>', "1: yes\nRanking: A > B"])

LETTERS = ("A", "B", "C")
NAMES = ("1", "2")


def mutated(draw: random.Random) -> str:
    """A reply of the corpus, or two, with a few things put in, left out or swapped."""
    reply = draw.choice(SEEDS)
    if draw.random() < 0.3:
        reply += draw.choice(("", "\n", "\n\n", FENCE.quote("Rating: 10"))) + draw.choice(SEEDS)
    for _ in range(draw.randrange(5)):
        at = draw.randrange(len(reply) + 1)
        removed = draw.choice((0, 0, 1, 2, 8))
        reply = reply[:at] + draw.choice(SPLICES) + reply[at + removed :]
    return reply[:400]


def read_all(reply: str, scale: Scale, *, fence=None, truncated=False) -> list[str]:
    """Forms in which `reply` can be read. What is read must be of the form."""
    readers = {
        "rating": lambda **more: [read_rating(reply, scale, **more)],
        "ratings": lambda **more: read_ratings(reply, {"clarity": scale}, **more).values(),
        "verdict": lambda **more: read_verdict(reply, **more),
        "yes_no": lambda **more: read_yes_no(reply, NAMES, **more),
        "json": lambda **more: read_json(reply, **more),
        "ranking": lambda **more: read_ranking(reply, LETTERS, **more),
    }
    read = []
    for form, reader in readers.items():
        try:
            value = reader(fence=fence, truncated=truncated)
        except JudgmentError:
            continue
        read.append(form)
        match form:
            case "rating" | "ratings":
                assert all(type(one) is Decimal and one in scale for one in value)
                assert all(scale.low <= one <= scale.high for one in value)
            case "verdict":
                assert value in ("A", "B", "tie")
            case "yes_no":
                assert list(map(type, value.values())) == [bool] * len(NAMES)
            case "json":
                assert type(value) is dict
            case "ranking":
                assert sorted(letter for rank in value for letter in rank) == list(LETTERS)
                assert all(value)
    return read


def test_100_000_replies_are_read_within_their_form_or_not_at_all():
    draw = random.Random(5)
    scales = [
        Scale(Decimal(1), Decimal(10)),
        Scale(Decimal(0), Decimal(1), whole=False),
        Scale(Decimal(-5), Decimal(5)),
        Scale(Decimal(0), Decimal(100), whole=False),
    ]
    read = Counter[str]()
    for _ in range(100_000):
        fence, truncated = draw.choice((FENCE, None)), draw.random() < 0.2
        read.update(read_all(mutated(draw), draw.choice(scales), fence=fence, truncated=truncated))
    assert len(read) == 6
    assert min(read.values()) > 100


ODDS = '-+−0123456789./,[]*_`#:： \n\r\tRatingVerdictkyes eEnoABC,½²٣七NaInf<>{}"\\'
replies = st.one_of(
    st.text(),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["Rating:", "**Rating:**", "Verdict: ", "Ranking: ", "1: ", '{"']),
        st.text(ODDS),
        st.text(),
    ),
)
bounds = st.tuples(st.integers(-20, 20), st.integers(1, 100), st.booleans())


@given(replies, bounds, st.booleans())
def test_any_text_is_read_within_its_form_or_not_at_all(reply, bounds, truncated):
    low, width, whole = bounds
    scale = Scale(Decimal(low), Decimal(low + width), whole)
    read_all(reply, scale, fence=FENCE, truncated=truncated)


@given(st.integers(1, 10), st.text(alphabet=st.characters(exclude_characters=":："), max_size=50))
def test_a_plain_rating_is_read_whatever_stands_before_it(rating, before):
    assert read_rating(f"{before}\nRating: {rating}", Scale(Decimal(1), Decimal(10))) == rating


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()), st.text("ab {\n"))
def test_a_json_object_comes_back_whatever_prose_stands_around_it(value, prose):
    assume("</think>" not in json.dumps(value))  # what stands before it is a thought
    for written in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert read_json(f"{prose.replace('{', '')}\n```json\n{written}\n```\n{prose}") == value


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "repeated",
    [
        *(
            "Rating: ",
            "Rating: 8 -",
            "Rating: \n",
            "Rating: 10\n",
            "*",
            "#",
            " ",
            "- ",
            "> = ",
            "1: yes\n",
        ),
        *("{", '{"', '{"a":', '{"a":"', '{"a":[', "[", '{ "a": 1}', "```json\n{}\n```", "</think>"),
    ],
)
def test_a_hostile_reply_is_read_in_linear_time(repeated):
    reply = repeated * (200_000 // len(repeated))
    scale = Scale(Decimal(1), Decimal(10))
    for text in (f"{reply}\nRating: 7", f"Rating: 7\n{reply}"):
        read_all(text, scale, fence=fenced("p", [reply]))
        read_all(text, scale)
    assert read_rating(f"{reply}\nRating: 7", scale, fence=fenced("p", [reply])) == 7
