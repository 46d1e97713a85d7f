from pathlib import Path

import pytest

from flows.cli import main
from flows.options import shipped_recipes
from flows.options.shipped_recipes import find_recipe
from pipelines.errors import RecipeError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two shipped recipes, and an empty working folder."""
    shipped, work = tmp_path / "recipes", tmp_path / "work"
    (shipped / "acceptance").mkdir(parents=True)
    work.mkdir()
    (shipped / "quickstart.toml").touch()
    (shipped / "acceptance" / "zeroeval.toml").touch()
    monkeypatch.setattr(shipped_recipes, "FOLDER", shipped)
    monkeypatch.chdir(work)
    return shipped


@pytest.mark.parametrize(
    "given", ["quickstart", "quickstart.toml", "flows/recipes/quickstart.toml"]
)
def test_a_shipped_recipe_is_found_from_an_empty_folder(folder: Path, given: str) -> None:
    assert find_recipe(given) == folder / "quickstart.toml"


def test_a_shipped_recipe_in_a_subfolder_is_named_with_it(folder: Path) -> None:
    assert find_recipe("acceptance/zeroeval") == folder / "acceptance" / "zeroeval.toml"


def test_a_file_of_ones_own_goes_before_a_shipped_recipe(folder: Path) -> None:
    own = Path("quickstart.toml")
    own.touch()
    assert find_recipe("quickstart.toml") == own


def test_a_folder_of_a_recipes_name_does_not_hide_it(folder: Path) -> None:
    Path("quickstart").mkdir()
    assert find_recipe("quickstart") == folder / "quickstart.toml"


def test_a_wrong_name_names_the_nearest(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r'did you mean "quickstart"\?'):
        find_recipe("quikstart")


def test_every_shipped_recipe_opens_with_the_command_that_runs_it() -> None:
    for name, path in shipped_recipes.shipped_recipes().items():
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        assert "pairwright build" in first, f"{name} opens with: {first}"


def test_an_unknown_name_is_told_the_nearest_and_the_command_that_lists_all(folder: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        find_recipe("quickstrt")
    assert str(refused.value) == (
        'quickstrt: no such file, nor a shipped recipe; did you mean "quickstart"? '
        "`pairwright ls --recipes` lists those"
    )
    with pytest.raises(RecipeError, match=r"nor a shipped recipe; `pairwright ls --recipes`"):
        find_recipe("xyz")


def test_ls_lists_every_shipped_recipe_with_what_it_is_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["ls", "--recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-2]] == list(shipped_recipes.shipped_recipes())
    assert [line.split()[0] for line in lines[:-2] if len(line.split()) < 4] == []
