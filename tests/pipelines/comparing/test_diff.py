"""Diffs of small versions whose every pair is known, and of random ones."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.build import run_build
from pipelines.comparing.diff import Counts, compare
from pipelines.comparing.recipe_diff import KeyChange, recipe_changes
from pipelines.publishing.versions import Version
from pipelines.recipe import read_recipe
from schemas.tables import PUBLISHED
from schemas.version import FileInfo, Manifest
from tests.builds import run

Why = dict[tuple[str, str, str | None], int]

RECIPE = """\
name = "trial"

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[prompts]
text = "question"
task = "task"

[[samplers]]
kind = "recorded"
text = "text"
model = "model"
key = ["question", "model"]

[[judges]]
kind = "recorded"
response = ["question", "model"]
score = "score"
scale = [0, 12]

[[pairings]]
kind = "all_pairs"

[[filters]]
kind = "margin"
min = 2
"""

SCORES = {"q1": {"a": 9, "b": 5, "c": 1}, "q2": {"a": 3, "b": 8}, "q3": {"a": 7, "b": 6}}
"""Pairs of margin 2 and more: q1 a>b (4), a>c (8), b>c (4); q2 b>a (5). q3 a>b (1) is dropped."""

BELOW = "filters.margin: margin_too_small"

Made = Callable[..., Version]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """`made("filters.margin.min=5", q2={"a": 9})`: the version that overrides and scores give."""

    def make(*overrides: str, text: str = RECIPE, **scores: dict[str, int] | None) -> Version:
        rows = [
            {"question": question, "model": model, "text": f"{question} by {model}", "score": score,
             "task": "sums"}
            for question, own in (SCORES | scores).items() if own is not None
            for model, score in own.items()
        ]  # fmt: skip
        (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (tmp_path / "recipe.toml").write_text(text)
        outcome, _ = run(tmp_path, *overrides)
        assert outcome.version is not None, outcome.failures
        return outcome.version

    return make


def why(a: Version, b: Version) -> Why:
    with compare(a, b) as found:
        return {(one.change, one.reason, one.cause): one.pairs for one in found.reasons}


def counts(a: Version, b: Version) -> Counts:
    with compare(a, b) as found:
        return found.counts


def rows(a: Version, b: Version) -> list[dict[str, Any]]:
    with compare(a, b) as found:
        return list(found.rows().read_all().to_pylist())


def test_a_version_and_itself_do_not_differ(made: Made) -> None:
    one = made()
    assert counts(one, one) == Counts(4, 4, 4, 0, 0, 0, 0)
    assert why(one, one) == {}


def test_a_raised_margin_removes_what_it_drops(made: Made) -> None:
    a, b = made(), made("filters.margin.min=5")
    assert counts(a, b) == Counts(4, 2, 2, 0, 0, removed=2, added=0)
    assert why(a, b) == {("removed", "dropped", BELOW): 2}
    assert why(b, a) == {("added", "dropped", BELOW): 2}


def test_of_a_raised_margin_and_another_score_the_score_is_the_reason(made: Made) -> None:
    a, b = made(), made("filters.margin.min=5", q1={"a": 9, "b": 6, "c": 1})
    # a>b: 9-6=3 < 5, and b was rescored; b>c: 6-1=5 stays, with other scores
    assert why(a, b) == {("removed", "score", BELOW): 1, ("changed", "score", None): 1}


def test_other_scores_change_flip_remove_and_add_pairs(made: Made) -> None:
    a, b = made(), made(q1={"a": 9, "b": 5, "c": 4}, q2={"a": 12, "b": 8}, q3={"a": 9, "b": 6})
    assert why(a, b) == {
        ("changed", "score", None): 1,  # q1 a>c, 8 -> 5
        ("removed", "score", BELOW): 1,  # q1 b>c, 4 -> 1
        ("flipped", "score", None): 1,  # q2 b>a (8 over 3) -> a>b (12 over 8)
        ("added", "score", BELOW): 1,  # q3 a>b, 1 -> 3
    }
    assert counts(a, b) == Counts(4, 4, unchanged=1, changed=1, flipped=1, removed=1, added=1)
    (flip,) = [row for row in rows(a, b) if row["change"] == "flipped"]
    shown = ("score_chosen_a", "score_rejected_a", "score_chosen_b", "score_rejected_b")
    assert [flip[name] for name in shown] == [8, 3, 8, 12]


def test_prompts_and_responses_come_and_go(made: Made) -> None:
    a, b = made(), made(q1={"a": 9, "b": 5, "d": 2}, q2=None, q4={"a": 1, "b": 12})
    assert why(a, b) == {
        ("removed", "response", None): 2,  # q1 a>c, b>c
        ("added", "response", None): 2,  # q1 a>d, b>d
        ("removed", "prompt", None): 1,  # q2 b>a
        ("added", "prompt", None): 1,  # q4 b>a
    }


def test_another_pairing_leaves_pairs_unpaired(made: Made) -> None:
    a, b = made(), made('pairings.all_pairs.kind="best_worst"')
    # best_worst has another name: q1 a>c and q2 b>a are paired by it
    assert why(a, b) == {("removed", "pairing", None): 2, ("changed", "pairing", None): 2}


def test_a_prompt_that_no_pairing_pairs_any_more_says_why(made: Made) -> None:
    correct_wrong = RECIPE.replace('"all_pairs"', '"correct_wrong"\ncorrect = 8\nwrong = 3')
    a, b = made(text=correct_wrong), made("pairings.correct_wrong.correct=9", text=correct_wrong)
    assert why(a, b) == {("removed", "pairing", "pairings.correct_wrong: none_correct"): 1}


LOW = """\
from typing import ClassVar

import polars as pl
from pipelines.filter import Filter, On

class Low(Filter):
    on: ClassVar[On] = "responses"

    def drops(self):
        return {"low": pl.col("score") < 4_000_000}
"""


def test_filters_on_responses_and_prompts_are_reasons_too(made: Made, tmp_path: Path) -> None:
    (tmp_path / "low.py").write_text(LOW)
    late = RECIPE + '\n[[filters]]\nkind = "./low.py"\n'
    cause = "filters.low: low"
    assert why(made(), made(text=late)) == {("removed", "dropped", cause): 3}  # q1 c, q2 a
    early = RECIPE + '\n[[filters]]\nkind = "licence"\nallow = ["mit"]\n'
    cause = "filters.licence: licence_missing"
    assert why(made(), made("gates.min_pairs=0", text=early)) == {("removed", "dropped", cause): 4}


def test_a_response_that_is_gone_is_not_laid_to_a_filter_of_answered_prompts(made: Made) -> None:
    late = RECIPE + '\n[[filters]]\nkind = "variance"\nmin = 100\n'
    a, b = made(), made("gates.min_pairs=0", text=late, q1={"a": 9, "b": 5})
    cause = next(cause for _, reason, cause in why(a, b) if reason == "dropped")
    assert cause is not None
    assert cause.startswith("filters.variance: ")
    assert why(a, b) == {("removed", "response", None): 2, ("removed", "dropped", cause): 2}


def test_a_selector_is_a_reason(made: Made) -> None:
    one = RECIPE + '\n[[selectors]]\nkind = "one_per_prompt"\n'
    cause = "selectors.one_per_prompt: another_pair_of_the_prompt"
    assert why(made(), made(text=one)) == {("removed", "dropped", cause): 2}


def test_other_splits_are_told(made: Made) -> None:
    a = made("publish.splits={train=1}")
    b = made("publish.splits={test=1}")
    assert why(a, b) == {("changed", "split", None): 4}
    assert recipe_changes(a, b) == [
        KeyChange("publish.splits.test", None, "1"),
        KeyChange("publish.splits.train", "1", None),
    ]


COMPARED = """\
name = "trial"

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[sources.votes]
kind = "jsonl"
path = "votes.jsonl"

[prompts]
source = "answers"
text = "question"

[[samplers]]
kind = "recorded"
source = "answers"
text = "text"
model = "model"
key = "id"

[[judges]]
kind = "recorded"
source = "votes"
response_a = "a"
response_b = "b"
verdict = "verdict"
key = "key"

[[pairings]]
kind = "compared"
"""


def test_verdicts_flip_tie_vanish_and_appear(tmp_path: Path) -> None:
    def build(votes: dict[str, str], name: str) -> Version:
        (tmp_path / "recipe.toml").write_text(COMPARED)
        answers = [
            {"id": f"{question}{model}", "question": question, "model": model,
             "text": f"{question} by {model}"}
            for question in ("q1", "q2", "q3", "q4", "q5") for model in "ab"
        ]  # fmt: skip
        verdicts = [
            {"a": f"{question}a", "b": f"{question}b", "verdict": verdict, "key": question}
            for question, verdict in votes.items()
        ]
        for file, table in (("answers", answers), ("votes", verdicts)):
            lines = "".join(json.dumps(row) + "\n" for row in table)
            (tmp_path / f"{file}.jsonl").write_text(lines)
        version = run(tmp_path)[0].version
        assert version is not None
        return version

    a = build({"q1": "a", "q2": "a", "q3": "a", "q4": "a"}, "a")
    b = build({"q1": "a", "q2": "b", "q3": "tie", "q5": "b"}, "b")
    assert counts(a, b) == Counts(4, 3, unchanged=1, changed=0, flipped=1, removed=2, added=1)
    assert why(a, b) == {
        ("flipped", "votes", None): 1,
        ("removed", "score", "pairings.compared: tie"): 1,
        ("removed", "comparison", None): 1,
        ("added", "comparison", None): 1,
    }


def test_two_datasets_are_compared_by_content(made: Made) -> None:
    a = made()
    b = made("name=other", "filters.margin.min=5")
    assert why(a, b) == {("removed", "dropped", BELOW): 2}


def test_zeroeval_with_another_filter(tmp_path: Path, shared_data: Path) -> None:
    """Of 17,998 pairs those stay whose chosen answer is at most 1.5 times as long, or so."""
    path = Path(__file__).parents[3] / "flows" / "recipes" / "acceptance" / "zeroeval.toml"
    a = run_build(read_recipe(path), tmp_path).version
    ratio = 'filters=[{kind="length_ratio",max=1.5}]'
    b = run_build(read_recipe(path, [ratio]), tmp_path).version
    assert a is not None
    assert b is not None
    found = counts(a, b)
    assert (found.kept_a, found.kept_b) == (17_998, b.manifest.rows("pairs"))
    (step,) = [step for step in b.manifest.counts if step.level == "pairs"]
    assert 0 < step.dropped == found.removed < 17_998
    assert (found.changed, found.flipped, found.added) == (0, 0, 0)
    assert {(change, reason) for change, reason, _ in why(a, b)} == {("removed", "dropped")}
    assert {cause for *_, cause in why(a, b)} == {
        f"filters.length_ratio: {reason}" for reason in step.reasons
    }


# Random versions


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """The tables of a version: its pairs have what they name, and no drop names a pair."""
    prompts = draw(st.sets(st.sampled_from("pq"), min_size=0))
    responses = [
        {
            "response_id": f"{prompt}{one}",
            "prompt_id": prompt,
            "score": draw(st.sampled_from((1.0, 2.0, None))),
        }
        for prompt in sorted(prompts)
        for one in sorted(draw(st.sets(st.integers(0, 2))))
    ]
    ordered = [
        (one["prompt_id"], one["response_id"], two["response_id"])
        for one in responses for two in responses
        if one is not two and one["prompt_id"] == two["prompt_id"]
    ]  # fmt: skip
    pairs, drops = {}, []
    for prompt, chosen, rejected in (
        draw(st.lists(st.sampled_from(ordered), max_size=8)) if ordered else ()
    ):
        pairing, comparison = draw(st.sampled_from("xy")), draw(st.sampled_from((None, "c")))
        pair_id = f"{pairing} {chosen} {rejected} {comparison}"
        pairs[pair_id] = {
            "pair_id": pair_id, "prompt_id": prompt, "chosen_response_id": chosen,
            "rejected_response_id": rejected, "pairing": pairing, "comparison_id": comparison,
            "score_margin": draw(st.sampled_from((1.0, 2.0))), "n_votes": draw(st.integers(0, 1)),
        }  # fmt: skip
    for level, ids in (("prompts", "pq"), ("responses", ("p0", "q1")), ("comparisons", "c")):
        for id_ in draw(st.sets(st.sampled_from(ids))):
            step = draw(st.sampled_from(("filters.f", "filters.g", "pairings.x")))
            drops.append({"level": level, "id": id_, "step": step, "reason": "so"})
    for _, chosen, rejected in draw(st.sets(st.sampled_from(ordered))) if ordered else ():
        drops.append({"level": "pairs", "id": f"{chosen} {rejected}", "step": "selectors.s",
                      "reason": "so", "chosen_response_id": chosen,
                      "rejected_response_id": rejected})  # fmt: skip
    judgments = [
        {"judgment_id": "j", "comparison_id": "c", "judge": judge, "verdict": verdict}
        for judge in draw(st.sets(st.sampled_from("uv")))
        for verdict in [draw(st.sampled_from("ab"))]
    ]
    return {
        "pairs": list(pairs.values()), "prompts": [{"prompt_id": one} for one in sorted(prompts)],
        "responses": responses, "judgments": judgments, "drops": drops,
    }  # fmt: skip


def written(folder: Path, number: int, content: dict[str, list[dict[str, Any]]]) -> Version:
    files = {}
    for table, table_rows in content.items():
        path = folder / f"v{number:04d}" / table / "part-00000-of-00001.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(table_rows, PUBLISHED[table]), path)
        name = path.relative_to(folder / f"v{number:04d}").as_posix()
        files[name] = FileInfo(sha256="0" * 64, bytes=0, rows=len(table_rows))
    manifest = Manifest(
        name="toy", recipe_fingerprint="", content_digest="", seed=0, files=files,
        schema_hashes={}, code_version="0",
    )  # fmt: skip
    return Version("toy", number, folder.resolve() / f"v{number:04d}", manifest)


def multiset(pairs: Iterable[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((one["chosen_response_id"], one["rejected_response_id"]) for one in pairs)


@settings(max_examples=25)
@given(one=tables(), two=tables())
def test_a_diff_balances_mirrors_and_gives_each_pair_one_reason(
    one: dict[str, list[dict[str, Any]]], two: dict[str, list[dict[str, Any]]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        a, b = written(Path(name), 1, one), written(Path(name), 2, two)
        with compare(a, b) as found:
            there, reasons = found.counts, found.reasons
            changes = found.rows().read_all().to_pylist()
        with compare(b, a) as found:
            back, mirrored = found.counts, found.reasons
    assert (there.kept_a, there.kept_b) == (len(one["pairs"]), len(two["pairs"]))
    assert there.kept_a - there.removed + there.added == there.kept_b
    same = sum((multiset(one["pairs"]) & multiset(two["pairs"])).values())
    assert there.unchanged + there.changed == same
    left = multiset(one["pairs"]) - multiset(two["pairs"])
    came = multiset(two["pairs"]) - multiset(one["pairs"])
    swapped = Counter({(rejected, chosen): n for (chosen, rejected), n in came.items()})
    assert there.flipped == sum((left & swapped).values())

    assert back == Counts(
        there.kept_b, there.kept_a, there.unchanged, there.changed, there.flipped,
        removed=there.added, added=there.removed,
    )  # fmt: skip
    opposite = {"removed": "added", "added": "removed"}
    assert {(opposite.get(n.change, n.change), n.reason, n.cause, n.pairs) for n in mirrored} == {
        (n.change, n.reason, n.cause, n.pairs) for n in reasons
    }

    for change, side, n in (("removed", "a", there.removed), ("added", "b", there.added)):
        ids = [row[f"pair_id_{side}"] for row in changes if row["change"] == change]
        assert len(set(ids)) == len(ids) == n
    assert None not in {row["reason"] for row in changes}


@settings(max_examples=8)
@given(one=tables())
def test_the_diff_of_any_version_with_itself_is_empty(
    one: dict[str, list[dict[str, Any]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        a = written(Path(name), 1, one)
        assert counts(a, a).unchanged == len(one["pairs"])
        assert why(a, a) == {}
