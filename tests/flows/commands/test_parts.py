from pathlib import Path

import pytest

from flows.cli import main
from flows.texts.recipe_shape import places
from pipelines.errors import RecipeError
from pipelines.part import SHELVES, Runtime, Where, kinds, load_part, part_class

PLAIN = {place.word: place.table for place in places() if not place.shelf}


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["parts", *arguments]) == 0
    return capsys.readouterr().out


def test_the_overview_names_every_shelf_kind_and_table(capsys: pytest.CaptureFixture[str]) -> None:
    overview = shown(capsys)
    words = {*(kind for shelf in SHELVES for kind in kinds(shelf)), *PLAIN}
    assert words <= set(overview.replace(",", " ").split())


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_lists_its_kinds_with_a_line_each(
    capsys: pytest.CaptureFixture[str], shelf: str
) -> None:
    lines = {
        line.split()[0]: line.split()[1:] for line in shown(capsys, shelf).splitlines() if line
    }
    for kind in kinds(shelf):
        assert lines[kind], f"{shelf} {kind} has no line of text"


@pytest.mark.parametrize(
    ("shelf", "kind"), [(shelf, kind) for shelf in SHELVES for kind in kinds(shelf)]
)
def test_every_field_of_every_part_is_explained(
    capsys: pytest.CaptureFixture[str], shelf: str, kind: str
) -> None:
    blocks = shown(capsys, shelf, kind).split("\n\n")
    where = Where("", "", Path())
    for name, field in part_class(shelf, kind, where)[0].model_fields.items():
        if name == "kind":
            continue
        (block,) = [block for block in blocks if block.startswith(f"  {field.alias or name}:")]
        facts, _, text = block.partition("\n")
        assert text.strip(), f"{name} has no text under it"
        assert ("not in the fingerprint" in facts) == (Runtime in field.metadata)
        assert ("required" in facts) == field.is_required()


def test_no_line_of_a_shelf_reads_as_if_something_were_still_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for shelf in SHELVES:
        assert main(["parts", {"backends": "models"}.get(shelf, shelf)]) == 0
    assert "TODO" not in capsys.readouterr().out


def test_a_kind_is_found_without_its_shelf(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "margin") == shown(capsys, "filters", "margin")


def test_a_kind_on_two_shelves_is_explained_for_both(capsys: pytest.CaptureFixture[str]) -> None:
    both = shown(capsys, "recorded")
    assert both.index("[[samplers]]") < both.index("[[judges]]")


def test_models_is_the_recipes_word_for_the_backends(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "models") == shown(capsys, "backends")


@pytest.mark.parametrize("table", PLAIN)
def test_a_table_without_kinds_is_explained(capsys: pytest.CaptureFixture[str], table: str) -> None:
    text = shown(capsys, table)
    for name in PLAIN[table].model_fields:
        assert f"\n  {name}: " in text


def test_nested_tables_follow_their_field(capsys: pytest.CaptureFixture[str]) -> None:
    keys = [line.split(":")[0].strip() for line in shown(capsys, "openai_api").splitlines()]
    assert keys.index("sampling") < keys.index("sampling.temperature") < keys.index("omit")


def test_what_is_nested_in_a_runtime_table_is_outside_the_fingerprint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (line,) = [line for line in shown(capsys, "openai_api").splitlines() if "prices.input:" in line]
    assert line.strip() == "prices.input: number, at least 0, not in the fingerprint"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["margn"], 'did you mean "margin"?'),
        (["filters", "margn"], 'did you mean "margin"?'),
        (["filter", "margin"], 'did you mean "filters"?'),
    ],
)
def test_a_wrong_word_names_the_nearest(
    capsys: pytest.CaptureFixture[str], words: list[str], hint: str
) -> None:
    assert main(["parts", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert hint in said.err


def test_a_key_is_shown_and_suggested_as_a_recipe_writes_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "\n  identity: text\n" in shown(capsys, "openai_api")
    with pytest.raises(RecipeError, match='did you mean "identity"'):
        load_part("backends", {"kind": "openai_api", "identiy": "x"}, Where("", "", Path()))


def test_where_one_text_will_do_for_a_list_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n  path: text or list of text, required\n" in shown(capsys, "jsonl")
    assert "\n  key: text or list of text\n" in shown(capsys, "prompts")


def test_gates_and_budget_are_outside_the_fingerprint(capsys: pytest.CaptureFixture[str]) -> None:
    assert "min_pairs: integer, at least 0, default 1, not in the" in shown(capsys, "gates")


def test_everything_can_be_had_as_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    page = shown(capsys, "--markdown")
    assert all(f'#### `kind = "{kind}"`' in page for shelf in SHELVES for kind in kinds(shelf))
