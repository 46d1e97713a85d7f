import json
import re
import shlex
from pathlib import Path

import pytest

from flows.cli import main
from pipelines.part import kinds
from tests.exports import add_measure, plain_version, write_tokenizer

DOCS = Path(__file__).parents[3] / "docs" / "exporting.md"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return plain_version(tmp_path).folder.parents[2]


def run(store: Path, *arguments: str) -> int:
    return main(["export", "toy", "--store", str(store), *arguments])


def test_it_says_how_many_rows_each_split_has(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(store, "--format", "kto", "--out", str(tmp_path / "out"), "--split", "train") == 0
    said = capsys.readouterr().out
    rows = json.loads((tmp_path / "out" / "export.json").read_text())["splits"]["train"]["rows"]
    assert said.startswith("toy@v0001 as kto in ")
    assert re.search(rf"train +{rows} +of {rows // 2} pairs", said)
    assert re.search(rf"{rows // 2}  siblings_apart", said)


def test_set_reaches_the_fields_of_the_format(store: Path, tmp_path: Path) -> None:
    arguments = ["--format", "reward", "--out", str(tmp_path / "out"), "--set", "margin=false"]
    assert run(store, *arguments) == 0
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert record["settings"] == {"margin": False}


def test_a_format_may_be_a_file_of_the_users_own(store: Path, tmp_path: Path) -> None:
    own = tmp_path / "ids.py"
    own.write_text(
        "from pipelines.exporter import Exporter, Written\n"
        "from pipelines.exporting.files import write_jsonl\n\n\n"
        "class Ids(Exporter):\n"
        '    """The ids of the pairs."""\n\n'
        "    def write(self, pairs, folder):\n"
        "        return Written(write_jsonl(pairs.each('pair_id'), folder / f'{pairs.split}.jsonl'))\n"
    )
    assert run(store, "--format", str(own), "--out", str(tmp_path / "out")) == 0
    assert (tmp_path / "out" / "train.jsonl").read_text().startswith('{"pair_id":')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "tlr"], 'no such format "tlr"; did you mean "trl"? Valid: cross_prompt, '),
        (["--format", "trl", "--set", "margin=true"], 'no such key "margin"'),
        (["--format", "reward", "--set", "margin=5"], "--set: margin: "),
        (["--format", "trl", "--split", "dev"], 'no split "dev"; Valid: '),
        (["--format", "trl", "--order", "easy"], 'no such order "easy"; '),
        (["--format", "kto", "--order", "easy_to_hard"], "kto has an order of its own"),
        (["--format", "trl", "--max-length", "9"], "--max-length: is for --check"),
        (["--format", "trl", "--check", "model"], "wanted tokenizer=PATH"),
        (["--format", "trl", "--check", "tokenizer=nowhere"], "nowhere: no chat template"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2_and_writes_nothing(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    assert run(store, "--out", str(tmp_path / "out"), *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_lists_the_valid_ones(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(store, "--format", "?", "--out", str(tmp_path / "out")) == 2
    assert f"Valid: {', '.join(kinds('exporters'))}" in capsys.readouterr().err


def test_a_clean_check_ends_with_0(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = write_tokenizer(tmp_path / "tokenizer")
    arguments = ["--format", "trl", "--out", str(tmp_path / "out")]
    assert run(store, *arguments, "--check", f"tokenizer={tokenizer}") == 0
    said = capsys.readouterr().out
    assert said.endswith("no faults\n")
    assert re.search(r"train +prompt +\d+ +\d+ +\d+", said)


def test_faults_end_with_3_and_the_export_is_there_with_its_check(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = write_tokenizer(tmp_path / "tokenizer")
    arguments = ["--format", "trl", "--out", str(tmp_path / "out"), "--max-length", "10"]
    assert run(store, *arguments, "--check", f"tokenizer={tokenizer}") == 3
    assert "fault: train: prompt_too_long: " in capsys.readouterr().out
    assert (tmp_path / "out" / "check.json").is_file()
    assert (tmp_path / "out" / "export.json").is_file()


def documented() -> list[str]:
    return re.findall(r"^pairwright .*$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_guide_has_a_section_and_a_command_for_each_format() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for kind in kinds("exporters"):
        assert f"\n## {kind}" in text
        assert any(f"--format {kind} " in command for command in documented())


@pytest.mark.parametrize("command", documented())
def test_the_commands_of_the_guide_run(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a set of the name that the guide uses, with a tokenizer in the folder that it names, and
    with difficulties."""
    from pipelines.publishing.store import Store
    from tests.pipelines.versions import make_content, publish

    content = make_content(12)
    for number, row in enumerate(content.pairs):
        add_measure(content, row, number)
    publish(Store(tmp_path / "store"), "tutor", content)
    write_tokenizer(tmp_path / "my-model")
    monkeypatch.chdir(tmp_path)
    _, name, *arguments = shlex.split(command, comments=True)
    if name == "export":
        arguments += ["--store", "store"]
    assert main([name, *arguments]) == 0


def test_the_format_of_the_guide_works(store: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (own,) = [block for block in blocks if "(Exporter)" in block]
    (tmp_path / "questions.py").write_text(own, encoding="utf-8")
    out = tmp_path / "out"
    assert run(store, "--format", str(tmp_path / "questions.py"), "--out", str(out)) == 0
    first = json.loads((out / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [message["role"] for message in first["prompt"]] == ["system", "user"]
