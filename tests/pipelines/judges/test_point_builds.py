"""Whole builds with judges of single responses, against a server that counts."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.published.pair_examples import PairExamples
from pipelines.errors import RecipeError
from pipelines.planning.plan import make_plan
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from tests.builds import published, read, run, write_recipe
from tests.judge_server import JudgeServer, Said

PROMPTS, RESPONSES, DIMENSIONS = 6, 4, 5

RECIPE = """
name = "trial"
seed = 3

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[prompts]
text = "question"
key = "id"
reference = "source"

[models.critic]
kind = "openai_api"
base_url = "{url}"
identity = "loopback"
window = 8

[[samplers]]
kind = "recorded"
text = "answer"
model = "model"

[[pairings]]
kind = "best_worst"
"""

HELPSTEER = """
[[judges]]
kind = "rubric"
model = "critic"
rubric = "helpsteer2"
"""

GOODNESS = (
    HELPSTEER
    + """
[score]
judges = ["rubric.helpfulness", "rubric.correctness", "rubric.coherence", "rubric.complexity",
    "rubric.verbosity"]
combine = "weighted"
require = "all"

[score.weights]
"rubric.helpfulness" = 0.65
"rubric.correctness" = 0.8
"rubric.coherence" = 0.45
"rubric.complexity" = 0.55
"rubric.verbosity" = -0.4
"""
)


def rate(words: str, choice: int) -> Said:
    """Rates by the attributes that a response consists of; says yes to the better half."""
    texts = re.findall(r"\n<<<(\w+)\n(.*?)\n\1>>>", words, re.DOTALL)
    shown = [text for _, text in texts if re.fullmatch(r"[\d ]{9}", text)]
    labels = re.findall(r"^(?:response_(\d+)_)?(\w+): N$", words, re.MULTILINE)
    names = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
    ratings = [dict(zip(names, text.split(), strict=True)) for text in shown]
    if "Rating: N" in words:
        return f"Rating: {1 + int(shown[0][0])}"
    if "Reply with the rating alone" in words:
        return shown[0][0], {shown[0][0]: math.log(0.75), "9": math.log(0.25)}
    if "one JSON object" in words:
        return json.dumps(ratings[0])
    if ": X" in words:
        names = re.findall(r"^(\w+): X$", words, re.MULTILINE)
        return "\n".join(f"{name}: {'yes' if shown[0] > '1' else 'no'}" for name in names)
    return "\n".join(
        f"{f'response_{at}_' if at else ''}{name}: {ratings[int(at or 1) - 1][name]}"
        for at, name in labels
    )


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with JudgeServer(rate) as server:
        yield server


@pytest.fixture
def build(tmp_path: Path, server: JudgeServer) -> Any:
    """Builds a recipe with these judges on recorded answers; returns the version and the calls."""

    def make(judges: str, answers: list[list[str]] | None = None) -> Any:
        write_answers(tmp_path, answers or ANSWERS)
        write_recipe(tmp_path, RECIPE.format(url=server.url) + judges)
        before = len(server.asked)
        outcome, _ = run(tmp_path)
        assert outcome.version is not None, outcome
        return outcome, len(server.asked) - before

    return make


def attributes(*ratings: int) -> str:
    return " ".join(map(str, ratings))


ANSWERS = [
    [attributes(at, prompt % 5, 4, 2, (at + prompt) % 5) for at in range(RESPONSES)]
    for prompt in range(PROMPTS)
]


def write_answers(folder: Path, answers: list[list[str]], source: str = "none") -> None:
    rows = [
        {
            "id": at,
            "question": f"Question {at}?",
            "answer": text,
            "model": f"m{number}",
            "source": source,
        }
        for at, texts in enumerate(answers)
        for number, text in enumerate(texts)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "answers.jsonl").write_text(lines, encoding="utf-8")


JUDGES = {
    'kind = "rating"': PROMPTS * RESPONSES,
    'kind = "rating"\nscorer = "mean"': PROMPTS * RESPONSES,  # one request of 5 samples each
    'kind = "rating"\nscorer = "expected"\nscale = [0, 9]': PROMPTS * RESPONSES,
    'kind = "rubric"\nrubric = "helpsteer2"': PROMPTS * RESPONSES,
    'kind = "rubric"\nrubric = "helpsteer2"\ncalls = "per_dimension"': (
        PROMPTS * RESPONSES * DIMENSIONS
    ),
    'kind = "rubric"\nrubric = "helpsteer2"\nall_together = true': PROMPTS,
    'kind = "rubric"\nrubric = "helpsteer2"\nall_together = true\ncalls = "per_dimension"': (
        PROMPTS * DIMENSIONS
    ),
    'kind = "checklist"\nconstraints = [{ name = "a", text = "A." }, { name = "b", text = "B." }]': (
        PROMPTS * RESPONSES
    ),
}


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge[7:].replace("\n", ", "))
def test_a_judge_makes_as_many_calls_as_its_formula_and_its_plan_say(
    build: Any, server: JudgeServer, tmp_path: Path, judge: str
) -> None:
    write_answers(tmp_path, ANSWERS)
    table = f'[[judges]]\nmodel = "critic"\n{judge}\n'
    write_recipe(tmp_path, RECIPE.format(url=server.url) + table)
    plan = make_plan(read(tmp_path), Store(tmp_path / "plans"))
    outcome, calls = build(table)
    assert calls == sum(part.calls.value for part in plan.parts) == JUDGES[judge]
    judgments = published(outcome, "judgments")
    assert all(row["error"] is None for row in judgments)
    assert build(table)[1] == 0


def test_a_second_judge_costs_only_its_own_calls(build: Any) -> None:
    _, first = build(HELPSTEER)
    more = '[[judges]]\nkind = "rating"\nmodel = "critic"\n[score]\njudges = ["rubric"]\n'
    _, second = build(HELPSTEER + more)
    assert (first, second) == (24, 24)


def test_one_more_response_costs_only_its_own_calls(build: Any) -> None:
    build(HELPSTEER)
    more = [[*texts, attributes(4, 4, 4, 4, 4)] for texts in ANSWERS]
    assert build(HELPSTEER, more)[1] == PROMPTS


def test_helpsteer2_goodness_is_a_score_of_the_five_dimensions(build: Any) -> None:
    better, worse = attributes(4, 4, 4, 2, 2), attributes(3, 4, 4, 2, 2)
    outcome, _ = build(GOODNESS, [[worse, better]])
    (pair,) = published(outcome, "pairs")
    assert pair["chosen"][-1]["content"] == better
    total = 0.65 + 0.8 + 0.45 + 0.55 - 0.4  # a weighted mean: goodness over the sum of weights
    assert pair["score_chosen"] == pytest.approx(7.9 / total, abs=1e-6)
    assert pair["score_rejected"] == pytest.approx(7.25 / total, abs=1e-6)


def test_helpsteer2_prefers_the_more_helpful_response_and_drops_equals(build: Any) -> None:
    better, worse = attributes(4, 4, 4, 2, 2), attributes(3, 4, 4, 2, 2)
    equal = attributes(4, 0, 0, 0, 4)
    for judges in (HELPSTEER, HELPSTEER + '[score]\njudges = ["rubric.helpfulness"]\n'):
        outcome, _ = build(judges, [[better, worse], [better, equal]])
        (pair,) = published(outcome, "pairs")
        assert pair["chosen"][-1]["content"] == better
        assert (pair["score_chosen"], pair["score_rejected"]) == (4, 3)
        assert pair["score_margin"] == 1


def test_guided_by_a_source_text_the_overlap_with_it_decides(tmp_path: Path) -> None:
    """PUGC: a scorer that counts the words shared with the source has a known best and worst."""
    source = "the old mill stands by the river and grinds rye"

    def overlap(words: str, choice: int) -> str:
        quoted = [text for _, text in re.findall(r"\n<<<(\w+)\n(.*?)\n\1>>>", words, re.DOTALL)]
        _, shown, response = quoted
        assert shown == source
        return f"Rating: {1 + len(set(shown.split()) & set(response.split()))}"

    answers = ["a castle", "the mill", "the old mill stands by the river", "rye and the sea"]
    with JudgeServer(overlap) as server:
        write_answers(tmp_path, [answers], source=source)
        judge = '[[judges]]\nkind = "rating"\nmodel = "critic"\nguided = true\n'
        write_recipe(tmp_path, RECIPE.format(url=server.url) + judge)
        (pair,) = published(run(tmp_path)[0], "pairs")
    assert pair["chosen"][-1]["content"] == answers[2]
    assert pair["rejected"][-1]["content"] == answers[0]
    assert (pair["score_chosen"], pair["score_rejected"]) == (7, 1)


def test_sql_shows_the_dimensions_as_columns(build: Any, tmp_path: Path) -> None:
    samples = "samples = 2\nsampling = { temperature = 1.0 }\n"
    build(HELPSTEER + samples)
    query = "FROM dimension_scores WHERE judge = 'rubric' AND dimension = 'helpfulness'"
    with run_sql(Store(tmp_path / "store"), query, "trial") as rows:
        table = rows.read_all().to_pylist()
    assert len(table) == PROMPTS * RESPONSES
    assert {row["n_scored"] for row in table} == {2}
    assert {row["score"] for row in table} == {0, 1, 2, 3}
    pivot = """
        SELECT * FROM (PIVOT dimension_scores ON dimension USING any_value(score)
                       GROUP BY response_id) JOIN responses USING (response_id)"""
    with run_sql(Store(tmp_path / "store"), pivot, "trial") as rows:
        table = rows.read_all().to_pylist()
    assert len(table) == PROMPTS * RESPONSES
    for row in table:
        names = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
        assert [row[name] for name in names] == [float(one) for one in row["text"].split()]
        assert row["score"] == row["helpfulness"]


@pytest.mark.parametrize(
    ("judges", "model", "complaint"),
    [
        ('kind = "rating"\nscale = [1, 5]\nscorer = "expected"', 'omit = ["top_logprobs"]',
         r"log-probabilities are needed, and models\.critic omits top_logprobs"),
        ('kind = "rubric"\nrubric = "helpsteer2"\n[score]\njudges = ["rubric.helpfullness"]', "",
         'no such judge "rubric.helpfullness"; did you mean "rubric.helpfulness"'),
    ],
)  # fmt: skip
def test_what_no_model_or_judge_can_give_is_refused_before_any_call(
    tmp_path: Path, judges: str, model: str, complaint: str
) -> None:
    table = f'[[judges]]\nmodel = "critic"\n{judges}\n'
    write_answers(tmp_path, ANSWERS)
    text = RECIPE.format(url="http://127.0.0.1:9/v1") + table
    write_recipe(tmp_path, text.replace("window = 8", f"window = 8\n{model}"))
    with pytest.raises(RecipeError, match=complaint):
        read(tmp_path)


def test_an_embedded_model_is_not_asked_for_structured_output(tmp_path: Path) -> None:
    write_answers(tmp_path, ANSWERS)
    table = HELPSTEER + 'reply = "json"\nstructured = true\n[models.teacher]\nkind = "embedded"\n'
    write_recipe(
        tmp_path,
        RECIPE.format(url="http://127.0.0.1:9/v1") + table.replace('"critic"', '"teacher"'),
    )
    with pytest.raises(RecipeError, match="json_schema is not known to embedded models"):
        read(tmp_path)


def test_the_expected_scores_of_a_real_server_are_published_with_their_mass(build: Any) -> None:
    judge = '[[judges]]\nkind = "rating"\nmodel = "critic"\nscorer = "expected"\nscale = [0, 9]\n'
    outcome, _ = build(judge, [[attributes(at, 0, 0, 0, 0) for at in range(4)]])
    rows = published(outcome, "judgments")
    assert sorted(row["score"] for row in rows) == [0.75 * at + 0.25 * 9 for at in range(4)]
    assert {row["mass"] for row in rows} == {1.0}
    replayed, calls = build(judge, [[attributes(at, 0, 0, 0, 0) for at in range(4)]])
    assert calls == 0
    assert replayed.manifest.content_digest == outcome.manifest.content_digest


def test_show_names_the_dimensions_beside_the_whole_and_their_words_once(build: Any) -> None:
    outcome, _ = build(HELPSTEER, [[attributes(4, 4, 4, 2, 2), attributes(3, 4, 4, 2, 2)]])
    examples = PairExamples(outcome.version)
    [pair] = examples.spread(1)
    said = [(one.judge, one.of, one.said) for one in examples.verdicts(pair)]
    assert said[0] == ("rubric", "chosen", "4")
    assert ("rubric.verbosity", "rejected", "2") in said
    words = [one.why for one in examples.verdicts(pair)]
    assert [bool(why) for why in words] == [judge == "rubric" for judge, _, _ in said]


def test_a_structured_rubric_replays_without_a_call(build: Any) -> None:
    judges = HELPSTEER + 'reply = "json"\nstructured = true\nsampling = { max_tokens = 300 }\n'
    first, calls = build(judges)
    again, repeated = build(judges)
    assert (calls, repeated) == (PROMPTS * RESPONSES, 0)
    assert published(first, "judgments") == published(again, "judgments")
