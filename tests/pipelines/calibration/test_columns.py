import pytest

from pipelines.calibration.columns import columns_of, spellings_of
from pipelines.errors import RecipeError

SIDES = ("prompt", "response_a", "response_b", "label")


def test_columns_have_the_names_of_the_fields_unless_said_otherwise():
    columns = columns_of([*SIDES, "why"], ["category=why"], place="x")
    assert columns.shape == "sides"
    assert (columns["prompt"], columns["category"], columns["tools"]) == ("prompt", "why", None)


@pytest.mark.parametrize(
    ("there", "needed"),
    [
        (("prompt", "response_a", "label"), "response_a and response_b, chosen and rejected"),
        (("response_a", "response_b", "label"), "the prompt is needed"),
        (("prompt", "response_a", "response_b"), "the label is needed"),
        (("winner_ab",), "the label is needed"),
    ],
)
def test_a_missing_column_is_told_with_those_that_are_there(there: tuple[str, ...], needed: str):
    with pytest.raises(RecipeError, match=needed) as error:
        columns_of(there, [], place="x.csv")
    assert f"columns: {', '.join(sorted(there))}. `--column FIELD=COLUMN`" in str(error.value)


def test_a_named_column_must_exist_and_a_named_field_too():
    with pytest.raises(RecipeError, match=r'x.csv: no column "q" .*columns: label, prompt'):
        columns_of(SIDES, ["prompt=q"], place="x.csv")
    with pytest.raises(RecipeError, match='did you mean "prompt"'):
        columns_of(SIDES, ["promt=prompt"], place="x.csv")


def test_without_labels_no_label_is_needed():
    assert columns_of(SIDES[:3], [], place="x", labelled=False)["label"] is None


def test_recorded_judgments_need_no_prompt():
    assert columns_of(["winner_ba", "label"], [], place="x").shape == "recorded"


def test_a_named_prompt_wins_over_a_column_called_messages():
    columns = columns_of([*SIDES, "messages"], ["prompt=prompt"], place="x")
    assert columns["messages"] is None


def test_one_spelling_stands_for_one_side():
    assert spellings_of(["a=1", "b=2,two"]) == spellings_of(["b=2", "a=1", "b=two"])
    with pytest.raises(RecipeError, match='"A" stands for a too'):
        spellings_of(["b=A"])
    with pytest.raises(RecipeError, match="wanted"):
        spellings_of(["c=1"])
