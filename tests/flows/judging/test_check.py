"""`pairwright judge check` and the gate that it serves, from the command line to the store."""

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.options.shipped_recipes import find_recipe
from pipelines.publishing.store import Store
from pipelines.publishing.versions import read_manifest
from pipelines.shipped import shipped
from tests.builds import OVER_HTTP, write_questions, write_recipe
from tools.chat_server import ChatServer

QUICK = "quickstart", "--set", "limit=20"
"""The shipped recipe, on a few prompts."""

SHUFFLED = '''
from pipelines.judge import Judge
from schemas.canonical import draw_unit
from schemas.rows import Judgment, judgment_id


class Shuffled(Judge):
    """Gives each response the score of another."""

    async def judge(self, unit, responses):
        """Scores that have nothing to do with the text."""
        return [
            Judgment(
                judgment_id=judgment_id(
                    target=one.response_id, judge_identity="shuffled", judge=self.name,
                    order=None, annotator=None, index=None,
                ),
                prompt_id=one.prompt_id,
                judge=self.name,
                judge_identity="shuffled",
                response_id=one.response_id,
                score=draw_unit("shuffled", one.response_id),
            )
            for one in responses
        ]
'''

GATE = 'gates.judge_accuracy=">= 0.8"'

Pairwright = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pairwright(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> Pairwright:
    """Runs a command in the test's folder, on a store there."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--store", "store"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


def labelled(path: Path, count: int) -> None:
    """Labelled pairs about questions of the recipe over HTTP."""
    rows = [
        {"prompt": f"How much is {n} and 1?", "chosen": f"{n + 1}", "rejected": f"{n + 2}"}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def refused(folder: Path) -> list[Path]:
    """The builds that a gate stopped, oldest first."""
    return sorted((folder / "store" / "refused").glob("*/*"))


def figures(printed: str) -> dict[str, Any]:
    (one,) = json.loads(printed)
    return {name: figure["value"] for name, figure in one["figures"].items()}


def test_the_shipped_labels_show_a_good_judge(pairwright: Pairwright, tmp_path: Path):
    code, printed, _ = pairwright("judge", "check", "quickstart", "--on", "sums")
    assert code == 0
    assert "judge likelihood: 300 labelled pairs of 300 prompts" in printed
    assert "3 steps" in printed
    code, again, _ = pairwright("judge", "check", "quickstart", "--on", "sums", "--format", "json")
    found = figures(again)
    assert found["accuracy"] > 0.85
    assert found["ece_scaled"] < found["ece"]
    assert found["read"] == 1
    (file,) = (tmp_path / "store" / "calibrations").rglob("*.json")
    assert json.loads(again)[0]["file"] == str(file)


def test_a_gate_lets_a_checked_judge_pass_and_says_so_in_the_version(
    pairwright: Pairwright, tmp_path: Path
):
    assert pairwright("judge", "check", "quickstart", "--on", "sums")[0] == 0
    code, printed, _ = pairwright("build", *QUICK, "--set", GATE)
    assert (code, "published quickstart@v0001" in printed) == (0, True)
    version = Store(tmp_path / "store").resolve("quickstart")
    judge = version.manifest.judges["likelihood"]
    (check,) = judge.checks
    assert (check.pairs, check.name) == (300, "sums.jsonl")
    assert judge.checked_as == next((tmp_path / "store" / "calibrations").iterdir()).name
    assert version.manifest.judges["verifier"].checks == ()
    accuracy = f"300 | {check.accuracy:.3f} | {check.lower_bound:.3f} |"
    card = (version.folder / "README.md").read_text()
    assert f"| likelihood | sums.jsonl `{check.labels[:12]}` | {accuracy}" in card
    shown = pairwright("show", "quickstart", "--examples", "0")[1]
    line = next(one for one in shown.splitlines() if one.startswith("likelihood  sums.jsonl"))
    assert line.split()[2:] == [check.labels[:12], *accuracy.replace("|", "").split()]


@pytest.mark.parametrize(("least", "word"), [("0.8", "passes"), ("0.95", "FAILS")])
def test_a_check_ends_with_what_the_gate_makes_of_it(pairwright: Pairwright, least: str, word: str):
    check = "judge", "check", "quickstart", "--on", "sums"
    code, printed, _ = pairwright(*check, "--set", f'gates.judge_accuracy=">= {least}"')
    assert code == 0
    assert printed.splitlines()[-1].startswith(f"{word} judge_accuracy >= {least}")
    assert pairwright(*check)[1].splitlines()[-1].startswith("kept in ")


def test_an_unchecked_judge_that_costs_nothing_is_stopped_with_all_its_evidence(
    pairwright: Pairwright, tmp_path: Path
):
    code, printed, _ = pairwright("build", *QUICK, "--set", GATE)
    assert code == 3
    assert "judge likelihood: was never checked" in printed
    (place,) = refused(tmp_path)
    assert "pairwright judge check" in (place / "reasons.txt").read_text()
    manifest = read_manifest(place / "manifest.json")
    assert manifest.rows("judgments") > 0
    assert Store(tmp_path / "store").names() == []


def test_a_plan_tells_what_a_gate_will_refuse(pairwright: Pairwright):
    code, printed, _ = pairwright("plan", *QUICK, "--set", GATE)
    assert (code, "a gate will refuse the build: judge likelihood" in printed) == (0, True)


def test_a_check_is_shown_with_a_version_that_was_there_before_it(pairwright: Pairwright):
    pairwright("build", *QUICK)
    assert "sums.jsonl" not in pairwright("show", "quickstart")[1]
    pairwright("judge", "check", "quickstart", "--on", "sums", "--sample", "20")
    assert "sums.jsonl" in pairwright("show", "quickstart")[1]


def test_a_shuffled_judge_is_stopped(pairwright: Pairwright, tmp_path: Path):
    recipe = find_recipe("quickstart").read_text()
    (tmp_path / "shuffled.py").write_text(SHUFFLED)
    (tmp_path / "own.toml").write_text(
        recipe.replace('name = "quickstart"', 'name = "own"')
        .replace('kind = "likelihood"', 'kind = "./shuffled.py"\nname = "likelihood"\n#')
        .replace('model = "teacher"\n\n[[judges]]', "[[judges]]")
        .replace("min = 2", "min = 0").replace("min = -2", "min = 0")
    )  # fmt: skip
    code, printed, _ = pairwright("judge", "check", "own.toml", "--on", "sums", "--format", "json")
    assert code == 0
    assert 0.4 < figures(printed)["accuracy"] < 0.6
    code, printed, _ = pairwright("build", "own.toml", "--set", "limit=20", "--set", GATE)
    assert code == 3
    assert "is below gates.judge_accuracy >= 0.8" in printed
    assert refused(tmp_path)


def test_a_few_labels_are_no_check(pairwright: Pairwright):
    code, printed, _ = pairwright("judge", "check", "quickstart", "--on", "sums", "--sample", "99")
    assert (code, "fewer than 100 pairs" in printed) == (0, True)
    code, printed, _ = pairwright("build", *QUICK, "--set", GATE)
    assert (code, "checked on 99 labelled pairs" in printed) == (3, True)


def test_labelled_prompts_are_kept_out_of_the_build(pairwright: Pairwright, tmp_path: Path):
    pairwright("judge", "check", "quickstart", "--on", "sums")
    held_out = "--set", "sources.problems.dataset=sums_held_out"
    code, printed, _ = pairwright("build", *QUICK, *held_out, "--set", GATE)
    version = Store(tmp_path / "store").resolve("quickstart")
    (step,) = [one for one in version.manifest.counts if "labelled" in one.reasons]
    assert (step.step, step.level, step.in_) == ("early filters", "prompts", 20)
    assert step.reasons["labelled"] == 20 - step.kept > 0
    (labels,) = version.manifest.judges["likelihood"].checks
    code, printed, _ = pairwright("drops", "quickstart")
    assert (code, "labelled" in printed) == (0, True)
    query = "SELECT DISTINCT step, reason, detail FROM drops WHERE reason = 'labelled'"
    code, printed, _ = pairwright("sql", "--dataset", "quickstart", query, "--format", "csv")
    row = f"gates.judge_accuracy,labelled,labels {labels.labels[:12]}"
    assert printed.splitlines()[1:] == [row]
    # without the gate they are in
    pairwright("build", *QUICK, *held_out)
    assert not any(
        "labelled" in one.reasons
        for one in Store(tmp_path / "store").resolve("quickstart").manifest.counts
    )
    # now all is paid, and an ablation still keeps them out where the gate does
    code, printed, _ = pairwright("ablate", *QUICK, *held_out, "--set", GATE, "--format", "json")
    ablation = json.loads(printed)
    assert (code, ablation["prompts"], ablation["owed"]) == (0, step.kept, 0)
    cumulated = [row["pairs"] for row in ablation["rows"] if row["group"] == "cumulated"]
    assert cumulated[-1] == version.manifest.rows("pairs")


def test_a_paid_judge_is_refused_before_its_first_call(
    pairwright: Pairwright, tmp_path: Path, server: ChatServer
):
    write_questions(tmp_path, range(5))
    path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    code, printed, _ = pairwright("build", str(path), "--set", 'gates.judge_accuracy=">= 0.7"')
    assert code == 3
    change = """--set 'gates.judge_accuracy=">= 0.7"'"""
    command = f"pairwright judge check {path} --on LABELLED {change} --store store --judge rating"
    assert command in printed
    assert server.stats()["requests"] == 0
    (place,) = refused(tmp_path)
    assert sorted(file.name for file in place.iterdir()) == [
        "manifest.json",
        "reasons.txt",
        "recipe.toml",
    ]
    assert command in (place / "reasons.txt").read_text()

    labelled(tmp_path / "LABELLED.jsonl", 120)
    _, *check = shlex.split(command.replace("LABELLED", "LABELLED.jsonl"))
    check = [word for word in check if word not in ("--store", "store")]
    code, printed, _ = pairwright(*check)
    assert code == 0
    assert server.stats()["requests"] == 240
    # it judges by chance, so the gate still refuses it, and pays nothing for that
    code, printed, _ = pairwright("build", str(path), "--set", 'gates.judge_accuracy=">= 0.7"')
    assert (code, "is below gates.judge_accuracy" in printed) == (3, True)
    assert server.stats()["requests"] == 240


def test_a_paid_judge_that_passes_may_pay(pairwright, tmp_path: Path, server: ChatServer):
    write_questions(tmp_path, range(130, 135))
    path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    labelled(tmp_path / "x.jsonl", 120)
    pairwright("judge", "check", str(path), "--on", "x.jsonl")
    code, _, _ = pairwright("build", str(path), "--set", 'gates.judge_accuracy=">= 0.2"')
    assert code == 0
    assert server.stats()["requests"] > 240
    assert server.stats()["paid_twice"] == 0


def test_a_check_whose_calls_are_owed_keeps_nothing_and_goes_on(
    pairwright: Pairwright, tmp_path: Path, server: ChatServer
):
    write_questions(tmp_path, range(2))
    path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    labelled(tmp_path / "x.jsonl", 10)
    check = "judge", "check", str(path), "--on", "x.jsonl"
    code, printed, said = pairwright(*check, "--set", "budget.calls=5")
    assert (code, printed) == (4, "")
    assert "not checked" in said
    assert not (tmp_path / "store" / "calibrations").exists()
    server.set(e500=1.0)
    assert pairwright(*check, "--set", "models.critic.max_tries=1")[0] == 5
    server.set(e500=0.0)
    assert pairwright(*check)[0] == 0
    assert server.stats()["paid_twice"] == 0


# recorded judgments

WINNERS = [
    {"winner_ab": "A", "winner_ba": "B", "label": "a"},  # A>B, A>B after the flip
    {"winner_ab": "A", "winner_ba": "tie", "label": "a"},
    {"winner_ab": "A", "winner_ba": "A", "label": "a"},  # B>A after the flip
    {"winner_ab": "A", "winner_ba": None, "label": "a"},
    {"winner_ab": None, "winner_ba": None, "label": "a"},
]


def test_recorded_judgments_are_voted_on_as_judgebench_does(pairwright, tmp_path: Path):
    rights = []
    for row in WINNERS:
        (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n")
        check = "judge", "check", "quickstart", "--judge", "likelihood", "--on", "x.jsonl"
        code, printed, _ = pairwright(*check, "--format", "json")
        assert code == 0
        rights.append(figures(printed)["accuracy"])
    assert rights == [1, 1, 0, 1, 0]


MAJORITY = """
SELECT idx AS id, instruction || chr(10) || input AS prompt, response1 AS response_a, response2 AS response_b,
    CASE WHEN annotator2 = annotator3 THEN annotator2 ELSE annotator1 END AS label,
    {judge}_result AS winner_ab
FROM labelled
"""


@pytest.mark.parametrize(
    ("judge", "accuracy", "of_read", "read"),
    [("gpt35", 0.698, 0.716, 974 / 999), ("pandalm7b", 0.668, 0.668, 1)],
)
def test_pandalms_recorded_judges_against_the_majority_of_three_people(
    pairwright: Pairwright, shared_data: Path, judge, accuracy, of_read, read
):
    spelled = [word for one in ("a=1", "b=2", "tie=0") for word in ("--spelling", one)]
    file = str(shared_data / "pandalm_human3.parquet")
    check = "judge", "check", "acceptance/pandalm", "--judge", judge, "--on", file
    query = MAJORITY.format(judge=judge)
    code, printed, _ = pairwright(*check, "--query", query, *spelled, "--format", "json")
    assert code == 0
    found = figures(printed)
    assert (round(found["accuracy"], 3), round(found["accuracy_read"], 3)) == (accuracy, of_read)
    assert found["read"] == pytest.approx(read)
    assert found["consistency"] is found["accuracy_ba"] is None  # one order is recorded
    assert 0.4 < found["kappa"] < 0.5


# what is wrong with the labels, in words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--on", "none.jsonl"), "none.jsonl"),
        (("--on", "sum"), 'nor shipped labels; did you mean "sums"'),
        (("--on", "sums", "--sample", "1", "--choose", "x.jinja"), "too few prompts to choose by"),
        (("--on", "sums", "--column", "prompt=q"), "columns: category, id, label, prompt"),
        (("--on", "sums", "--judge", "likelyhood"), 'did you mean "likelihood"'),
        (("--on", "sums", "--choose", "none.jinja"), "none.jinja: no such file"),
        (("--on", "sums", "--judge", "verifier", "--choose", "x.jinja"), "no template"),
        (("--on", "sums", "--paraphrase", "bard"), "no such model; Valid: student, teacher"),
        (("--on", "sums", "--paraphrase", "student"), "has no template of its own"),
    ],
)
def test_what_is_wrong_is_told_before_any_call(pairwright: Pairwright, words: Sequence[str], said):
    code, printed, complained = pairwright("judge", "check", "quickstart", *words)
    assert (code, printed) == (2, "")
    assert said in complained


def test_letters_that_mean_nothing_are_unread_and_told(pairwright: Pairwright, tmp_path: Path):
    said = [{"winner_ab": "A>B", "winner_ba": None, "label": "a"}] * 2
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    check = "judge", "check", "quickstart", "--judge", "likelihood", "--on", "said.jsonl"
    code, printed, _ = pairwright(*check)
    assert code == 0
    assert "judge likelihood: 2 labelled pairs without their prompts\n" in printed
    unread = 'winner_ab: "A>B" (--spelling says what it stands for) (2), winner_ba: nothing (2)'
    assert f"unread: {unread}\n" in printed
    assert "no prompts are known: each pair counts as one" in printed
    code, _, complained = pairwright(*check, "--choose", "x.jinja")
    assert code == 2
    assert "is what a judge has said already" in complained


def test_one_cause_with_many_numbers_is_told_once_and_in_full(pairwright, tmp_path: Path):
    said = [{"winner_ab": f"{n} of 10 readers want the first", "label": "a"} for n in range(4)]
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    check = "judge", "check", "quickstart", "--judge", "likelihood", "--on", "said.jsonl"
    cause = 'winner_ab: "… of 10 readers want the first" (--spelling says what it stands for) (4)'
    assert f"\nunread: {cause}\n" in pairwright(*check)[1]


def test_why_replies_could_not_be_read_is_told(pairwright, tmp_path: Path, server: ChatServer):
    write_questions(tmp_path, range(2))
    path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    labelled(tmp_path / "x.jsonl", 4)
    out_of_scale = "--set", "judges.rating.scale=[100, 200]"
    code, printed, _ = pairwright("judge", "check", str(path), "--on", "x.jsonl", *out_of_scale)
    assert code == 0
    assert "\nunread: " in printed


def test_no_call_is_paid_before_every_template_is_found_good(
    pairwright, tmp_path: Path, server: ChatServer
):
    write_questions(tmp_path, range(2))
    path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    labelled(tmp_path / "x.jsonl", 20)
    (tmp_path / "good.jinja").write_text("{{ response }} Rating: {{ form }}")
    (tmp_path / "bad.jinja").write_text("{{ response")
    check = "judge", "check", str(path), "--on", "x.jsonl", "--choose", "good.jinja"
    code, _, said = pairwright(*check, "bad.jinja")
    assert code == 2
    assert "bad.jinja" in said
    code, _, said = pairwright(*check, "--paraphrase", "poet")
    assert code == 2
    assert "--paraphrase poet: no such model" in said
    assert server.stats()["requests"] == 0


def test_a_recorded_judge_cannot_be_asked(pairwright: Pairwright, shared_data: Path):
    code, _, said = pairwright(
        "judge", "check", "acceptance/pandalm", "--judge", "gpt35", "--on", "sums"
    )
    assert (code, "its judgments are recorded" in said) == (2, True)


# choosing a template

WORDS = """
name = "words"

[sources.sums]
kind = "builtin"
dataset = "sums_train"

[prompts]
text = "question"

[models.teacher]
kind = "embedded"
sampling = { max_tokens = 60 }

[[samplers]]
kind = "independent"
model = "teacher"

[[judges]]
kind = "pairwise"
model = "teacher"
reask = 0

[[pairings]]
kind = "compared"
judges = ["pairwise"]
"""
COMPARE = "COMPARE\n{{ conversation[0].text }}\n{{ response_a }}\n{{ response_b }}\n"


def test_the_best_template_is_kept_and_checked_on_the_other_half(
    pairwright: Pairwright, tmp_path: Path
):
    (tmp_path / "words.toml").write_text(WORDS)
    (tmp_path / "bad.jinja").write_text("Which? {{ response_a }} {{ response_b }}\n{{ form }}")
    (tmp_path / "good.jinja").write_text(COMPARE)
    code, printed, _ = pairwright(
        "judge", "check", "words.toml", "--on", "sums", "--sample", "60",
        "--choose", "bad.jinja", "good.jinja", "--format", "json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(printed)
    assert found["best"] == 'judges.pairwise.template="good.jinja"'
    accuracies = [one["figures"]["accuracy"]["value"] for one in found["trials"]]
    assert accuracies[2] > 0.8 > max(accuracies[:2])
    (check,) = found["checks"]
    chosen_by = found["trials"][0]["figures"]["accuracy"]["n"]
    assert chosen_by + check["labels"]["pairs"] == 60
    assert len(check["prompts"]) == 60  # both halves are kept out of a build


def test_without_labels_the_fairest_template_is_kept(pairwright: Pairwright, tmp_path: Path):
    (tmp_path / "words.toml").write_text(WORDS)
    (tmp_path / "good.jinja").write_text(COMPARE)
    rows = [json.loads(line) for line in shipped("labelled/sums.jsonl").read_text().splitlines()][
        :20
    ]
    bare = [{name: row[name] for name in ("prompt", "response_a", "response_b")} for row in rows]
    (tmp_path / "bare.jsonl").write_text("".join(json.dumps(row) + "\n" for row in bare))
    check = "judge", "check", "words.toml", "--on", "bare.jsonl"
    assert "the label is needed" in pairwright(*check)[2]
    code, printed, _ = pairwright(*check, "--choose", "good.jinja")
    assert code == 0
    assert "by fairness alone, without labels (20 pairs of 20 prompts)" in printed
    assert """to use it: --set 'judges.pairwise.template="good.jinja"'""" in printed
    assert not (tmp_path / "store" / "calibrations").exists()


POET = """
[models.poet]
kind = "scripted"
rules = [{ match = 'Say the same', answers = ["COMPARE\\n{{ conversation[0].text }}\\n{{ response_a }}\\n{{ response_b }}"] }]
"""


def test_a_paraphrase_takes_the_place_of_a_worse_template(pairwright: Pairwright, tmp_path: Path):
    bad = "Which one? {{ response_a }} or {{ response_b }}, for {{ conversation[0].text }}"
    (tmp_path / "bad.jinja").write_text(bad)
    (tmp_path / "words.toml").write_text(
        WORDS.replace("reask = 0", 'reask = 0\ntemplate = "bad.jinja"') + POET
    )
    code, printed, _ = pairwright(
        "judge", "check", "words.toml", "--on", "sums", "--sample", "30", "--format", "json",
        "--paraphrase", "poet", "--epochs", "2", "--per-epoch", "2",
    )  # fmt: skip
    assert code == 0
    found = json.loads(printed)
    assert len(found["trials"]) == 2  # the second epoch finds nothing new
    best = found["trials"][1]
    assert best["set"] == found["best"]
    assert best["figures"]["accuracy"]["value"] > 0.8
    path = Path(found["best"].partition("=")[2].strip('"'))
    assert (tmp_path / path).read_text().startswith("COMPARE")
    assert found["checks"][0]["figures"]["accuracy"]["value"] > 0.8


def test_all_templates_that_are_tried_share_one_budget(
    pairwright: Pairwright, tmp_path: Path, server: ChatServer
):
    write_questions(tmp_path, range(2))
    path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    labelled(tmp_path / "x.jsonl", 40)
    for name in ("one", "two"):
        (tmp_path / f"{name}.jinja").write_text(name + "{{ response }} Rating: {{ form }}")
    check = "judge", "check", str(path), "--on", "x.jsonl", "--choose", "one.jinja", "two.jinja"
    code, _, said = pairwright(*check, "--set", "budget.calls=50")
    assert (code, "not checked" in said) == (4, True)
    assert 40 < server.stats()["requests"] <= 50
    assert pairwright(*check)[0] == 0
    assert server.stats()["paid_twice"] == 0


def test_a_judge_that_is_refused_every_request_gets_no_figure(
    pairwright: Pairwright, tmp_path: Path
) -> None:
    write_questions(tmp_path, range(2))
    with ChatServer(e400=1) as server:
        write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
        code, _, err = pairwright("judge", "check", "recipe.toml", "--on", "sums", "--sample", "5")
    assert code == 5
    assert "not checked: the endpoint of judge rating refused every request: " in err
    assert "HTTP 400: simulated 400" in err
    assert "`pairwright retry --failed --store store` has it asked" in err
    assert not (tmp_path / "store" / "calibrations").exists()
