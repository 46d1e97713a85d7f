from pipelines.intake.inputs import InputFile
from pipelines.publishing.account import inputs_of


def file(path: str, content: str, rows: int = 1) -> InputFile:
    return InputFile(path, content * 64, 10, rows)


def test_two_files_of_one_name_are_both_in_the_manifest() -> None:
    inputs = inputs_of([file("a.jsonl", "1", 5), file("a.jsonl", "2", 7), file("b.jsonl", "3")])
    assert {path: one.rows for path, one in inputs.items()} == {
        "a.jsonl@111111111111": 5,
        "a.jsonl@222222222222": 7,
        "b.jsonl": 1,
    }


def test_two_copies_of_one_file_are_one_input_with_the_rows_of_both() -> None:
    inputs = inputs_of([file("a.jsonl", "1", 5), file("a.jsonl", "1", 5)])
    assert {path: one.rows for path, one in inputs.items()} == {"a.jsonl": 10}
