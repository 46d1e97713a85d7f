from pathlib import Path
from typing import cast

import polars as pl
import pytest

from pipelines.iterating.figures import figures, rise, scores
from pipelines.publishing.versions import Version
from pipelines.report.policy_figures import policy_figures
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


OWN = [  # id, model, parent, relation, score
    ("r1", "student", None, None, 0.0),
    ("r2", "student", None, None, 1.0),
    ("r3", "student", "r1", "revision", 9.0),
    ("r4", "student", "r9", None, 9.0),  # the second step of a search
    ("r5", "student", "r9", "step", 9.0),
    ("r6", "teacher", None, None, 9.0),
]


def test_only_what_the_policy_said_as_it_was_asked_counts_here_and_in_the_report(
    tmp_path: Path,
) -> None:
    version = cast("Version", Tables(tmp_path))
    [row] = scores(version, ["student"], None).to_dicts()
    assert row == {"prompt_id": "p", "score": 0.5, "group": "p", "split": "test"}
    [figure] = policy_figures(version)
    assert figure.value == 0.25  # 0.75 - 0.5


class Tables:
    """A published version of one prompt, as far as both read it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, self
        columns = ["response_id", "model", "parent_id", "relation", "score"]
        responses = pl.DataFrame(OWN, columns, orient="row").with_columns(
            prompt_id=pl.lit("p"), policy=pl.when(pl.col("model") == "student").then(pl.lit("on"))
        )
        prompts = pl.DataFrame({"prompt_id": ["p"], "group_id": [None], "split": ["test"]})
        pairs = pl.DataFrame({"prompt_id": ["p"], "score_chosen": [0.75]})
        for name, table in (("responses", responses), ("prompts", prompts), ("pairs", pairs)):
            table.write_parquet(folder / name)

    def files(self, name: str) -> tuple[Path, ...]:
        return (self.folder / name,)

    def rows(self, _: str) -> int:
        return 1


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
