"""What measures ask of the rest of a recipe is refused before any call."""

from pathlib import Path

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.errors import RecipeError
from pipelines.recipe import Recipe, read_recipe

SUM = "judges.likelihood.statistic=sum"
MEAN = "judges.likelihood.statistic=mean"
TWO = (
    "judges=[{kind='likelihood',model='teacher',statistic='sum'},{kind='verifier',answer='number'}]"
)


def quickstart(measure: str, *overrides: str) -> Recipe:
    return read_recipe(find_recipe("quickstart"), [*overrides, f"measures=[{{{measure}}}]"])


@pytest.mark.parametrize(
    ("measure", "overrides"),
    [
        ("kind='perplexity',judge='likelihood'", [MEAN]),
        ("kind='predictive_entropy',judge='likelihood'", [SUM]),
        ("kind='predictive_entropy'", ["samplers.0.sampling.logprobs=true"]),
        ("kind='predictive_entropy'", ["models.student.sampling.logprobs=true"]),
        ("kind='certainty',policy='likelihood',reference='likelihood'", [SUM]),
        ("kind='pass_rate',judge='verifier'", []),
        ("kind='pass_rate',judge='verifier',of='all'", ["models.student.policy=off"]),
    ],
)
def test_a_measure_that_gets_what_it_asks_for_passes(measure: str, overrides: list[str]) -> None:
    assert quickstart(measure, *overrides).measures


@pytest.mark.parametrize(
    ("measure", "overrides", "message"),
    [
        (
            "kind='perplexity',judge='likelihood'",
            [],
            (
                r"\[\[measures\]\] perplexity: judge: the mean of log-probabilities is wanted here, "
                r'and the scores of "likelihood" are their "min"\. A judge of kind "likelihood" with '
                r'statistic = "mean" gives it'
            ),
        ),
        ("kind='perplexity',judge='likelihood'", [SUM], 'are their "sum"'),
        ("kind='perplexity',judge='verifier'", [], 'scores of "verifier" are something else'),
        ("kind='predictive_entropy',judge='likelihood'", [], "the sum of log-probabilities"),
        ("kind='certainty',policy='verifier',reference='likelihood'", [TWO], "certainty: policy: "),
        ("kind='certainty',policy='likelihood',reference='verifier'", [TWO], "reference: the sum"),
        (
            "kind='predictive_entropy'",
            [],
            "no log-probabilities come with the samples of independent: sampling = { logprobs = tr",
        ),
        (
            "kind='predictive_entropy',judge='likelihood'",
            [SUM, "models.student.policy=off"],
            "it is of the policy's own answers, and none is the policy's here",
        ),
        (
            "kind='pass_rate',judge='verifier'",
            ["models.student.policy=off"],
            r'pass_rate: of: none is the policy.s here: .* of = "all" counts the answers of all',
        ),
    ],
)
def test_a_measure_that_can_measure_nothing_is_refused(
    measure: str, overrides: list[str], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        quickstart(measure, *overrides)


RECORDED = """
name = "given"
[sources.given]
kind = "jsonl"
path = "given.jsonl"
[prompts]
text = "question"
[[samplers]]
kind = "recorded"
text = "answer"
key = "id"
[[judges]]
kind = "recorded"
name = "marks"
response = "id"
score = "score"
[[pairings]]
kind = "best_worst"
"""


def recorded(folder: Path, *overrides: str) -> Recipe:
    (folder / "given.jsonl").write_text('{"id": 1, "question": "a", "answer": "b", "score": 1}\n')
    (folder / "r.toml").write_text(RECORDED)
    return read_recipe(folder / "r.toml", overrides)


def test_recorded_scores_are_log_probabilities_where_they_say_so(tmp_path: Path) -> None:
    wanted = "measures=[{kind='perplexity',judge='marks'}]"
    with pytest.raises(RecipeError, match='recorded scores that are it say so: statistic = "mean"'):
        recorded(tmp_path, wanted)
    told = recorded(tmp_path, wanted, "judges.0.statistic=mean")
    assert told.fingerprint() == recorded(tmp_path, "judges.0.statistic=mean", wanted).fingerprint()
    assert told.judges[0].identity() == recorded(tmp_path).judges[0].identity()
    judged_by = ["judges.0.judged_by=id", "judges.0.statistic=sum"]
    with pytest.raises(RecipeError, match='scores of "anna" are their "sum"'):
        recorded(tmp_path, "measures=[{kind='perplexity',judge='anna'}]", *judged_by)
    with pytest.raises(RecipeError, match="statistic: it is of a column `score`"):
        recorded(
            tmp_path,
            "judges.0.statistic=mean",
            "judges=[{kind='recorded',response='id',rank='score',statistic='mean'}]",
        )


def test_recorded_answers_are_the_policys_where_they_say_so(tmp_path: Path) -> None:
    wanted = "measures=[{kind='pass_rate',judge='marks'}]"
    with pytest.raises(RecipeError, match="none is the policy's here"):
        recorded(tmp_path, wanted)
    for told in ("samplers.0.policy=on", "samplers.0.policy_column=id"):
        assert recorded(tmp_path, wanted, told).measures
