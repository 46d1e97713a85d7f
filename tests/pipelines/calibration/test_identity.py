from pathlib import Path

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.calibration.identity import (
    calibration_id,
    counted_names,
    counting_judges,
    judge_part,
)
from pipelines.errors import RecipeError
from pipelines.recipe import Recipe, read_recipe

RECIPE = """
name = "toy"

[sources.x]
kind = "builtin"
dataset = "arithmetic"

[prompts]
text = "question"

[models.one]
kind = "scripted"
default = "Rating: 3"

[[samplers]]
kind = "independent"
model = "one"

[[judges]]
kind = "rating"
model = "one"

[[judges]]
kind = "pairwise"
model = "one"

[[judges]]
kind = "verifier"
answer = "number"

[score]
combine = "zscore"

[[pairings]]
kind = "best_worst"
"""


def recipe(folder: Path, text: str = RECIPE, *overrides: str) -> Recipe:
    path = folder / "toy.toml"
    path.write_text(text)
    return read_recipe(path, overrides)


@pytest.mark.parametrize(
    "override",
    [
        "judges.rating.scale=[1, 5]",
        "judges.rating.sampling={temperature=0.5}",
        'judges.rating.system="Be strict."',
        'judges.rating.template="mine.jinja"',
        'models.one.default="Rating: 4"',
        'models.one.model="other"',
        "models.one.sampling={max_tokens=9}",
    ],
)
def test_what_decides_the_answers_is_in_the_identity(tmp_path: Path, override: str):
    (tmp_path / "mine.jinja").write_text("{{ response }} {{ form }}")
    plain = calibration_id(recipe(tmp_path), "rating")
    assert calibration_id(recipe(tmp_path, RECIPE, override), "rating") != plain


@pytest.mark.parametrize(
    "override",
    [
        "seed=4",
        "models.one.window=3",
        "judges.pairwise.max_pairs=2",
        "gates={min_pairs=3}",
        "limit=2",
    ],
)
def test_what_does_not_is_not(tmp_path: Path, override: str):
    plain = calibration_id(recipe(tmp_path), "rating")
    assert calibration_id(recipe(tmp_path, RECIPE, override), "rating") == plain


def test_names_play_no_part(tmp_path: Path):
    plain = calibration_id(recipe(tmp_path), "rating")
    renamed = RECIPE.replace("one", "two").replace(
        'kind = "scripted"', 'kind = "scripted"\nmodel = "one"'
    )
    assert calibration_id(recipe(tmp_path, renamed), "rating") == plain
    called = RECIPE.replace('kind = "rating"', 'kind = "rating"\nname = "mark"')
    assert calibration_id(recipe(tmp_path, called), "mark") == plain


def test_the_template_counts_and_not_its_path(tmp_path: Path):
    for name in ("a.jinja", "b.jinja"):
        (tmp_path / name).write_text("{{ response }} {{ form }}")
    one, other = (
        calibration_id(recipe(tmp_path, RECIPE, f'judges.rating.template="{name}"'), "rating")
        for name in ("a.jinja", "b.jinja")
    )
    assert one == other


def test_the_code_of_a_file_of_ones_own_counts(tmp_path: Path):
    own = RECIPE + '\n[[judges]]\nkind = "./mine.py"\n'
    ids = set()
    for score in (1.0, 2.0):
        code = f"from pipelines.judge import Judge\n\nclass Mine(Judge):\n    async def judge(self, unit, responses):\n        return [{score}]\n"
        (tmp_path / "mine.py").write_text(code)
        ids.add(calibration_id(recipe(tmp_path, own), "mine"))
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("overrides", "counting"),
    [
        ([], ("rating", "pairwise", "verifier")),  # the score of all that rate; rows tell which
        (['score.judges=["rating"]'], ("rating",)),
        (['pairings.0.kind="compared"', 'pairings.0.judges=["pairwise"]'], ("pairwise",)),
        (['pairings.0.kind="correct_wrong"', 'pairings.0.judge="verifier"'], ("verifier",)),
        (
            ['score.judges=["rating"]', 'pairings.0.kind="compared"'],
            ("rating", "pairwise", "verifier"),
        ),
        (['score.judges=["rating"]', "filters=[{kind='margin',min=1}]"], ("rating",)),
        (
            ['score.judges=["rating"]', "filters=[{kind='veto'}]"],
            ("rating", "verifier"),
        ),
        (
            ['score.judges=["rating"]', "filters=[{kind='preferred',min=0.9}]"],
            ("rating", "verifier"),
        ),
        (
            [
                'score.judges=["rating"]',
                "measures=[{kind='judge_entropy',name='unsure'}]",
                "filters=[{kind='band',measure='unsure',max=0.5}]",
            ],
            ("rating", "verifier"),
        ),
        (['score.judges=["rating"]', "measures=[{kind='judge_entropy'}]"], ("rating",)),
        (['score.judges=["rating"]', "selectors=[{kind='dedup'}]"], ("rating",)),
        (
            [
                'score.judges=["rating"]',
                "measures=[{kind='pass_rate',judge='verifier',of='all'}]",
                "filters=[{kind='band',measure='pass_rate',min=0.2}]",
            ],
            ("rating", "verifier"),
        ),
    ],
)
def test_judges_count_that_the_score_a_pairing_or_votes_use(tmp_path: Path, overrides, counting):
    assert counting_judges(recipe(tmp_path, RECIPE, *overrides)) == counting


def test_an_unknown_judge_is_refused_with_the_names_there_are(tmp_path: Path):
    with pytest.raises(RecipeError, match='no such judge "ratig"; did you mean "rating"'):
        judge_part(recipe(tmp_path), "ratig")


def test_each_judge_in_recorded_rows_has_an_identity_of_its_own(shared_data: Path):
    pandalm = read_recipe(find_recipe("acceptance/pandalm"))
    assert calibration_id(pandalm, "gpt35") != calibration_id(pandalm, "pandalm7b")
    assert counting_judges(pandalm) == ("human",)


def test_judges_that_only_their_rows_name_count_by_those_names(tmp_path: Path) -> None:
    """Else a gate on a figure of theirs would find none, and refuse every build."""
    rows = "{kind='recorded',name='crowd',response='id',score='s',judged_by='who',source='x'}"
    made = recipe(tmp_path, RECIPE, f"judges=[{rows},{{kind='verifier',answer='number'}}]")
    found = counted_names(made, ("alice", "bob", "verifier"))
    assert found == {"verifier", "alice", "bob"}
    scored = recipe(tmp_path, RECIPE, f"judges=[{rows},{{kind='verifier',answer='number'}}]",
                    "score.judges=['verifier']")  # fmt: skip
    assert counted_names(scored, ("alice", "verifier")) == {"verifier"}


def test_a_judge_that_was_never_asked_decides_nothing_and_one_without_figures_does(
    tmp_path: Path,
) -> None:
    when = "{kind='rating',model='one',name='second',when={judge='verifier',margin_below=1}}"
    made = recipe(tmp_path, RECIPE, f"judges=[{{kind='verifier',answer='number'}},{when}]")
    assert counted_names(made, ()) == {"verifier"}
    assert counted_names(made, ("second",)) == {"verifier", "second"}
