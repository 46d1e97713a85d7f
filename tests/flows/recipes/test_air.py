"""The shipped recipe of AIR against a real server: what it asks, and what its ablation says."""

from pathlib import Path

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.ablation.ablate import ablate
from pipelines.build import run_build
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe
from tools.chat_server import ChatServer

MODELS = ("policy", "llama", "qwen", "mistral", "judge")


def test_the_shipped_recipe_of_air_builds_and_is_ablated_without_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    with ChatServer() as server:
        places = [f"models.{name}.base_url={server.url}" for name in MODELS]
        named = [f"models.{name}.identity={name}" for name in MODELS]
        loose = "filters.variance.max=20.25"  # the server rates at random
        recipe = read_recipe(find_recipe("air"), [*places, *named, loose])
        built = run_build(recipe, tmp_path)
        assert built.published and built.manifest is not None
        asked = server.stats()["requests"]
        assert asked == built.manifest.run.calls >= 48 * 4 * 2  # some ratings are asked for again
        ablation = ablate(recipe, Store(tmp_path))
        assert server.stats()["requests"] == asked
    rows = {(row.group, row.name): row.figures for row in ablation.rows}
    last = rows["cumulated", "+ pair rule"]
    assert last.pairs == built.manifest.rows("pairs") > 0
    assert last.score_chosen is not None and last.score_chosen >= 8
    assert last.margin is not None and 2 <= last.margin <= 3
    assert last.on_policy == 0.5
    assert rows["alone", "nothing"].pairs > rows["alone", "pair rule"].pairs == last.pairs
