"""Replies as judges write them, and what each says: `replies.jsonl`. Null: it cannot be read."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.errors import JudgmentError
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
    REPLIES = [json.loads(line) for line in lines]

TEN = Scale(Decimal(1), Decimal(10))
FOUR = Scale(Decimal(0), Decimal(4))
NAMED = {"clarity": FOUR, "follows_format": FOUR}


def scale_of(one):
    low, high, whole = one.get("scale", ("1", "10", True))
    return Scale(Decimal(low), Decimal(high), whole)


def read(one):
    """A reply of the corpus, read; as JSON would give it."""
    reply, cut = one["reply"], one.get("truncated", False)
    match one["form"]:
        case "rating":
            return str(read_rating(reply, scale_of(one), truncated=cut))
        case "ratings":
            return [str(value) for value in read_ratings(reply, NAMED, truncated=cut).values()]
        case "verdict":
            return read_verdict(reply, truncated=cut)
        case "yes_no":
            return list(read_yes_no(reply, ["1", "2"], truncated=cut).values())
        case "json":
            return read_json(reply, truncated=cut)
        case "ranking":
            return read_ranking(reply, "ABC", truncated=cut)
    raise AssertionError(one["form"])


@pytest.mark.parametrize("one", [one for one in REPLIES if one["value"] is not None], ids=repr)
def test_a_reply_is_read(one):
    value = read(one)
    if one["form"] == "rating":
        assert Decimal(value) == Decimal(one["value"])
    else:
        assert value == one["value"]


@pytest.mark.parametrize("one", [one for one in REPLIES if one["value"] is None], ids=repr)
def test_a_reply_is_not_guessed(one):
    with pytest.raises(JudgmentError):
        read(one)
