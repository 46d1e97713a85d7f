"""Decoding: what a request gets depends on it alone, to the last bit."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp, fsum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.ask import Draw, Sample, Score
from pipelines.engine.batch import Batch, Drawing
from pipelines.engine.checkpoint import Checkpoint, find_checkpoint
from pipelines.engine.model import Model, load_model
from tests.checkpoints import TOKENS, make_checkpoint, write_byte_tokenizer

CONFIGS = {
    "tiny": {},
    "one key head": {"num_key_value_heads": 1},
    "as many key heads": {"num_key_value_heads": 4, "tie_word_embeddings": False},
    "odd sizes": {"hidden_size": 37, "intermediate_size": 53, "head_dim": 6},
}


@pytest.fixture(scope="module", params=[*CONFIGS, "policy"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    if request.param == "policy":
        return load_model(find_checkpoint("policy", Path()))
    folder = tmp_path_factory.mktemp("models") / "model"
    return load_model(Checkpoint(make_checkpoint(folder, **CONFIGS[request.param])))


prompts = st.lists(st.integers(4, 90), min_size=1, max_size=40)
draws = st.builds(
    Draw,
    prompt=prompts,
    count=st.integers(1, 5),
    seed=st.integers(0, 2**31),
    temperature=st.sampled_from([0.0, 0.3, 0.8, 1.0, 2.0]),
    top_p=st.sampled_from([1.0, 0.9, 0.1]),
    top_k=st.sampled_from([0, 1, 3]),
    max_tokens=st.integers(1, 40),
    stop=st.sampled_from([(), ("1",), ("\n", "ab")]),
    top=st.sampled_from([0, 3]),
)
scores = st.builds(
    lambda tokens, part, top: Score(tokens, 1 + int(part * (len(tokens) - 1)), top),
    st.lists(st.integers(4, 90), min_size=2, max_size=60),
    st.floats(0, 0.99),
    st.sampled_from([0, 2]),
)


def together(
    model: Model, asks: Sequence[Draw | Score], joins: Sequence[int] = ()
) -> list[list[Sample]]:
    """The samples of each request; number i joins at step `joins[i]`."""
    batch, groups, step = Batch(model), [], 0
    due = list(zip(asks, joins or [0] * len(asks), strict=True))
    at = {}
    while len(at) < len(due) or batch.groups:
        for number, (ask, when) in enumerate(due):
            if number not in at and when <= step:
                at[number] = batch.join(ask)
        if batch.groups:
            batch.step()
        step += 1
    groups = [at[number] for number in range(len(due))]
    return [group.samples for group in groups]


@settings(max_examples=40)
@given(st.data())
def test_a_request_gets_the_same_bits_alone_and_in_any_batch(model: Model, data: st.DataObject):
    asks = data.draw(st.lists(st.one_of(draws, scores), min_size=2, max_size=6))
    joins = data.draw(st.lists(st.integers(0, 12), min_size=len(asks), max_size=len(asks)))
    alone = [together(model, [ask])[0] for ask in asks]
    assert together(model, asks, joins) == alone


def answered(model: Model, **fields: Any) -> Sample:
    [[sample]] = together(model, [Draw(**fields)])
    return sample


def test_greedy_answers_follow_the_likeliest_token(tiny: Model) -> None:
    sample = answered(tiny, prompt=[9, 8, 7], temperature=0.0, max_tokens=6, top=1)
    assert sample.finish_reason == "length"
    assert all(token.top == ((token.id, token.logprob),) for token in sample.tokens)


def test_log_probabilities_are_the_models_own_whatever_the_sampling(tiny: Model) -> None:
    prompt = [9, 8, 7]
    sample = answered(tiny, prompt=prompt, temperature=2.0, top_k=2, seed=5, max_tokens=9)
    drawn = [token.id for token in sample.tokens]
    [[scored]] = together(tiny, [Score([*prompt, *drawn], 3)])
    assert [token.id for token in scored.tokens] == drawn
    assert [token.logprob for token in sample.tokens] == [
        pytest.approx(token.logprob, abs=1e-5) for token in scored.tokens
    ]


def test_the_alternatives_hold_the_whole_distribution(tiny: Model) -> None:
    sample = answered(tiny, prompt=[9, 8, 7], max_tokens=1, top=len(TOKENS))
    assert fsum(exp(logprob) for _, logprob in sample.tokens[0].top) == pytest.approx(1, abs=1e-5)


def test_samples_differ_and_follow_the_distribution(tiny: Model) -> None:
    """400 draws of one token against its probability, within 4 standard deviations."""
    [samples] = together(tiny, [Draw([9, 8, 7], count=400, seed=1, max_tokens=1, top=1)])
    likeliest, logprob = next(one.tokens[0].top[0] for one in samples if one.tokens)
    share, count = exp(logprob), sum(one.tokens[0].id == likeliest for one in samples if one.tokens)
    assert abs(count - 400 * share) < 4 * (400 * share * (1 - share)) ** 0.5


def test_a_stop_text_ends_an_answer_and_is_not_part_of_it(tiny: Model) -> None:
    whole = answered(tiny, prompt=[9, 8, 7], seed=3, max_tokens=40)
    stop = whole.text[5:8]
    cut = answered(tiny, prompt=[9, 8, 7], seed=3, max_tokens=40, stop=("nowhere", stop))
    assert (cut.text, cut.finish_reason) == (whole.text[: whole.text.find(stop)], "stop")
    assert cut.tokens == whole.tokens[: len(cut.text)]  # a token is a character here
    assert cut.drawn == len(cut.text) + len(stop)


def test_a_token_that_ends_the_answer_is_not_part_of_it(tiny: Model) -> None:
    whole = answered(tiny, prompt=[9, 8, 7], seed=3, max_tokens=12)
    last = whole.tokens[7]
    early = replace(tiny, ends=(last.id,))
    sample = answered(early, prompt=[9, 8, 7], seed=3, max_tokens=12)
    first = next(at for at, token in enumerate(whole.tokens) if token.id == last.id)
    assert (sample.finish_reason, sample.drawn) == ("stop", first + 1)
    assert sample.tokens == whole.tokens[:first]
    assert sample.text == whole.text[:first]


def test_an_answer_ends_with_the_context(tiny: Model) -> None:
    endless = replace(tiny, ends=())
    sample = answered(endless, prompt=[9] * 90)
    assert (sample.finish_reason, sample.drawn) == ("length", 96 - 90)


def test_a_group_that_left_is_not_computed_further(tiny: Model) -> None:
    batch = Batch(replace(tiny, ends=()))
    stays, goes = batch.join(Draw([5, 6], 2, max_tokens=4)), batch.join(Draw([5, 6], 3))
    batch.step()
    assert batch.open == 5
    batch.leave(goes)
    while batch.groups:
        batch.step()
    assert [sample.drawn for sample in (*stays.samples, *goes.samples)] == [4, 4, 1, 1, 1]


def test_bytes_of_a_character_become_one_when_they_are_all_there(tmp_path: Path) -> None:
    """A tokenizer of bytes: a stop text of several bytes is found, and the rest is cut at it."""
    folder = make_checkpoint(tmp_path / "bytes", vocab_size=256 + 4)
    write_byte_tokenizer(folder)
    model = replace(load_model(Checkpoint(folder)), ends=())
    vocabulary = model.vocabulary
    text = "aé€😀b"
    ids = vocabulary.encode_literally(text)
    assert len(ids) == len(text.encode()) == 11
    assert vocabulary.decode(ids) == text
    group = Drawing(Draw([1], stop=("😀",), max_tokens=50), model)
    for token in ids:
        row = np.full(260, -1.0, np.float32)
        if not group.finished:
            group.take([token], row[None])
    [sample] = group.samples
    assert (sample.text, sample.finish_reason, sample.drawn) == ("aé€", "stop", 10)
    assert len(sample.tokens) == 6
