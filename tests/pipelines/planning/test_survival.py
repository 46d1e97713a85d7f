"""What `plan` says of a build that wants a number of pairs."""

from pathlib import Path

import pytest

from flows.cli import main
from tests.builds import OVER_HTTP, published, run, write_questions, write_recipe
from tools.chat_server import ChatServer

EXACTLY = "\n[exactly]\npairs = 10\nprompts_per_round = 8\n"


def test_a_plan_counts_all_prompts_then_those_that_a_pilot_makes_likely_then_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(tmp_path, range(60))
    recipe, store = tmp_path / "recipe.toml", tmp_path / "store"

    def planned(*more: str) -> str:
        assert main(["plan", str(recipe), "--store", str(store), *more]) == 0
        return capsys.readouterr().out

    with ChatServer() as server:
        write_recipe(tmp_path, OVER_HTTP.format(url=server.url) + EXACTLY)
        said = planned()
        assert said.startswith("60 prompts; 0 samples")
        assert "10 pairs wanted: all prompts are counted" in said
        said = planned("--pilot", "8")
        assert "10 pairs wanted: the first 8 prompts gave " in said
        likely = int(said.split()[0])
        assert 8 < likely < 60
        assert likely % 8 == 0
        assert f"so about {likely} prompts are drawn" in said
        paid = server.stats()["requests"]
        outcome, meter = run(tmp_path)
        drawn = len(published(outcome, "prompts"))
        assert meter.calls == server.stats()["requests"] - paid == (drawn - 8) * 5
        said = planned()
    assert said.startswith(f"{drawn} prompts; {drawn * 8} samples")
    assert "Nothing is left to call." in said
