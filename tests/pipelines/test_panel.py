"""A panel of real judges, end to end: the embedded teacher by likelihood and in words, a verifier."""

from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from statistics import pvariance

import numpy as np
import pytest

from pipelines.agreement.kappa import cohen
from pipelines.agreement.krippendorff import alpha
from pipelines.build import Outcome
from tests.builds import published, run, write_recipe

PANEL = """
name = "panel"
limit = 16

[sources.sums]
kind = "builtin"
dataset = "sums_train"

[prompts]
text = "question"
reference = "answer"

[models.policy]
kind = "embedded"
sampling = { temperature = 0.8, max_tokens = 96 }

[models.teacher]
kind = "embedded"

[[samplers]]
kind = "independent"
model = "policy"
n = 4

[[judges]]
kind = "likelihood"
model = "teacher"

[[judges]]
kind = "rating"
model = "teacher"
template = "rating.jinja"

[[judges]]
kind = "verifier"
answer = "number"

[score]
combine = "majority"

[[pairings]]
kind = "all_pairs"
"""
RATING = "JUDGE\n{{ conversation[0].text }}\n{{ response }}\n"
PAIRWISE = """
[[judges]]
kind = "pairwise"
model = "teacher"
template = "compare.jinja"
"""
JUDGES = ("likelihood", "rating", "verifier")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("panel")
    (folder / "rating.jinja").write_text(RATING)
    (folder / "compare.jinja").write_text(
        "COMPARE\n{{ conversation[0].text }}\n{{ response_a }}\n{{ response_b }}\n"
    )
    write_recipe(folder, PANEL)
    return folder


@pytest.fixture(scope="module")
def panel(folder: Path) -> Outcome:
    outcome, _ = run(folder)
    return outcome


def votes(outcome: Outcome) -> dict[str, dict[str, int]]:
    """Response -> judge -> its score in micro-units."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in published(outcome, "judgments"):
        if row["score"] is not None:
            found[row["response_id"]][row["judge"]] = round(row["score"] * 1e6)
    return found


def test_each_judge_has_one_vote_on_a_pair_and_most_votes_choose_it(panel: Outcome) -> None:
    said, pairs = votes(panel), published(panel, "pairs")
    assert len(pairs) > 10
    for pair in pairs:
        chosen, rejected = said[pair["chosen_response_id"]], said[pair["rejected_response_id"]]
        for_chosen = sum(chosen[judge] > rejected[judge] for judge in JUDGES)
        for_rejected = sum(chosen[judge] < rejected[judge] for judge in JUDGES)
        counted = pair["n_votes"], pair["n_votes_chosen"], pair["n_votes_rejected"]
        assert counted == (3, for_chosen, for_rejected)
        assert pair["p_chosen"] == (3 + for_chosen - for_rejected + 1) / 8
        assert (pair["p_preferred"] > 0.5) == (for_chosen > for_rejected)


def test_the_scores_of_a_majority_are_copelands(panel: Outcome) -> None:
    said, responses = votes(panel), published(panel, "responses")
    of_prompts = defaultdict(list)
    for row in responses:
        of_prompts[row["prompt_id"]].append(row)
    for rows in of_prompts.values():
        half_wins: Counter[str] = Counter()
        for one, other in combinations(rows, 2):
            a, b = one["response_id"], other["response_id"]
            tally = Counter(np.sign(said[a][judge] - said[b][judge]) for judge in JUDGES)
            (verdict, most), *rest = tally.most_common()
            verdict = 0 if rest and rest[0][1] == most else verdict
            half_wins[a] += 1 + verdict
            half_wins[b] += 1 - verdict
        for row in rows:
            assert row["score"] == pytest.approx(half_wins[row["response_id"]] / 6, abs=1e-6)


def test_judges_that_know_the_answer_agree_and_the_figures_say_so(panel: Outcome) -> None:
    said = votes(panel)
    right = np.array([own["verifier"] for own in said.values()], float)
    in_words = np.array([own["rating"] for own in said.values()], float) / 1e6
    assert (alpha(np.column_stack([in_words == 10, right > 0]).astype(float), "nominal") or 0) > 0.8
    kappa = cohen((in_words == 10).astype(float), (right > 0).astype(float))
    assert kappa is not None
    assert kappa > 0.8
    mean = {judge: np.mean([own[judge] for own in said.values()]) for judge in JUDGES}
    deviation = {judge: np.std([own[judge] for own in said.values()]) for judge in JUDGES}
    for row in published(panel, "responses"):
        own = said[row["response_id"]]
        standardised = [(own[judge] - mean[judge]) / deviation[judge] for judge in JUDGES]
        assert row["score_var"] == pytest.approx(pvariance(standardised), abs=1e-5)


def test_another_combination_is_free_and_another_judge_costs_its_own_calls(
    folder: Path, panel: Outcome
) -> None:
    other, meter = run(folder, 'score.combine="zscore"')
    assert meter.samples_paid == 0
    assert other.manifest is not None
    assert panel.manifest is not None
    assert other.manifest.content_digest != panel.manifest.content_digest

    write_recipe(folder, PANEL + PAIRWISE)
    named = f"score.judges={[*JUDGES, 'pairwise']}"
    wider, meter = run(folder, named)
    text = {row["response_id"]: row["text"] for row in published(wider, "responses")}
    asked = {
        (
            row["prompt_id"],
            row["shown_order"],
            text[row["response_a_id"]],
            text[row["response_b_id"]],
        )
        for row in published(wider, "judgments")
        if row["judge"] == "pairwise"
    }
    shown = {(prompt, *((a, b) if order == "AB" else (b, a))) for prompt, order, a, b in asked}
    assert meter.samples_paid == len(shown) > 0  # equal texts are asked about once
    assert {row["n_votes"] for row in published(wider, "pairs")} == {4}
