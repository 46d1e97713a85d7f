import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.texts.languages import language_funnel
from pipelines.build import run_build
from pipelines.errors import RecipeError
from pipelines.languages import Detector, Languages, detector_for
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe
from schemas.rows import Message, Prompt, Response, prompt_id

FOUR = Languages(of=("de", "en", "es", "fr"))
RECIPE = """
name = "langs"

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"
lang = "lang"

[models.policy]
kind = "scripted"
default = "Well, I think that you should ask your family first."
rules = [
    { match = "Haus", answers = [
        "Ich würde es mir noch einmal in aller Ruhe überlegen.",
        "Das Haus gehört deinen Eltern, also frage sie zuerst.",
    ] },
    { match = "home", answers = [
        "Think about it once more, and then decide.",
        "Your friends will be glad to see you again.",
    ] },
]

[[samplers]]
kind = "independent"
model = "policy"
n = 2

[models.teacher]
kind = "embedded"

[[judges]]
kind = "likelihood"
model = "teacher"

[[pairings]]
kind = "all_pairs"

[[filters]]
kind = "same_language"
"""
ASKED = [
    {"question": "Should I move back to my home town?"},
    {"question": "Soll ich das Haus meiner Eltern verkaufen?", "lang": "de-AT"},
    {"question": "Soll ich meine Arbeit aufgeben und reisen?"},
    {"question": "12 + 30 ="},
    {"question": "Devo vendere la casa dei miei genitori?", "lang": "it"},
]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ASKED))
    path = tmp_path / "langs.toml"
    path.write_text(RECIPE + '\n[languages]\nof = ["de", "en", "es", "fr"]\n')
    return path


@pytest.fixture(scope="module")
def detector() -> Detector:
    return detector_for(FOUR)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Should I move back to my home town?", "en"),
        ("Soll ich das Haus meiner Eltern verkaufen?", "de"),
        ("¿Debo dejar mi trabajo?", "es"),
        ("Quel temps fait-il aujourd'hui ?", "fr"),
        ("ok", None),
        ("42", None),
        ("", None),
        (None, None),
        ("我应该搬回家乡吗？", None),  # a script of none of the four
        ("Das ist die Lösung:\n```python\nfor word in text.split():\n    print(word)\n```", "de"),
        ("```\nthis fence is never closed, and is code to the end", None),
        ("Should I move back\ud800 to my home town?", "en"),  # half a character
        ("https://example.com/the-whole-of-this-is-an-address", None),
    ],
)
def test_a_language_is_told_where_it_can_be(
    detector: Detector, text: str | None, lang: str | None
) -> None:
    assert detector.language_of(text) == lang


@given(st.text(max_size=80))
def test_any_text_has_a_known_language_or_none(text: str) -> None:
    found = detector_for(FOUR).language_of(text)
    assert found in {None, *FOUR.of}
    assert found == Detector(FOUR).language_of(text) or found is None


def test_real_english_is_taken_for_nothing_else(shared_data: Path) -> None:
    import polars as pl

    texts = pl.read_parquet(shared_data / "oasst_en100_tree_ranked.parquet")["text"].head(300)
    detector = detector_for(Languages(of=("ar", "de", "en", "es", "fr", "hi", "it", "nl", "pt")))
    found = [detector.language_of(text) for text in texts]
    assert set(found) == {"en", None}
    assert found.count("en") >= 285


def test_a_higher_confidence_leaves_more_texts_unknown(detector: Detector) -> None:
    question = "Should I move back to my home town?"  # 0.914 of the four
    strict = Detector(FOUR.model_copy(update={"min_confidence": 0.92}))
    assert (detector.language_of(question), strict.language_of(question)) == ("en", None)


def test_the_language_of_a_conversation_is_that_of_the_last_user_message(
    detector: Detector,
) -> None:
    talk = (
        Message("system", "You are a helpful assistant, and you answer in English."),
        Message("user", "Please tell me something about the weather."),
        Message("assistant", "It is going to be a sunny day."),
        Message("user", "Und wie wird das Wetter morgen?"),
    )
    prompt = Prompt(prompt_id(talk), talk)
    assert detector.of_prompt(prompt).lang == "de"
    given = Prompt(prompt_id(talk), talk, lang="German")
    assert detector.of_prompt(given) is given
    reply = Response("r", prompt.prompt_id, "Es wird regnen und kalt sein.", "m", "m", "s")
    for asked, same in ((detector.of_prompt(prompt), True), (given, None)):
        [noted] = detector.of_responses(asked, [reply])
        assert (noted.lang, noted.same_lang) == ("de", same)


def test_responses_in_another_language_go_before_they_are_judged(
    recipe: Path, tmp_path: Path
) -> None:
    run_build(read_recipe(recipe), tmp_path / "store")
    query = """
        SELECT messages[1].content[:6], prompts.lang, r.lang, same_lang, r.kept,
            count(*), sum((SELECT count(*) FROM judgments AS j WHERE j.response_id = r.response_id))::INT
        FROM responses AS r JOIN prompts USING (prompt_id) GROUP BY ALL ORDER BY ALL
    """
    assert ask(tmp_path / "store", query) == [
        ("12 + 3", None, "en", None, True, 2, 2),
        ("Devo v", "it", "en", None, True, 2, 2),  # Italian is not told apart here
        ("Should", "en", "en", True, True, 2, 2),
        ("Soll i", "de", "en", False, False, 2, 0),
        ("Soll i", "de-AT", "de", True, True, 2, 2),
    ]
    funnel = "SELECT lang, n_prompts, n_responses, n_same_language, n_other_language, n_kept"
    assert ask(tmp_path / "store", f"{funnel} FROM language_funnel ORDER BY lang") == [
        ("de", 1, 2, 0, 2, 0),
        ("de-AT", 1, 2, 2, 0, 2),
        ("en", 1, 2, 2, 0, 2),
        ("it", 1, 2, None, None, 2),  # nobody looked
        (None, 1, 2, None, None, 2),
    ]
    shown = language_funnel(Store(tmp_path / "store").resolve("langs")).splitlines()
    head = "language  prompts  responses  in another language  kept  scored  pairs"
    assert shown[0] == head
    assert shown[1].split() == ["de", "1", "2", "2", "0", "0", "0"]
    assert shown[-1].split() == ["unknown", "1", "2", "2", "2", "0"]  # and a blank


def ask(store: Path, query: str) -> list[tuple[object, ...]]:
    with run_sql(Store(store), query, "langs") as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


def test_languages_count_in_any_order_and_only_where_they_are_asked_for(recipe: Path) -> None:
    fingerprints = [
        read_recipe(recipe, [f"languages.of={codes}"]).fingerprint()
        for codes in ("['de','en']", "['en','de']", "['en','fr']")
    ]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    assert "languages" not in read_recipe(_without(recipe)).identity()


def _without(recipe: Path) -> Path:
    path = recipe.with_name("without.toml")
    path.write_text(RECIPE.replace("same_language", "refusal"))
    return path


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("languages.of=['en','uk','xx']", '[languages]: of: no such language "xx"'),
        ("languages.of=['en','en']", '"en" stands there twice'),
        ("languages.of=['en']", "[languages]: of"),
        ("languages.min_confidence=2", "[languages]: min_confidence"),
    ],
)
def test_wrong_languages_are_refused(recipe: Path, changed: str, said: str) -> None:
    with pytest.raises(RecipeError) as error:
        read_recipe(recipe, [changed])
    assert said in str(error.value)


def test_a_filter_on_languages_that_nobody_tells_is_refused(recipe: Path) -> None:
    path = recipe.with_name("untold.toml")
    path.write_text(RECIPE)
    with pytest.raises(RecipeError, match=r"\[\[filters\]\] same_language: .* \[languages\]"):
        read_recipe(path)


def test_without_lingua_a_recipe_is_refused_and_told_what_to_install(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lingua", None)
    with pytest.raises(RecipeError) as error:
        read_recipe(recipe)
    assert '[languages]: lingua is not installed: pip install "pairwright[languages]"' in str(
        error.value
    )
    read_recipe(_without(recipe))  # who does not ask for languages needs no lingua
