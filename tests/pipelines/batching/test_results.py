import io
import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipelines.batching.results import Results


def result(custom_id: str, text: str = "") -> bytes:
    return json.dumps({"custom_id": custom_id, "response": {"body": text}}).encode()


def results(folder: Path, content: bytes) -> Results:
    file = (folder / "results").open("w+b")
    file.write(content)
    return Results(file)


def test_results_are_found_in_any_order(tmp_path: Path) -> None:
    found = results(tmp_path, b"\n".join(result(one, one) for one in "cab"))
    assert [json.loads(found.get(one) or b"")["response"]["body"] for one in "abc"] == list("abc")
    assert found.get("d") is None
    found.close()
    assert found.get("a") is None


def test_of_two_results_with_one_id_the_first_counts(tmp_path: Path) -> None:
    found = results(tmp_path, result("a", "first") + b"\n" + result("a", "second") + b"\n")
    assert b"first" in (found.get("a") or b"")
    found.close()


def test_lines_that_are_torn_or_empty_are_passed_over(tmp_path: Path) -> None:
    found = results(tmp_path, b"\n\n" + result("a") + b"\r\n{}\n7\n" + result("b")[:-4] + b"\n")
    assert json.loads(found.get("a") or b"")["custom_id"] == "a"
    assert found.get("b") is None
    found.close()


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=30), max_size=20))
def test_every_line_comes_back_as_it_was(texts: dict[str, str]) -> None:
    lines = {one: result(one, text) for one, text in texts.items()}
    with tempfile.TemporaryFile() as file:
        file.write(b"\n".join(lines.values()))
        found = Results(file)
        assert {one: (found.get(one) or b"").rstrip(b"\n") for one in texts} == lines


def test_results_are_read_from_the_start_wherever_the_file_stands(tmp_path: Path) -> None:
    file = (tmp_path / "results").open("w+b")
    file.write(result("a"))
    file.seek(3, io.SEEK_SET)
    found = Results(file)
    assert found.get("a") == result("a")
    found.close()
