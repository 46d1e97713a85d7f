import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipelines.errors import JudgmentError
from pipelines.toolcalls.calls import same_calls
from pipelines.toolcalls.reading import read_calls

ROOT = Path(__file__).parents[2]
PROMPTS = ROOT / "data" / "prompts"


def rows(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (PROMPTS / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("script", ["make_tool_calls", "make_instructions"])
def test_the_shipped_files_come_out_of_the_script_again(script: str, tmp_path: Path) -> None:
    (tmp_path / "sums_held_out.jsonl").symlink_to(PROMPTS / "sums_held_out.jsonl")
    program = (
        f"import sys; sys.path.insert(0, 'tools'); import {script}; from pathlib import Path;"
        f"{script}.FOLDER = Path({str(tmp_path)!r}); {script}.main()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
    written = [file for file in tmp_path.iterdir() if not file.is_symlink()]
    assert written
    for file in written:
        assert file.read_bytes() == (PROMPTS / file.name).read_bytes()


def test_gold_answers_call_tools_that_are_offered_or_none() -> None:
    tasks = rows("tool_calls")
    for task in tasks:
        calls = read_calls(str(task["answer"]))
        offered = {tool["function"]["name"] for tool in task["tools"]}  # type: ignore[attr-defined]
        assert {call.name for call in calls} <= offered
        assert bool(calls) == (task["kind"] != "none")
    kinds = Counter(str(task["kind"]) for task in tasks)
    assert kinds == {"one": 28, "parallel": 8, "none": 8, "later": 4}


def test_each_task_has_prepared_answers_that_are_right_wrong_and_broken() -> None:
    gold = {
        task["messages"][-1]["content"]: read_calls(str(task["answer"]))  # type: ignore[index]
        for task in rows("tool_calls")
    }
    assert len(gold) == 48
    verdicts: dict[object, set[object]] = {question: set() for question in gold}
    for row in rows("tool_calls_answers"):
        try:
            said: object = same_calls(read_calls(str(row["answer"])), gold[row["prompt"]])
        except JudgmentError:
            said = "broken"
        verdicts[row["prompt"]].add(said)
    assert all(said == {True, False, "broken"} for said in verdicts.values())
