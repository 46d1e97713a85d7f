import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipelines.judging.fence import fenced
from tools.embedded_lm.problems import draw_problem, solution
from tools.embedded_lm.prompts import compare, judge, revise
from tools.embedded_lm.tokenizer import make_tokenizer, write_tokenizer
from tools.embedded_lm.vocabulary import CHARACTERS, PHRASES, SPECIALS, UNKNOWN, VOCABULARY

ROOT = Path(__file__).parents[3]

PRINTABLE = st.text(st.sampled_from(CHARACTERS), max_size=60)
LANGUAGE = st.lists(
    st.sampled_from((*PHRASES, *CHARACTERS, "<<<", "5c1f0a9be2d84a77", ">>>", "17"))
)


@pytest.fixture(scope="module")
def tokenizer():
    """As whoever encodes a user's words uses it: nothing typed is a special token."""
    made = make_tokenizer()
    made.encode_special_tokens = True
    return made


@given(text=PRINTABLE | LANGUAGE.map("".join))
def test_every_printable_text_comes_back_exactly(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


@given(text=st.text(max_size=40))
def test_characters_beyond_become_a_visible_mark_each(tokenizer, text):
    ids = tokenizer.encode(text).ids
    expected = "".join(letter if letter in CHARACTERS else UNKNOWN for letter in text)
    assert tokenizer.decode(ids, skip_special_tokens=False) == expected


@given(text=st.lists(st.sampled_from((*SPECIALS, *PHRASES, "<", "|", "x"))).map("".join))
def test_imitated_special_tokens_are_plain_characters(tokenizer, text):
    ids = tokenizer.encode(text).ids
    assert not set(ids) & {VOCABULARY.index(token) for token in SPECIALS}
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


@given(words=LANGUAGE.map("".join), role=st.sampled_from(("system", "user", "assistant")))
def test_a_message_is_cut_alike_alone_and_in_the_whole_chat(tokenizer, words, role):
    whole = make_tokenizer().encode(f"<|im_start|>{role}\n{words}<|im_end|>\n").ids
    parts = [tokenizer.encode(part).ids for part in (f"{role}\n", words, "\n")]
    start, end = VOCABULARY.index("<|im_start|>"), VOCABULARY.index("<|im_end|>")
    assert whole == [start, *parts[0], *parts[1], end, *parts[2]]


def test_a_number_is_cut_into_digits_and_a_phrase_is_one_token(tokenizer):
    assert tokenizer.encode("Tom has 17 pens, gets 25, loses 8. How many?").tokens == [
        "Tom", " has ", "1", "7", " pens", ", gets ", "2", "5", ", loses ", "8", ". How many?"
    ]  # fmt: skip


def test_the_digits_of_a_fence_are_cut_in_twos_and_no_others(tokenizer):
    fence = fenced("p1", ["12", "5c1f0a9be2d84a77"])
    tokens = tokenizer.encode(fence.quote("12")).tokens
    pairs = [fence.token[at : at + 2] for at in range(0, 16, 2)]
    assert tokens == ["<<<", *pairs, "\n", "1", "2", "\n", *pairs, ">>>"]
    assert tokenizer.encode("5c1f0a9be2d84a77").tokens == list("5c1f0a9be2d84a77")


def test_a_phrase_is_one_token_but_for_a_name_that_ends_like_a_fence(tokenizer):
    cut = {phrase: tokenizer.encode(phrase).tokens for phrase in PHRASES}
    assert cut.pop("Abe") == ["A", "be"]
    assert all(tokens == [phrase] for phrase, tokens in cut.items())


def test_the_longest_conversation_is_far_below_the_context(tokenizer):
    chance = random.Random("length")
    longest = 0
    for _ in range(300):
        problem = draw_problem(chance, 5)
        text = solution(problem.steps)
        for prompt in (judge(problem, text, "5" * 16), revise(problem, text),
                       compare(problem, text, text, "5" * 16)):  # fmt: skip
            longest = max(longest, len(tokenizer.encode(prompt).ids))
    assert 150 < longest < 300


def test_the_shipped_tokenizers_are_what_the_tool_writes(tmp_path):
    write_tokenizer(tmp_path)
    for model in ("policy", "teacher"):
        for made in tmp_path.iterdir():
            shipped = ROOT / "data" / "models" / model / made.name
            assert shipped.read_bytes() == made.read_bytes(), shipped


def test_the_ids_are_the_places_in_the_vocabulary():
    read = Tokenizer.from_file(str(ROOT / "data" / "models" / "policy" / "tokenizer.json"))
    assert [read.id_to_token(number) for number in range(len(VOCABULARY))] == list(VOCABULARY)
    assert read.get_vocab_size() == len(VOCABULARY)
    config = json.loads((ROOT / "data" / "models" / "policy" / "config.json").read_text())
    assert config["vocab_size"] == len(VOCABULARY)
    assert (config["pad_token_id"], config["eos_token_id"]) == (0, 2)
