"""Signatures and groups against sets of shingles."""

import random
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl
import pytest
from datasketch import MinHash, bBitMinHash
from hypothesis import given
from hypothesis import strategies as st

from pipelines.risks.minhash import FUNCTIONS, SEED, likeness, signatures
from pipelines.risks.near import near_groups


def shingles(text: str) -> set[str]:
    padded = " ".join(text.lower().split()) + "\0" * 5
    return {padded[at : at + 5] for at in range(len(padded) - 4)}


def jaccard(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def edited(text: str, words: int, seed: int) -> str:
    draw, own = random.Random(seed), text.split()
    for _ in range(words):
        own[draw.randrange(len(own))] = f"new{draw.randrange(100)}"
    return " ".join(own)


def prose(seed: int, words: int = 60) -> str:
    draw = random.Random(seed)
    return " ".join("".join(draw.choices("abcdefghij", k=draw.randint(2, 8))) for _ in range(words))


def test_likeness_is_estimated_without_bias_and_within_a_twentieth() -> None:
    couples = [(prose(seed), edited(prose(seed), seed % 20, seed)) for seed in range(200)]
    ones, others = (signatures(pl.Series(side)) for side in zip(*couples, strict=True))
    errors = likeness(ones, others) - [jaccard(*couple) for couple in couples]
    assert abs(errors.mean()) < 0.01
    assert errors.std() < 0.05


def test_unlike_texts_have_a_likeness_of_about_zero() -> None:
    every = signatures(pl.Series([prose(seed) for seed in range(100)]))
    assert abs(likeness(every[:50], every[50:]).mean()) < 0.02


def test_signatures_are_these_on_every_machine() -> None:
    (signed,) = signatures(pl.Series(["A signature hangs on its text alone."]))
    assert signed[:8].tolist() == [11, 189, 214, 159, 228, 98, 192, 42]


def test_likeness_is_that_of_datasketch() -> None:
    texts = [
        f"{one} and {other}" for one in ("cats", "dogs", "birds") for other in ("mice", "rats")
    ]
    sketches = [MinHash(FUNCTIONS, SEED, hashfunc=crc32, scheme="affine32") for _ in texts]
    for sketch, text in zip(sketches, texts, strict=True):
        sketch.update_batch(shingle.encode() for shingle in shingles(text))
    signed, kept = signatures(pl.Series(texts)), [bBitMinHash(one, 8) for one in sketches]
    for one in range(len(texts)):
        for other in range(one):
            theirs = kept[one].jaccard(kept[other])
            assert likeness(signed[one], signed[other]) == pytest.approx(theirs, abs=1e-9)


def test_a_long_text_is_taken_in_pieces() -> None:
    text = " ".join(map(str, range(20_000)))
    one, other = signatures(pl.Series([text, text + " end"]))
    assert likeness(one, other) > 0.95


def test_case_and_white_space_make_no_difference() -> None:
    one, other = signatures(pl.Series([" What IS\n\nthis? ", "what is this?"]))
    assert (one == other).all()


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_a_signature_depends_on_its_own_text_alone(texts: list[str]) -> None:
    together = signatures(pl.Series(texts, dtype=pl.String))
    alone = [signatures(pl.Series([text], dtype=pl.String))[0] for text in texts]
    assert (together == np.array(alone)).all()


def test_groups_are_those_of_comparing_each_with_each() -> None:
    texts = [prose(seed) for seed in range(60)]
    texts += [edited(texts[seed % 60], 1 + seed % 3, seed) for seed in range(90)]
    signed = signatures(pl.Series(texts))
    groups = list(range(len(texts)))
    for one in range(len(texts)):
        for other in range(one):
            if likeness(signed[one], signed[other]) >= 0.7 and groups[one] != groups[other]:
                low, high = sorted((groups[one], groups[other]))
                groups = [low if group == high else group for group in groups]
    assert near_groups(signed, 0.7).tolist() == groups
    assert 60 <= len(set(groups)) < len(texts)


def test_equal_texts_are_one_group_and_the_order_is_that_of_rows() -> None:
    signed = signatures(pl.Series(["b" * 30, "a" * 30, "b" * 30, "a" * 30, "c" * 30]))
    assert near_groups(signed, 1.0).tolist() == [0, 1, 0, 1, 4]
    assert near_groups(signed[:0], 0.8).tolist() == []


def test_near_duplicates_of_human_conversations_are_those_of_a_search(shared_data: Path) -> None:
    """Among 1181 conversations up to the last answer; the search compares the shingles of each two."""
    human = pl.read_parquet(shared_data / "hh_harmless_base_test.parquet")
    prompts = human.select(pl.col("chosen").str.replace(r"(?s)\n\nAssistant:[^\n]*.*?$", ""))
    texts = prompts.to_series().unique().sort().head(400)
    groups = near_groups(signatures(texts), 0.8)
    sets = [shingles(text) for text in texts]
    for one in range(len(sets)):
        for other in range(one):
            alike = len(sets[one] & sets[other]) / len(sets[one] | sets[other])
            if alike >= 0.9:
                assert groups[one] == groups[other]
            if groups[one] == groups[other] == other:
                assert alike > 0.65
