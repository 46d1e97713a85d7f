"""The gate of judges, against calibrations made by hand."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.calibration.gate import JudgeGate, pays
from pipelines.calibration.identity import calibration_id
from pipelines.calibration.labelled import asked_id
from pipelines.calibration.stored import store_calibration
from pipelines.errors import RecipeError, StoreError
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe, read_recipe
from schemas.calibration import Calibration, Figure, Labels
from schemas.rows import Message
from schemas.version import Judge, Manifest
from tests.pipelines.calibration.test_identity import RECIPE

SCORED = RECIPE.replace('combine = "zscore"', 'judges = ["rating"]')
GATED = SCORED + '\n[gates]\njudge_accuracy = ">= 0.7"\n'


def recipe(folder: Path, *overrides: str, text: str = GATED) -> Recipe:
    path = folder / "toy.toml"
    path.write_text(text)
    return read_recipe(path, overrides)


def checked(folder: Path, *, judge: str = "rating", pairs: int = 100, bound: float | None = 0.7,
            labels: str = "a", prompts: tuple[str, ...] = ()) -> None:  # fmt: skip
    accuracy = Figure(value=None if bound is None else 0.8, n=pairs)
    one = Calibration(
        identity=calibration_id(recipe(folder), judge),
        judge=judge,
        labels=Labels(digest=labels * 64, name="x.jsonl", pairs=pairs, prompts=pairs),
        lower_bound=bound,
        figures={"accuracy": accuracy},
        prompts=prompts,
    )
    store_calibration(Store(folder / "store"), one)


def failures(folder: Path, *overrides: str) -> list[str]:
    return JudgeGate(recipe(folder, *overrides), Store(folder / "store")).failures()


def test_a_judge_that_was_never_checked_fails_and_the_command_is_told(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (failure,) = failures(tmp_path)
    assert failure == (
        "judge rating: was never checked, and gates.judge_accuracy is >= 0.7. `pairwright judge "
        f"check {tmp_path / 'toy.toml'} --on LABELLED --store store --judge rating` checks it"
    )


def test_a_verdict_says_what_the_gate_will(tmp_path: Path):
    def verdict(*overrides: str) -> str:
        return JudgeGate(recipe(tmp_path, *overrides), Store(tmp_path / "store")).verdict("rating")

    checked(tmp_path)
    assert verdict() == "passes judge_accuracy >= 0.7"
    assert verdict('gates.judge_accuracy={pairwise=">= 0.6"}') == ""  # another judge's gate
    checked(tmp_path, labels="b", bound=0.69)
    assert verdict().startswith("FAILS judge_accuracy >= 0.7: accuracy 0.800 on 100 labelled pairs")


def test_the_command_checks_the_judge_as_the_recipe_was_changed(tmp_path: Path):
    (failure,) = failures(tmp_path, "judges.rating.scale=[1, 5]")
    assert "--on LABELLED --set 'judges.rating.scale=[1, 5]' --store" in failure


@pytest.mark.parametrize("bound", [0.7, 0.95])
def test_a_lower_bound_that_reaches_the_gate_passes(tmp_path: Path, bound: float):
    checked(tmp_path, bound=bound)
    assert failures(tmp_path) == []


def test_a_lower_bound_below_it_fails_however_high_the_accuracy(tmp_path: Path):
    checked(tmp_path, bound=0.699999)
    (failure,) = failures(tmp_path)
    assert "accuracy 0.800 on 100 labelled pairs" in failure
    assert "is below gates.judge_accuracy >= 0.7" in failure


def test_fewer_than_a_hundred_labels_fail(tmp_path: Path):
    checked(tmp_path, pairs=99, bound=0.99)
    (failure,) = failures(tmp_path)
    assert "checked on 99 labelled pairs, and 100 are needed" in failure


def test_an_undefined_figure_fails(tmp_path: Path):
    checked(tmp_path, bound=None)
    (failure,) = failures(tmp_path)
    assert "is undefined" in failure


def test_labels_of_another_identity_fail(tmp_path: Path):
    checked(tmp_path, labels="a")
    assert failures(tmp_path, 'gates.judge_labels="aaaaaaaa"') == []
    (failure,) = failures(tmp_path, 'gates.judge_labels="bbbbbbbb"')
    assert "checked on labels aaaaaaaaaaaa, and gates.judge_labels is bbbbbbbb" in failure


def test_of_several_label_sets_the_one_counts_that_the_judge_did_worst_on(tmp_path: Path):
    checked(tmp_path, labels="a", bound=0.9)
    checked(tmp_path, labels="b", bound=0.6)
    checked(tmp_path, labels="c", bound=0.1, pairs=20)  # a try on a few pairs counts for nothing
    (failure,) = failures(tmp_path)
    assert "lower 95 % bound 0.600" in failure
    assert failures(tmp_path, 'gates.judge_labels="aaaaaaaa"') == []


def test_another_judge_of_that_name_is_not_the_one_that_was_checked(tmp_path: Path):
    checked(tmp_path)
    (failure,) = failures(tmp_path, "judges.rating.scale=[1, 5]")
    assert "was never checked" in failure


def test_as_a_table_the_gate_holds_for_the_judges_it_names(tmp_path: Path):
    checked(tmp_path, bound=0.75)
    table = 'gates.judge_accuracy={rating=">= 0.75", pairwise=">= 0.6"}'
    (failure,) = failures(tmp_path, table)
    assert failure.startswith("judge pairwise: was never checked")
    checked(tmp_path, judge="pairwise", bound=0.65)
    assert failures(tmp_path, table) == []


def test_a_gate_on_an_unknown_judge_is_a_fault_of_the_recipe(tmp_path: Path):
    with pytest.raises(
        RecipeError, match=r"\[gates\]: judge_accuracy: no such judge .*\"rating\"\?"
    ):
        recipe(tmp_path, 'gates.judge_accuracy={raiting=">= 0.7"}')


@pytest.mark.parametrize(
    "bound", ['"0.7"', '"> 0.7"', '">= 1.5"', '">= 70 %"', "0.7", "true", "[]", "{}"]
)
def test_a_bound_in_another_form_is_refused(tmp_path: Path, bound: str):
    with pytest.raises(RecipeError, match="judge_accuracy"):
        recipe(tmp_path, f"gates.judge_accuracy={bound}")


def test_the_gate_is_outside_the_fingerprint(tmp_path: Path):
    plain = recipe(tmp_path, text=SCORED).fingerprint()
    assert recipe(tmp_path).fingerprint() == plain
    assert recipe(tmp_path).gates.accuracy_bounds(["rating"]) == {"rating": Decimal("0.7")}


def test_labelled_prompts_are_those_of_the_judges_under_the_gate(tmp_path: Path):
    asked = asked_id((Message("user", "1+1?"),))
    checked(tmp_path, labels="a", prompts=(asked,))
    checked(tmp_path, labels="b", prompts=(asked, "0" * 32))
    checked(tmp_path, labels="c", judge="pairwise", prompts=("1" * 32,))
    store = Store(tmp_path / "store")
    assert JudgeGate(recipe(tmp_path), store).labelled() == {
        asked: "labels aaaaaaaaaaaa, labels bbbbbbbbbbbb",
        "0" * 32: "labels bbbbbbbbbbbb",
    }
    ungated = recipe(tmp_path, text=RECIPE)
    assert JudgeGate(ungated, store).labelled() == {}
    assert JudgeGate(ungated, store).failures() == []


def test_scripted_and_embedded_models_cost_nothing_and_others_do(tmp_path: Path):
    assert not pays(recipe(tmp_path))
    remote = RECIPE.replace(
        'kind = "scripted"\ndefault = "Rating: 3"',
        'kind = "openai_api"\nbase_url = "https://example.com/v1"\napi_key_env = "NONE"',
    )
    assert pays(recipe(tmp_path, text=remote))


def test_a_manifest_names_the_checks_of_the_judges_that_are_known(tmp_path: Path):
    checked(tmp_path)
    gate = JudgeGate(recipe(tmp_path), Store(tmp_path / "store"))
    judged = {name: Judge(identity="x", asked=1, read=1) for name in ("rating", "verifier", "odd")}
    manifest = Manifest(
        name="toy", recipe_fingerprint="", content_digest="", seed=0, files={}, schema_hashes={},
        judges=judged, code_version="0",
    )  # fmt: skip
    found = gate.noted(manifest).judges
    assert [one.pairs for one in found["rating"].checks] == [100]
    assert found["verifier"].checks == ()
    assert found["verifier"].checked_as
    assert found["odd"] == judged["odd"]  # a judge of a user's file may name whom it likes


def test_a_damaged_calibration_does_not_stop_a_build_without_the_gate(tmp_path: Path):
    checked(tmp_path)
    (file,) = (tmp_path / "store" / "calibrations").rglob("*.json")
    file.write_text("{}")
    assert JudgeGate(recipe(tmp_path, text=RECIPE), Store(tmp_path / "store")).failures() == []


def test_a_damaged_calibration_stops_the_build_before_any_call(tmp_path: Path):
    checked(tmp_path)
    (file,) = (tmp_path / "store" / "calibrations").rglob("*.json")
    file.write_text(json.dumps({"schema_version": 1}))
    with pytest.raises(StoreError, match="check again"):
        failures(tmp_path)
