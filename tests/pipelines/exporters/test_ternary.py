from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.querying.safe_sql import run_sql
from schemas.rows import Drop, Judgment, Message
from tests.exports import TOOLS, call, exported, parquet_rows, tool_pairs, version_of
from tests.pipelines.versions import Content, make_content, publish


def with_ties(folder: Path, prompts: int = 100, change=lambda content: None) -> Version:
    """Pairs of three answers A, B, C with the scores 3, 2, 1; D has 3 as well."""
    content = make_content(prompts)
    best = [one for one in content.responses if one.sample_index == 0]
    content.responses += [
        replace(one, response_id=f"{one.response_id}-d", text=f"D to {one.prompt_id}")
        for one in best
    ]
    change(content)
    return publish(Store(folder / "store"), "toy", content)[0]


def grades(row: dict) -> set[str]:
    return {row[side][0]["content"].split()[0] for side in ("chosen", "rejected")}


def test_answers_with_equal_scores_are_ties_and_pairs_are_none(tmp_path: Path) -> None:
    exported(with_ties(tmp_path), "ternary", tmp_path / "out", share=Decimal("0.3"))
    rows = parquet_rows(tmp_path / "out")
    assert {row["is_tie"]: grades(row) for row in rows} == {True: {"A", "D"}, False: {"A", "C"}}
    assert rows[0]["prompt"][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize("share", ["0", "0.1", "0.2", "0.3", "0.5", "0.9"])
def test_the_share_of_ties_is_the_wanted_one_at_most(tmp_path: Path, share: str) -> None:
    made = exported(with_ties(tmp_path), "ternary", tmp_path / "out", share=Decimal(share))
    for one in made.values():
        ties, rows = one.written.notes["ties"], one.written.rows
        assert rows == one.pairs + ties
        assert ties <= Decimal(share) * rows
        more = ties + 1
        assert ties == one.written.notes["ties_found"] or more > Decimal(share) * (one.pairs + more)


def test_ties_stand_at_even_distances_among_pairs_in_their_order(tmp_path: Path) -> None:
    version = with_ties(tmp_path)
    exported(version, "ternary", tmp_path / "out")
    exported(version, "trl", tmp_path / "trl")
    rows = parquet_rows(tmp_path / "out", "train")
    pairs = [{k: v for k, v in row.items() if k != "is_tie"} for row in rows if not row["is_tie"]]
    assert pairs == parquet_rows(tmp_path / "trl", "train")
    places = [place for place, row in enumerate(rows) if row["is_tie"]]
    steps = {after - before for before, after in pairwise(places)}
    assert steps <= {4, 5, 6}


def test_which_ties_are_drawn_depends_on_no_order(tmp_path: Path) -> None:
    def backwards(content: Content) -> None:
        content.responses.reverse()
        content.prompts.reverse()

    for name, change in (("one", lambda content: None), ("two", backwards)):
        exported(with_ties(tmp_path / name, 40, change), "ternary", tmp_path / name / "out")
    assert parquet_rows(tmp_path / "one" / "out") == parquet_rows(tmp_path / "two" / "out")


@pytest.mark.parametrize("decided", ["comparisons", "scores", None])
def test_ties_of_comparisons_are_those_that_were_dropped_as_such(
    tmp_path: Path, decided: str | None
) -> None:
    def compare(content: Content) -> None:
        for number, row in enumerate(content.pairs):
            row["comparison_id"] = f"other {number}"  # by default the pairs' own kind of ties
        first = content.prompts[0].prompt_id
        own = [one.response_id for one in content.responses if one.prompt_id == first]
        for name, reason, (a, b) in (("c1", "tie", own[1:3]), ("c2", "unread", own[:2])):
            content.judgments += [
                Judgment(f"{name}{order}", first, "arena", "arena-id", None, comparison_id=name,
                         response_a_id=a, response_b_id=b, order=order, verdict="tie")
                for order in ("AB", "BA")
            ]  # fmt: skip
            content.drops.append(Drop("comparisons", name, first, "pairings.compared", reason))

    version = with_ties(tmp_path, 60, compare)
    given = {} if decided is None else {"decided_by": decided}
    made = exported(version, "ternary", tmp_path / "out", **given)
    ties = [row for row in parquet_rows(tmp_path / "out") if row["is_tie"]]
    if decided == "scores":
        assert {frozenset(grades(tie)) for tie in ties} == {frozenset({"A", "D"})}
    else:
        assert sum(one.written.notes["ties_found"] for one in made.values()) == 1
        assert [grades(tie) for tie in ties] == [{"B", "C"}]


def test_prompts_that_a_filter_dropped_have_no_ties(tmp_path: Path) -> None:
    def drop(content: Content) -> None:
        gone = [one.prompt_id for one in content.prompts]
        content.drops += [Drop("prompts", one, one, "filters.variance", "x") for one in gone[::2]]
        content.drops += [Drop("prompts", one, one, "pairings.b", "all_tied") for one in gone[1::2]]
        content.pairs = [one for one in content.pairs if one["prompt_id"] == gone[1]]
        content.dropped_pairs, kept = [], {one["pair_id"] for one in content.pairs}
        content.drops = [one for one in content.drops if one.level != "pairs" or one.id in kept]

    version = with_ties(tmp_path, 6, drop)
    with run_sql(version_store(version), "SELECT count(*) AS n FROM ties") as rows:
        assert rows.read_all().to_pylist() == [{"n": 3}]


def version_store(version: Version) -> Store:
    return Store(version.folder.parents[2])


def test_ties_of_a_set_with_tools_have_the_form_of_its_pairs(tmp_path: Path) -> None:
    def answer(city: str) -> Message:
        return replace(call(f'{{"city": "{city}"}}'), content=f"Look at {city}.")

    pairs = [
        pair | {"chosen": answer("Rome"), "rejected": answer(city)}
        for pair in tool_pairs(60)
        for city in ("Paris", "Oslo")
    ]
    exported(version_of(tmp_path, pairs), "ternary", tmp_path / "out")
    rows = parquet_rows(tmp_path / "out")
    ties = [row for row in rows if row["is_tie"]]
    assert ties
    for row in rows:
        calls = [row[side][0]["tool_calls"][0]["function"]["arguments"]
                 for side in ("chosen", "rejected")]  # fmt: skip
        cities = {call.split('"')[3] for call in calls}
        assert ("Rome" in cities) is not row["is_tie"]
        assert row["tools"] == TOOLS
        assert row["prompt"] == ordered(rows)[row["prompt"][1]["content"]]


def ordered(rows: list[dict]) -> dict[str, list[dict]]:
    """The prompts as pairs have them, by what they ask."""
    return {row["prompt"][1]["content"]: row["prompt"] for row in rows if not row["is_tie"]}


def test_a_tie_that_uses_tools_does_not_fit_among_plain_pairs(tmp_path: Path) -> None:
    def call_tools(content: Content) -> None:
        content.responses = [
            replace(one, tool_calls=call("{}").tool_calls) if one.text.startswith("D") else one
            for one in content.responses
        ]

    version = with_ties(tmp_path, 60, call_tools)
    made = exported(version, "ternary", tmp_path / "out")
    assert sum(one.written.notes["ties_found"] for one in made.values()) == 0
