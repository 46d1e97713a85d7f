"""A small recorded set: 24 prompts, a long and a short answer each, three judges of both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.judging.figure_cells import share_row
from pipelines.bias.figure import Figure

RECIPE = """\
name = "judged"

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[sources.scores]
kind = "jsonl"
path = "scores.jsonl"

[[prompts]]
source = "answers"
text = "prompt"
key = "prompt"

[[samplers]]
kind = "recorded"
source = "answers"
prompt = "prompt"
text = "text"
model = "model"
key = ["prompt", "model"]

[[judges]]
kind = "recorded"
name = "recorded"
source = "scores"
response = ["prompt", "model"]
judged_by = "judge"
score = "score"

[score]
judges = ["gpt_judge"]

[[pairings]]
kind = "best_worst"
"""

PROMPTS = 24
Report = Callable[..., str]


def rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The long answer is the llama's; gpt_judge always prefers it, the human finds both as good."""
    answers, scores = [], []
    for number in range(PROMPTS):
        prompt, even = f"Question {number}?", number % 2
        texts = {"llama-3": "word " * 40 + str(number), "gpt-4o": f"word {number}"}
        said = {"gpt_judge": (7 + even, 3), "human": (8 - even, 7 + even), "lazy": (8, 8)}
        for model, text in texts.items():
            answers.append({"prompt": prompt, "model": model, "text": text})
            for judge, (of_long, of_short) in said.items():
                score: int | None = of_long if model == "llama-3" else of_short
                score = None if judge == "lazy" and number < 3 else score
                scores.append({"prompt": prompt, "model": model, "judge": judge, "score": score})
    return answers, scores


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    for name, table in zip(("answers", "scores"), rows(), strict=True):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    (folder / "judged.toml").write_text(RECIPE)
    assert main(["build", str(folder / "judged.toml"), "--store", str(folder / "store")]) == 0
    return folder / "store"


@pytest.fixture
def report(store: Path, capsys: pytest.CaptureFixture[str]) -> Report:
    """What the command prints."""

    def printed(*words: str) -> str:
        capsys.readouterr()
        assert main(["judge", "report", "judged", *words, "--store", str(store)]) == 0
        return capsys.readouterr().out

    return printed


def test_the_page_has_a_section_for_each_judge_and_says_who_is_alarming(report: Report) -> None:
    head, *sections = report().split("\n\n")
    assert head == (
        "judged@v0001: 3 judges of 48 answers to 24 prompts\n"
        "alarming (!): gpt_judge 1, lazy 1, Two judges, the same duels 2\n"
        "perhaps (?): lazy 2, Two judges, the same duels 1"
    )
    assert [one.split("\n")[0] for one in sections] == [
        "gpt_judge",
        "human",
        "lazy",
        "Two judges, the same duels",
    ]


def test_every_alarm_names_its_bound_and_what_the_reference_finds(report: Report) -> None:
    page = " ".join(report().split())
    assert "! The longer answer wins 100.0% of the duels that it decides, more than 65%." in page
    assert "With human it wins 50.0%." in page
    assert (
        "? 12.5% of its judgments cannot be read, more than 5%, though so few prompts say so"
        in page
    )
    assert "The commonest reason: score: nothing." in page
    assert "! It says 8 in 100% of its judgments, more than 90%. It hardly tells answers" in page
    assert "Do not train on what gpt_judge says." in page


def test_a_judge_is_shown_beside_the_reference(report: Report) -> None:
    assert report("--judge", "lazy").startswith("judged@v0001: 2 judges of ")
    page = report("--judge", "lazy", "--reference", "gpt_judge")
    assert "\ngpt_judge\n" in page
    assert "human" not in page


def test_json_has_every_figure_by_name(report: Report) -> None:
    found = json.loads(report("--format", "json"))
    mine = found["judges"][0]
    assert mine["judge"] == "gpt_judge"
    assert mine["length"]["longer_wins"]["value"] == 1.0
    assert mine["length"]["longer_wins"]["n"] == PROMPTS
    assert mine["position"] == {"flip_rate": None, "a_rate": None}
    assert mine["self_preference"]["family"] == "gpt"
    assert mine["self_preference"]["win_rate"]["value"] == 0.0
    assert [alarm["sure"] for alarm in mine["alarms"]] == [True]
    assert [alarm["sure"] for alarm in found["alarms"]] == [False, True, True]
    assert {(one["one"], one["other"]) for one in found["agreements"]} == {
        ("gpt_judge", "human"),
        ("gpt_judge", "lazy"),
        ("human", "lazy"),
    }


def test_a_family_can_be_declared(report: Report) -> None:
    found = json.loads(report("--format", "json", "--family", "gpt_judge=llama"))
    own = found["judges"][0]["self_preference"]
    assert (own["family"], own["win_rate"]["value"]) == ("llama", 1.0)
    # the human and the lazy judge: 1, 0, 1 without the lazy one, then 11 times 1/4, 10 times 3/4
    assert own["beyond_others"]["value"] == pytest.approx(1 - 12.25 / 24)


def test_markdown_has_the_same_tables(report: Report) -> None:
    page = report("--format", "markdown")
    assert page.startswith("# judged@v0001: ")
    assert "\n## gpt_judge\n" in page
    assert "| longer wins | 100.0% | 86.2 to 100.0 % | 24 duels |" in page


@pytest.mark.parametrize(("n", "of"), [(1, "1 duel of 1 prompt"), (1200, "1,200 duels")])
def test_one_is_counted_as_one_and_few_prompts_are_named(n: int, of: str) -> None:
    row = share_row("ties", Figure(0.5, n, None, n), "duels", "")
    assert row is not None
    assert row[3] == of


def test_an_unknown_judge_is_answered_with_those_there_are(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["judge", "report", "judged", "--judge", "gpt", "--store", str(store)]
    assert main(words) == 2
    assert "gpt_judge" in capsys.readouterr().err


def test_a_family_without_a_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["judge", "report", "judged", "--family", "gpt"])
    assert "NAME=FAMILY is wanted" in capsys.readouterr().err


def test_the_main_figures_are_in_the_manifest_the_card_and_on_the_page(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = store / "datasets" / "judged" / "v0001"
    notes = json.loads((folder / "manifest.json").read_text())["judges"]
    assert notes["gpt_judge"]["notes"] == {"longer_wins": 1.0, "same_order": 0.5}
    assert notes["lazy"]["notes"] == {}
    assert "agrees with others: 50.0%, longer wins: 100.0%" in (folder / "README.md").read_text()
    assert main(["show", "judged", "--store", str(store)]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "judge longer wins agrees with others gpt_judge 100.0% 50.0% human" in page


def test_control_of_length_turns_the_pairs_round_and_publishes_its_slope(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = str(store.parent / "judged.toml")
    other = str(store.parent / "other")
    words = ["build", recipe, "--set", 'score.control="length"', "--store", other]
    assert main(words) == 0
    folder = Path(other) / "datasets" / "judged" / "v0001"
    notes = json.loads((folder / "manifest.json").read_text())["judges"]["gpt_judge"]["notes"]
    # 4 or 5 points for a text of 201 or 202 characters in the place of one of 6 or 7
    assert notes["length_slope"] == pytest.approx(4.5 / 4.97, abs=0.02)
    assert main(["show", "judged", "--store", other]) == 0
    page = capsys.readouterr().out
    assert "length_slope" in page
