import json

import pytest

from pipelines.errors import JudgmentError
from pipelines.instructions.instruction import Instruction, read_instructions
from pipelines.instructions.kinds import KINDS

P2 = "One.\n\nTwo."
CASES = {
    "capital_word_frequency": (
        {"capital_relation": "at least", "capital_frequency": 2}, "GO TO town", "Go to TOWN"),
    "english_capital": ({}, "ALL OF IT, 3 TIMES.", "ALL Of IT"),
    "english_lowercase": ({}, "all of it, 3 times.", "All of it"),
    "repeat_prompt": ({"prompt_to_repeat": "Name a tree."}, "name a tree. Oak", "Oak. Name a tree."),
    "two_responses": ({}, "One\n******\nTwo", "One\n******\nOne"),
    "number_placeholders": ({"num_placeholders": 2}, "[a] [b c]", "[a] []"),
    "postscript": ({"postscript_marker": "P.P.S"}, "Bye.\nP.P.S. Bring tea", "Bye.\nP.S. Bring tea"),
    "constrained_response": ({}, "My answer is maybe.", "Perhaps."),
    "json_format": ({}, '```json\n{"a": [1]}\n```', 'Here: {"a": 1}'),
    "multiple_sections": (
        {"section_spliter": "Day", "num_sections": 2}, "Day 1\na\nDay 2\nb", "Day 1\na\nDay two"),
    "number_bullet_lists": ({"num_bullets": 2}, "* a\n- b\n**c**", "* a\n- b\n- c"),
    "number_highlighted_sections": ({"num_highlights": 2}, "*a* and **b**", "*a* and ****"),
    "title": ({}, "<<Tea>>\nDrink.", "<< >>\nDrink."),
    "existence": ({"keywords": ["red", "two words"]}, "Red: two words", "Reddish two words"),
    "forbidden_words": ({"forbidden_words": ["run", "bark"]}, "Running barks", "I run"),
    "frequency": (
        {"keyword": "war", "relation": "less than", "frequency": 2}, "war warm wars", "War war"),
    "letter_frequency": (
        {"letter": "!", "let_relation": "at least", "let_frequency": 3}, "Oh!!!", "Oh!!"),
    "response_language": (
        {"language": "de"}, "Der Hund schläft heute lange im Garten.", "The dog sleeps in the yard."),
    "number_words": ({"relation": "at least", "num_words": 3}, "a well-known fact", "well-known fact"),
    "number_sentences": ({"relation": "less than", "num_sentences": 3}, "Dr. A. came. He left.",
                         "He came. He saw. He left."),
    "number_paragraphs": ({"num_paragraphs": 2}, "a\n***\nb", "a\n***\nb\n***\nc"),
    "nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "two"}, P2, f"{P2}\n\nThree."),
    "no_comma": ({}, "a; b", "a, b"),
    "end_checker": ({"end_phrase": "Any more?"}, 'So. any more?" ', "Any more? Yes."),
    "quotation": ({}, ' "All of it." ', '"All" of it.'),
}  # fmt: skip


def test_every_kind_is_tried_here():
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_a_text_keeps_to_an_instruction_or_to_its_opposite(kind):
    given, good, bad = CASES[kind]
    asked = Instruction(f"group:{kind}", given)
    assert (asked.holds(good), asked.holds(bad)) == (True, False)
    opposite = asked.reversed()
    assert (opposite.holds(good), opposite.holds(bad)) == (False, True)
    assert opposite.reversed() == asked


@pytest.mark.parametrize("kind", CASES)
def test_words_have_every_argument_and_differ_from_those_of_the_opposite(kind):
    asked = Instruction(kind, CASES[kind][0])
    words, opposite = asked.words(), asked.reversed().words()
    assert words
    assert "{" not in words
    assert "None" not in words
    if kind in ("two_responses", "nth_paragraph_first_word"):
        assert opposite is None  # nobody would say it
    else:
        assert opposite
        assert opposite != words
        assert "{" not in opposite


def test_an_instruction_survives_being_written_as_json():
    named = read_instructions(
        '[{"id": "punctuation:no_comma", "num_words": null}, {"id": "title"}]'
    )
    turned = [one.reversed().entry() for one in named.values()]
    assert turned[0] == {
        "id": "punctuation:no_comma", "opposite": True, "text": "Use at least one comma.",
    }  # fmt: skip
    again = read_instructions(json.dumps(turned))
    assert [one.holds("a, b") for one in again.values()] == [True, True]


@pytest.mark.parametrize("reference", [None, "", "no commas", "[]", '["no commas"]', '{"id": "x"}'])
def test_a_reference_that_is_no_list_of_instructions_says_so(reference):
    with pytest.raises(JudgmentError, match="no JSON list of instructions"):
        read_instructions(reference)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (Instruction("no_coma", {}), 'did you mean "no_comma"'),
        (Instruction("number_words", {"relation": "at least"}), "its arguments are wrong"),
        (Instruction("number_words", {"relation": "at most", "num_words": 3}), "a relation is"),
        (Instruction("number_bullet_lists", {"num_bullets": "many"}), "its arguments are wrong"),
        (Instruction("existence", {"keywords": "cat"}), "a list of words is wanted"),
    ],
)
def test_what_cannot_be_checked_says_why(one, why):
    with pytest.raises(JudgmentError, match=why):
        one.holds("a")


def test_every_instruction_of_ifeval_can_be_checked_and_said(shared_data):
    import polars as pl

    prompts = pl.read_parquet(shared_data / "ifeval_prompts.parquet")
    seen, reversible = set(), set()
    for ids, arguments in prompts.select("instruction_id_list", "kwargs").iter_rows():
        both = zip(ids, json.loads(arguments), strict=True)
        entries = [{"id": id_, **given} for id_, given in both]
        for one in read_instructions(json.dumps(entries)).values():
            seen.add(one.name)
            if one.name != "response_language":  # 75 languages take their time
                assert one.holds("Yes, it is so.") != one.reversed().holds("Yes, it is so.")
            assert "None" not in (one.words() or "")
            reversible |= {one.name} if one.reversed().words() else set()
    assert seen == set(KINDS)
    assert len(reversible) == 23


def test_words_that_are_no_text_are_no_instruction():
    with pytest.raises(JudgmentError, match="no JSON list of instructions"):
        read_instructions('[{"id": "title", "text": 5}]')
