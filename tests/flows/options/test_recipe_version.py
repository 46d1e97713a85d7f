from pathlib import Path

import pytest

from flows.options.recipe_version import recipe_version
from pipelines.errors import NotThere
from tests.exports import plain_version


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return plain_version(tmp_path).folder.parents[2]


def test_a_name_and_the_recipe_that_makes_it_mean_the_same_version(
    store: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('extends = "quickstart"\nname = "toy"\n')
    for given in ("toy", "toy@v0001", str(recipe)):
        assert recipe_version(store, given).ref == "toy@v0001"


def test_a_recipe_that_was_never_built_says_what_makes_it(store: Path) -> None:
    for given in ("quickstart", "flows/recipes/quickstart.toml"):
        with pytest.raises(NotThere, match=rf'no dataset "quickstart".*`pairwright build {given}`'):
            recipe_version(store, given)


def test_what_is_neither_is_no_dataset(store: Path) -> None:
    with pytest.raises(NotThere, match='no such dataset "tow"; did you mean "toy"'):
        recipe_version(store, "tow")
