"""Each measure on numbers worked out by hand."""

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.errors import RecipeError
from pipelines.filter import Filter
from pipelines.measure import Measure
from pipelines.part import kinds
from pipelines.selection.frames import Frames
from pipelines.selection.measured import LONG, column_of, measured
from pipelines.selection.steps import apply_filters, make_pairs
from pipelines.selector import Selector
from tests.pipelines.tables import UNIT, frames_of, part, rows_of, sides

POLICY = {name: {"policy": "on"} for name in ("p0", "p1", "p2", "q0", "q1")}
"""p3 and q2 are another model's."""
SCORES = {"p": [9, 7, 4, 2], "q": [8, 3, 5]}


def frames(*judgments: tuple[str, str, float]) -> Frames:
    """`judge`, response and score of further judgments."""
    rows = [
        {
            "prompt_id": response[0],
            "response_id": response,
            "judge": judge,
            "score": round(s * UNIT),
        }
        for judge, response, s in judgments
    ]
    rows = [row | {"judgment_id": f"more {number}"} for number, row in enumerate(rows)]
    return frames_of(SCORES, POLICY, rows)


def values(measure: Measure, given: Frames) -> dict[tuple[str, str], tuple[float, int]]:
    """(chosen, rejected) -> value and n_obs, of all pairs."""
    pairs, _ = make_pairs([part("pairings", "all_pairs")], given, 0)
    found = measure.measure(given, pairs)
    assert found["pair_id"].is_unique().all()
    joined = pairs.join(found, on="pair_id", maintain_order="left")
    known = zip(joined["value"], joined["n_obs"], strict=True)
    return dict(zip(sides(joined, given), known, strict=True))


def test_the_pass_rate_is_the_policys_share_of_good_answers() -> None:
    marks = [("v", name, score) for name, score in
             {"p0": 1, "p1": 0, "p2": 1, "p3": 0, "q0": 1, "q1": 1, "q2": 0}.items()]  # fmt: skip
    rates = values(part("measures", "pass_rate", judge="v"), frames(*marks))
    assert {rate for (one, _), rate in rates.items() if one[0] == "p"} == {(2 / 3, 3)}
    assert {rate for (one, _), rate in rates.items() if one[0] == "q"} == {(1.0, 2)}
    everybody = values(part("measures", "pass_rate", judge="v", of="all"), frames(*marks))
    assert everybody["p0", "p1"] == (0.5, 4)
    graded = part("measures", "pass_rate", judge="judge", at_least=7, min_responses=3)
    assert values(graded, frames())["p0", "p3"] == (2 / 3, 3)
    assert not any(one[0] == "q" for one, _ in values(graded, frames()))


def test_judge_entropy_is_highest_where_votes_are_even() -> None:
    pairs = rows_of("pairs", [{"p_chosen": 0.5, "n_votes": 2}, {"p_chosen": 0.7, "n_votes": 4}, {}])
    found = part("measures", "judge_entropy").measure(frames(), pairs)
    expected = -(0.7 * math.log(0.7) + 0.3 * math.log(0.3))
    assert found["value"].to_list() == pytest.approx([math.log(2), expected])
    assert found["n_obs"].to_list() == [2, 4]


def test_perplexity_is_that_of_the_mean_log_probability() -> None:
    given = frames(("ppl", "p0", -math.log(4)), ("ppl", "p1", 0.0))
    found = values(part("measures", "perplexity", judge="ppl"), given)
    assert found["p0", "p1"] == (pytest.approx(4.0, abs=1e-5), 1)
    assert found["p1", "p2"] == (1.0, 1)
    assert all(chosen in ("p0", "p1") for chosen, _ in found)
    rejected = values(part("measures", "perplexity", judge="ppl", side="rejected"), given)
    assert set(rejected) == {("p0", "p1")}


def test_predictive_entropy_orders_prompts_as_active_preference_learning_does() -> None:
    logps = {"p0": -1.0, "p1": -4.0, "p2": -4.0, "p3": -100.0, "q0": -5.0, "q1": -5.0}
    given = frames(*(("sum", name, logp) for name, logp in logps.items()))
    found = values(part("measures", "predictive_entropy", judge="sum"), given)
    assert found["p0", "p1"] == (pytest.approx(3.0), 3)  # the other model's -100 does not count
    assert found["q0", "q1"] == (pytest.approx(5.0), 2)
    with_samples = frames_of(
        SCORES, {name: {"policy": "on", "sum_logprob": logps[name]} for name in POLICY}
    )
    assert values(part("measures", "predictive_entropy"), with_samples)["q0", "q1"][0] == 5.0
    many = part("measures", "predictive_entropy", judge="sum", min_responses=3)
    assert all(chosen[0] == "p" for chosen, _ in values(many, given))


def test_certainty_is_the_difference_of_implicit_rewards() -> None:
    given = frames(
        ("pi", "p0", -2.0), ("pi", "p1", -9.0), ("ref", "p0", -5.0), ("ref", "p1", -4.0),
        ("pi", "p2", -1.0),
    )  # fmt: skip
    certainty = part("measures", "certainty", policy="pi", reference="ref", beta=0.5)
    # 0.5 * ((-2 + 5) - (-9 + 4)) = 4
    assert values(certainty, given) == {("p0", "p1"): (pytest.approx(4.0), 1)}


def test_a_column_is_a_measure_in_its_own_units() -> None:
    margin = part("measures", "column", column="score_margin", negative=True)
    assert values(margin, frames())["p0", "p3"] == (-7.0, 1)
    length = part("measures", "column", column="chosen_n_chars")
    assert values(length, frames())["p0", "p3"] == (10.0, 1)
    with pytest.raises(RecipeError, match=r'called "score_margn"; did you mean "score_margin"'):
        part("measures", "column", column="score_margn")


def losses_in(folder: Path, means: dict[str, float]) -> None:
    rows = [
        {"pair_id": pair, "run_id": f"s{seed}-first", "seed": seed, "half": "first",
         "checkpoint": checkpoint, "loss": loss}
        for pair, loss in means.items()
        for seed in (1, 2)
        for checkpoint in (0, 1)
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(folder / "losses.parquet")


def test_the_held_out_loss_is_joined_by_pair(tmp_path: Path) -> None:
    losses_in(tmp_path, {"0": 0.4, "1": 0.8, "elsewhere": 0.1})
    measure = part("measures", "held_out_loss", tmp_path, losses="losses.parquet")
    pairs = rows_of("pairs", [{}, {}, {}])
    found = measure.measure(frames(), pairs).sort("pair_id")
    assert found.rows() == [("0", 0.4, 4), ("1", 0.8, 4)]
    few = part("measures", "held_out_loss", tmp_path, losses="losses.parquet", min_obs=5)
    assert few.measure(frames(), pairs)["value"].to_list() == [None, None]


def test_a_leaking_or_missing_table_is_refused_with_its_place(tmp_path: Path) -> None:
    losses_in(tmp_path, {"0": 0.4})
    with pytest.raises(RecipeError, match=r"\[\[measures\]\].*losses: .*nowhere"):
        part("measures", "held_out_loss", tmp_path, losses="nowhere.parquet")
    leak = pl.DataFrame({"run_id": ["s1-first"], "pair_id": ["0"]})
    leak.write_parquet(tmp_path / "trained.parquet")
    with pytest.raises(RecipeError, match="had trained on it"):
        part("measures", "held_out_loss", tmp_path, losses="losses.parquet")


def test_another_table_is_another_recipe_and_another_path_is_not(tmp_path: Path) -> None:
    losses_in(tmp_path, {"0": 0.4})
    (tmp_path / "copy.parquet").write_bytes((tmp_path / "losses.parquet").read_bytes())
    one, copy = (
        part("measures", "held_out_loss", tmp_path, losses=f"{name}.parquet")
        for name in ("losses", "copy")
    )
    losses_in(tmp_path, {"0": 0.5})
    other = part("measures", "held_out_loss", tmp_path, losses="losses.parquet")
    assert one.identity() == copy.identity() != other.identity()


def with_measure(pairs: dict[str, float | None], name: str = "difficulty") -> pl.DataFrame:
    table = rows_of("pairs", [{"pair_id": pair} for pair in pairs])
    return table.with_columns(pl.Series(column_of(name), list(pairs.values()), pl.Float64))


def kept(selector: Selector, pairs: pl.DataFrame) -> tuple[list[str], dict[str, str]]:
    dropped = selector.drops(pairs, 0)
    return sorted(set(pairs["pair_id"]) - set(dropped["pair_id"])), dict(dropped.rows())


def test_the_easiest_half_is_cut_as_the_paper_says() -> None:
    pairs = with_measure({"a": 0.2, "b": 0.9, "c": 0.5, "d": 0.5, "e": 0.7})
    stay, reasons = kept(part("selectors", "easiest"), pairs)
    assert stay == ["a", "c"]  # floor(2.5), and of two 0.5 the smaller id
    assert reasons == {"b": "too_hard", "d": "too_hard", "e": "too_hard"}
    hardest = part("selectors", "easiest", take="hardest", n=2)
    assert kept(hardest, pairs)[0] == ["b", "e"]
    assert kept(hardest, pairs)[1]["a"] == "too_easy"


def test_what_could_not_be_measured_is_dropped_and_does_not_count() -> None:
    pairs = with_measure({"a": 0.2, "b": None, "c": 0.5, "d": math.inf})
    stay, reasons = kept(part("selectors", "easiest", share=Decimal("0.67")), pairs)
    assert (stay, reasons) == (["a", "c"], {"b": "difficulty_unknown", "d": "too_hard"})


@pytest.mark.parametrize("share", ["0", "0.1", "0.5", "0.9", "1"])
def test_a_larger_share_holds_the_smaller_one(share: str) -> None:
    pairs = with_measure({f"{n:02}": (n * 7 % 13) / 13 for n in range(13)})
    stay, _ = kept(part("selectors", "easiest", share=Decimal(share)), pairs)
    every, _ = kept(part("selectors", "easiest", share=1), pairs)
    assert len(stay) == math.floor(Decimal(share) * 13)
    assert set(stay) <= set(every)


def test_a_band_keeps_its_ends_and_says_why_it_drops() -> None:
    band: Filter = part("filters", "band", measure="rate", min=0.2, max=0.8)
    pairs = with_measure({"a": 0.2, "b": 0.8, "c": 0.1, "d": 0.9, "e": None}, "rate")
    stay, drops = apply_filters([band], pairs, "pairs")
    assert stay["pair_id"].to_list() == ["a", "b"]
    assert dict(drops.select("id", "reason").rows()) == {
        "c": "rate_too_low", "d": "rate_too_high", "e": "rate_unknown",
    }  # fmt: skip
    for wrong in ({}, {"min": 0.9, "max": 0.1}):
        with pytest.raises(RecipeError):
            part("filters", "band", measure="rate", **wrong)


def test_measures_become_columns_and_rows_in_whatever_order_pairs_come() -> None:
    given = frames()
    pairs, _ = make_pairs([part("pairings", "all_pairs")], given, 0)
    measures = [
        part("measures", "column", column="score_margin", name="gap"),
        part("measures", "pass_rate", judge="judge", at_least=7, min_responses=3, name="rate"),
    ]
    wide, long = measured(measures, given, pairs)
    assert wide.drop(column_of("gap"), column_of("rate")).equals(pairs)
    assert long.columns == list(LONG)
    assert long.group_by("measure").len().sort("measure").rows() == [("gap", 9), ("rate", 6)]
    backwards, again = measured(measures, given, pairs.reverse())
    assert backwards.reverse().equals(wide)
    assert again.sort("pair_id", "measure").equals(long.sort("pair_id", "measure"))


def test_two_values_for_one_pair_are_refused() -> None:
    class Twice(Measure):
        def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
            one = pairs.select("pair_id", value=pl.lit(1.0), n_obs=pl.lit(1, pl.Int64))
            return pl.concat([one, one])

    given = frames()
    pairs, _ = make_pairs([part("pairings", "all_pairs")], given, 0)
    with pytest.raises(RecipeError, match=r"measures\.twice: two values for one pair"):
        measured([Twice(kind="twice")], given, pairs)


def test_every_measure_on_the_shelf_has_a_test_here() -> None:
    text = Path(__file__).read_text()
    missing = [kind for kind in kinds("measures") if f'"{kind}"' not in text]
    assert not missing


def test_the_names_of_measures_are_checked_before_any_call(tmp_path: Path) -> None:
    from pipelines.recipe import read_recipe

    table: Any = (Path(__file__).parents[3] / "flows/recipes/dry_run.toml").read_text()
    path = tmp_path / "r.toml"
    path.write_text(f'{table}\n[[filters]]\nkind = "band"\nmeasure = "rat"\nmin = 0.1\n'
                    '[[measures]]\nkind = "pass_rate"\nname = "rate"\njudge = "verifier"\n')  # fmt: skip
    with pytest.raises(RecipeError, match=r'no such measure "rat"; did you mean "rate"'):
        read_recipe(path)
    path.write_text(f'{table}\n[[measures]]\nkind = "pass_rate"\njudge = "nobody"\n')
    with pytest.raises(RecipeError, match='no such judge "nobody"'):
        read_recipe(path)
