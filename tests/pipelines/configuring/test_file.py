from pathlib import Path

import pytest

from pipelines.configuring.file import read_table, with_whole_paths
from pipelines.errors import RecipeError
from pipelines.recipe import read_recipe
from pipelines.shipped import RECIPES


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_recipe_of_the_same_folder_is_extended_key_by_key(tmp_path: Path) -> None:
    written(tmp_path, 'name = "base"\nseed = 3\n[budget]\nmoney = 5\ntokens = 9\n', "base.toml")
    path = written(tmp_path, 'extends = "base.toml"\nname = "mine"\n[budget]\nmoney = 7\n')
    assert read_table(path) == {"name": "mine", "seed": 3, "budget": {"money": 7, "tokens": 9}}


@pytest.mark.parametrize("name", ["quickstart", "air", "acceptance/zeroeval"])
def test_a_shipped_recipe_is_extended_by_its_name(tmp_path: Path, name: str) -> None:
    table = read_table(written(tmp_path, f'extends = "{name}"\nname = "mine"\n'))
    shipped = read_table(RECIPES / f"{name}.toml")
    assert table["name"] == "mine"
    assert table["samplers"] == shipped["samplers"]


def test_an_extended_shipped_recipe_finds_the_files_that_lie_beside_it(tmp_path: Path) -> None:
    mine = read_recipe(written(tmp_path, 'extends = "joint_preferences"\n'))
    shipped = read_recipe(RECIPES / "joint_preferences.toml")
    assert mine.judges[0].identity() == shipped.judges[0].identity()


def test_a_file_of_the_own_folder_comes_before_a_shipped_recipe(tmp_path: Path) -> None:
    written(tmp_path, "seed = 11\n", "quickstart")
    assert read_table(written(tmp_path, 'extends = "quickstart"\n')) == {"seed": 11}


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (
            '"quickstrat"',
            r'extends: no file "quickstrat" .*did you mean "quickstart"\?.*ls --recipes',
        ),
        ('"mine.toml"', "extends: mine.toml extends this recipe in turn"),
        ("3", "extends: the path of a recipe is needed"),
    ],
)
def test_what_cannot_be_extended_is_refused_with_file_and_key(
    tmp_path: Path, base: str, message: str
) -> None:
    with pytest.raises(RecipeError, match=rf"mine\.toml: {message}"):
        read_table(written(tmp_path, f"extends = {base}\n"))


def test_a_recipe_of_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    written(tmp_path, 'name = "base"\n', "base.toml")
    with pytest.raises(RecipeError, match="lies in another folder"):
        read_table(written(tmp_path / "one", 'extends = "../base.toml"\n'))


def test_only_texts_that_name_a_file_become_whole_paths(tmp_path: Path) -> None:
    (tmp_path / "judge.jinja").write_text("{{ response }}")
    (tmp_path / "plain").write_text("")
    given = {"a": "judge.jinja", "b": ["other.jinja", "plain", 3], "c": {"d": "x" * 5000 + ".py"}}
    expected = {**given, "a": str(tmp_path / "judge.jinja")}
    assert with_whole_paths(given, tmp_path) == expected


def test_a_recipe_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b'\xef\xbb\xbfname = "mine"\r\n')
    assert read_table(path) == {"name": "mine"}
