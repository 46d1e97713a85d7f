"""How many prompts are worked on together is nobody's business: not one row hangs on it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import StoreError
from pipelines.recipe import Recipe, read_recipe
from pipelines.selection import aside
from pipelines.selection.funnel import Funnel
from pipelines.selection.select import select
from pipelines.selection.selected import Selected
from pipelines.selection.staged import scan
from schemas.rows import Drop, Judgment, Message, Prompt, Response
from tests.pipelines.versions import Content, stage

HEAD = """
name = "blocks"
[sources.questions]
kind = "jsonl"
path = "questions.jsonl"
[prompts]
text = "question"
[models.small]
kind = "scripted"
default = "x"
[[samplers]]
kind = "independent"
model = "small"
n = 4
[[judges]]
kind = "rating"
name = "one"
model = "small"
[[judges]]
kind = "rating"
name = "two"
model = "small"
[[judges]]
kind = "pairwise"
name = "duel"
model = "small"
"""
SCORES = {
    "mean": "",
    "all": '[score]\nrequire = "all"',
    "zscore": '[score]\ncombine = "zscore"',
    "majority": '[score]\ncombine = "majority"\njudges = ["duel", "one", "two"]',
    "length": '[score]\ncontrol = "length"',
    "both": '[score]\ncombine = "zscore"\ncontrol = "length"',
    "log_sigmoid": '[score]\ncombine = "log_sigmoid"',
    "first": '[score]\ncombine = "first"\njudges = ["two", "one"]',
}
PARTS = {
    "by prompt": """
[[pairings]]
kind = "all_pairs"
[[filters]]
kind = "margin"
min = 1
[[selectors]]
kind = "one_per_prompt"
[[selectors]]
kind = "sample"
n = 3
""",
    "across": """
[[pairings]]
kind = "best_worst"
[[pairings]]
kind = "compared"
judges = ["duel"]
[[filters]]
kind = "length_ratio"
max = 3
[[filters]]
kind = "refusal"
[[selectors]]
kind = "dedup"
across = "dataset"
[[selectors]]
kind = "at_most_per_prompt"
n = 1
""",
    "texts": """
[[measures]]
kind = "edit_distance"
[[pairings]]
kind = "all_pairs"
[[filters]]
kind = "band"
measure = "edit_distance"
min = 0.2
[[filters]]
kind = "variance"
max = 1
""",
}
RATING = st.none() | st.integers(1, 4)
ANSWER = st.tuples(st.sampled_from(["", "a", "abab", "abcdefgh", "I cannot help."]), RATING, RATING)
PROMPT = st.tuples(st.lists(ANSWER, max_size=4), st.sampled_from([None, "a", "b", "tie"]))


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Recipe]:
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "questions.jsonl").write_text('{"question": "x"}\n')
    found = {}
    for number, (score, parts) in enumerate(product(SCORES, PARTS)):
        path = folder / f"{number}.toml"
        path.write_text(HEAD + SCORES[score] + PARTS[parts])
        found[score, parts] = read_recipe(path)
    return found


def content_of(prompts: list[tuple[list[tuple[str, Any, Any]], str | None]]) -> Content:
    """Prompts p0, p1... with answers p0r0..., ratings of two judges, one comparison of the first two."""
    content = Content()
    for number, (answers, verdict) in enumerate(prompts):
        prompt = f"p{number * 7 % 10}-{number}"
        content.prompts.append(Prompt(prompt, (Message("user", prompt),), sources=("s",)))
        ids = [f"{prompt}r{9 - place}" for place in range(len(answers))]
        for id_, (text, *ratings) in zip(ids, answers, strict=True):
            content.responses.append(Response(id_, prompt, text, "small", "small", "independent"))
            content.judgments += [
                Judgment(f"{id_}-{judge}", prompt, judge, judge, id_, score=rating)
                for judge, rating in zip(("one", "two"), ratings, strict=True)
                if rating is not None
            ]
        if verdict is not None and len(ids) > 1:
            sides = {"response_a_id": ids[0], "response_b_id": ids[1]}
            content.judgments.append(
                Judgment(f"{prompt}-duel", prompt, "duel", "duel", comparison_id=f"c-{prompt}",
                         verdict=verdict, **sides)
            )  # fmt: skip
    if content.responses:
        first = content.responses[0]
        content.staged_drops.append(
            Drop("responses", first.response_id, first.prompt_id, "filters", "empty")
        )
    return content


def found_of(recipe: Recipe, staged: Path, at_once: int) -> Iterator[tuple[str, Any]]:
    funnel = Funnel()
    funnel.staged(scan(staged, "drops").collect())
    selected = select(recipe, staged, funnel, at_once)
    for name in Selected.__slots__:
        table = getattr(selected, name).lazy().collect()
        rows = table.rows() if name in ("prompts", "responses") else sorted(map(repr, table.rows()))
        yield name, (table.schema, rows)
    yield "drops", sorted(map(repr, funnel.found().rows()))
    yield "steps", funnel.steps


@pytest.mark.parametrize(("score", "parts"), list(product(SCORES, PARTS)))
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PROMPT, max_size=7), st.integers(1, 4), st.sampled_from([0, 9]))
def test_how_many_prompts_are_worked_on_together_changes_no_row(
    recipes: dict[tuple[str, str], Recipe],
    monkeypatch: pytest.MonkeyPatch,
    score: str,
    parts: str,
    prompts: list[Any],
    at_once: int,
    few: int,
) -> None:
    recipe, content = recipes[score, parts], content_of(prompts)
    with TemporaryDirectory() as place:
        staged = stage(content, Path(place) / "staged", files=2)
        together = dict(found_of(recipe, staged, 100))
        monkeypatch.setattr(aside, "FEW", few)
        assert dict(found_of(recipe, staged, at_once)) == together


@pytest.mark.parametrize("pairing", ["all_pairs", "annotator_groups"])
def test_a_judge_may_rate_answers_of_one_prompt_and_compare_those_of_another(
    tmp_path: Path, pairing: str
) -> None:
    (tmp_path / "questions.jsonl").write_text('{"question": "x"}\n')
    scored = '[score]\njudges = ["one", "two"]\n'
    path = tmp_path / "recipe.toml"
    path.write_text(f'{HEAD}{scored}[[pairings]]\nkind = "{pairing}"\n')
    recipe = read_recipe(path)
    answers = [("a", 1, 2), ("abab", 3, 1)]
    content = content_of([(answers, None), (answers, "a"), ([("a", None, 1), ("b", None, 2)], "a")])
    content.judgments = [  # as recorded ones, of which a column says who judged
        replace(one, judge="one") if one.judge == "duel" else one for one in content.judgments
    ]
    staged = stage(content, tmp_path / "staged")
    assert dict(found_of(recipe, staged, 1)) == dict(found_of(recipe, staged, 100))


def test_dropped_pairs_that_cannot_be_written_stop_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "FEW", 0)
    (tmp_path / "file").write_text("")
    waiting = aside.Aside(tmp_path / "file" / "aside")
    with pytest.raises(StoreError, match="dropped pairs cannot be written"):
        waiting.put(pl.LazyFrame({"pair_id": ["a"]}))
