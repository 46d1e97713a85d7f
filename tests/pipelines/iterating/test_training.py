from pathlib import Path

import pytest

from pipelines.errors import TrainingError
from pipelines.iterating.command import Command
from pipelines.iterating.training import LOG, PRINTED, train


def test_a_command_is_told_by_words_and_by_its_environment_and_what_it_writes_is_kept(
    tmp_path: Path,
) -> None:
    told = {"set": "/no/set", "out": str(tmp_path / "a b" / "out"), "round": "3"}
    command = Command("sh -c 'echo $PAIRWRIGHT_ROUND; echo why >&2; echo \"$1\"' _ {out}")
    assert train(command, told, tmp_path).folder == told["out"]
    assert (tmp_path / PRINTED).read_text() == f"3\n{told['out']}\n"
    assert (tmp_path / LOG).read_text() == "why\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no-such-trainer {set}", "exit code 127: error: no-such-trainer: No such file"),
        ("sh -c 'echo said; exit 4'", r"exit code 4: said \(all of it: .*training\.out\)"),
        ("sh -c 'kill -9 $$'", r"exit code 137: it said nothing"),
    ],
)
def test_what_fails_is_told_by_its_last_words(tmp_path: Path, text: str, why: str) -> None:
    told = {"set": "/no/set", "out": str(tmp_path / "out")}
    with pytest.raises(TrainingError, match=why):
        train(Command(text), told, tmp_path)
