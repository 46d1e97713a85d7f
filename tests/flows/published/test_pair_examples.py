from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.published.pair_examples import PairExamples, Verdict
from flows.texts.pair import in_brief, in_full
from pipelines.errors import StoreError
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from tests.builds import OVER_HTTP, published, run, write_questions, write_recipe
from tools.chat_server import ChatServer

MakeVersion = Callable[..., Version]


def said(role: str, text: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


def pair(id_: str, margin: float | None, **columns: Any) -> dict[str, Any]:
    return {
        "pair_id": id_,
        "prompt_id": "p",
        "prompt": said("user", f"question {id_}"),
        "chosen": said("assistant", f"good {id_}"),
        "rejected": said("assistant", f"bad {id_}"),
        "chosen_response_id": f"{id_}+",
        "rejected_response_id": f"{id_}-",
        "score_margin": margin,
        **columns,
    }


def spread(version: Version, wanted: int) -> list[str]:
    return [one.pair_id for one in PairExamples(version).spread(wanted)]


def test_examples_are_the_middles_of_equal_shares_by_margin(make_version: MakeVersion) -> None:
    margins = [9.0, 1.0, 5.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0]
    version = make_version([pair(f"m{margin:g}", margin) for margin in margins])
    assert spread(version, 3) == ["m2", "m5", "m8"]
    assert spread(version, 1) == ["m5"]
    assert spread(version, 0) == []


def test_of_equal_margins_the_smallest_ids_come_and_missing_ones_last(
    make_version: MakeVersion,
) -> None:
    version = make_version([pair(id_, None if id_ < "c" else 1.0) for id_ in "bdca"])
    assert spread(version, 4) == ["c", "d", "a", "b"]
    assert spread(version, 9) == ["c", "d", "a", "b"]
    assert spread(version, 2) == ["c", "d"]


def test_a_pair_is_found_by_the_beginning_of_its_id(make_version: MakeVersion) -> None:
    examples = PairExamples(make_version([pair("abc1", 1.0), pair("abd2", 1.0)]))
    found, reasons = examples.find("abc")
    assert (found.pair_id, reasons) == ("abc1", [])
    with pytest.raises(StoreError, match='several pairs begin with "ab", as abc1'):
        examples.find("ab")
    with pytest.raises(StoreError, match='toy@v0001: no pair "zz"; `pairwright sql'):
        examples.find("zz")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, list[dict[str, Any]]]:
    """A version with judged pairs, some of them dropped for a small margin."""
    folder = tmp_path_factory.mktemp("judged")
    write_questions(folder, range(12))
    with ChatServer() as server:
        write_recipe(folder, OVER_HTTP.format(url=server.url))
        outcome, _ = run(folder, "filters.margin.min=6")
    drops = [row for row in published(outcome, "drops") if row["level"] == "pairs"]
    return Store(folder / "store").resolve("trial"), drops


def test_a_dropped_pair_has_its_texts_scores_and_reasons(
    built: tuple[Version, list[dict[str, Any]]],
) -> None:
    version, drops = built
    found, reasons = PairExamples(version).find(drops[0]["id"])
    assert reasons == ["filters.margin: margin_too_small"]
    assert found.prompt[-1]["content"].startswith("How much is ")
    assert found.score_chosen == drops[0]["score_chosen"]
    assert found.chosen[0]["content"] != found.rejected[0]["content"]


def test_the_judgments_of_both_sides_belong_to_a_pair(
    built: tuple[Version, list[dict[str, Any]]],
) -> None:
    examples = PairExamples(built[0])
    (found,) = examples.spread(1)
    verdicts = examples.verdicts(found)
    assert [(one.of, one.said) for one in verdicts] == [
        ("chosen", f"{found.score_chosen:g}"),
        ("rejected", f"{found.score_rejected:g}"),
    ]
    assert all("Rating" in one.why for one in verdicts)


def test_votes_on_a_comparison_are_told_as_chosen_and_rejected(
    shared_data: Path, tmp_path: Path
) -> None:
    from flows.cli import main

    for name in ("vicuna80", "pandalm"):
        assert main(["build", f"acceptance/{name}", "--store", str(tmp_path)]) == 0
    scored = PairExamples(Store(tmp_path).resolve("vicuna80"))
    for found in scored.spread(5):
        scores = f"{found.score_chosen:g} : {found.score_rejected:g}"
        assert scores in [one.said for one in scored.verdicts(found)]
    voted = PairExamples(Store(tmp_path).resolve("pandalm"))
    for found in voted.spread(5):
        votes = [one.said for one in voted.verdicts(found) if one.judge == "human"]
        assert len(votes) == 3
        assert votes.count("chosen") > votes.count("rejected")


LONG = " ".join(f"word{number}" for number in range(200))


@pytest.mark.parametrize("width", [40, 80])
def test_in_brief_long_texts_show_their_beginning_and_end_and_no_line_is_wrapped(
    make_version: MakeVersion, width: int
) -> None:
    long = pair("a" * 32, 2.0, score_chosen=8.0, score_rejected=6.0, chosen_model="m" * 90)
    texts = {"prompt": said("user", "Why?"), "chosen": said("assistant", LONG)}
    version = make_version([long | texts | {"rejected": said("assistant", "So.")}])
    lines = in_brief(PairExamples(version).spread(1)[0], width).splitlines()
    assert lines[0].startswith("aaaaaaaaaaaa  8 > 6, margin 2, mmm")
    assert lines[1] == "  prompt    Why?"
    assert all(len(line) <= width for line in lines)
    assert "  chosen    word0 word1 " in lines[2]
    assert lines[4].endswith("word199")
    assert len(lines) == 1 + 1 + 3 + 1


def test_in_full_texts_keep_their_lines_and_lose_what_commands_a_terminal(
    make_version: MakeVersion,
) -> None:
    chat = [*said("system", "Be brief."), *said("user", "Why?\n\x1b[2JSo?")]
    version = make_version([pair("a" * 32, 2.0) | {"prompt": chat}])
    page = in_full(
        PairExamples(version).spread(1)[0],
        ["filters.f: short"],
        [Verdict("rating", "chosen", "8", "because " * 40)],
        70,
    )
    assert "=== prompt ===\n[system]\nBe brief.\n\n[user]\nWhy?\n[2JSo?\n\n=== chosen ===" in page
    assert "\ndropped   filters.f: short\n" in page
    assert page.splitlines()[-1] == f"rating  chosen     8  {'because ' * 5}because…"
