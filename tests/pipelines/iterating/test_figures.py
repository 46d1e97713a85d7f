import polars as pl
import pytest

from pipelines.iterating.figures import figures, rise, scores
from tests.builds import published, run, write_recipe
from tests.iterations import RECIPE, Bench


def scored(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """Rows of prompt, split, score; each prompt is its own group."""
    table = pl.DataFrame(rows, ["prompt_id", "split", "score"], orient="row")
    return table.with_columns(group="prompt_id")


def test_means_are_over_prompts_and_over_those_that_are_held_out() -> None:
    found = figures(scored(("a", "train", 0), ("b", "test", 1), ("c", "test", 0.5)), "test")
    assert found.every is not None
    assert found.held_out is not None
    assert (found.every.value, found.every.prompts) == (0.5, 3)
    assert (found.held_out.value, found.held_out.prompts) == (0.75, 2)
    assert found.held_out.interval == (0.5, 1.0)


def test_a_rise_is_taken_prompt_by_prompt() -> None:
    """Each held-out prompt rises by 0.1, whatever its level: the interval has no width."""
    before = scored(*((str(n), "test", n / 10) for n in range(9)), ("x", "train", 0))
    after = scored(*((str(n), "test", n / 10 + 0.1) for n in range(9)), ("x", "train", 9))
    found = rise(before, after, "test")
    assert found is not None
    assert found.interval is not None
    assert [found.value, *found.interval] == pytest.approx([0.1] * 3)
    assert found.prompts == 9


def test_nothing_is_known_of_no_prompt_and_no_interval_of_one() -> None:
    alone = scored(("a", "test", 1))
    assert figures(alone, "dev").held_out is None
    assert rise(alone, scored(("b", "test", 1)), "test") is None
    held_out = figures(alone, "test").held_out
    assert held_out is not None
    assert held_out.interval is None


def test_the_scores_are_those_of_the_published_tables(bench: Bench) -> None:
    write_recipe(bench.folder, RECIPE)
    outcome, _ = run(bench.folder)
    assert outcome.version is not None
    right: dict[str, list[float]] = {}
    for row in published(outcome, "judgments"):
        right.setdefault(row["prompt_id"], []).append(row["score"])
    found = scores(outcome.version, ["student"], None)
    assert dict(found.select("prompt_id", "score").iter_rows()) == {
        prompt: pytest.approx(sum(marks) / 4) for prompt, marks in right.items()
    }
    assert scores(outcome.version, ["student"], "verifier").equals(found)
    assert scores(outcome.version, ["other"], None).is_empty()
