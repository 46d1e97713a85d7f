from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tests.exports import (
    TOOLS,
    call,
    exported,
    parquet_rows,
    plain_version,
    tool_pairs,
    version_of,
)

TRAPS = {"margin", "image", "images", "chat_template_kwargs", "chosen_ids", "rejected_ids"}


def test_the_columns_are_prompt_chosen_and_rejected_and_nothing_else(tmp_path: Path) -> None:
    exported(plain_version(tmp_path), "trl", tmp_path / "out")
    schema = pq.read_schema(next((tmp_path / "out").glob("train-*")))
    assert schema.names == ["prompt", "chosen", "rejected"]
    assert {str(type_) for type_ in schema.types} == {
        "list<element: struct<role: string, content: string>>"
    }


def test_rows_are_the_published_ones_in_the_published_order(tmp_path: Path) -> None:
    version = plain_version(tmp_path)
    exported(version, "trl", tmp_path / "out")
    files = [str(file) for file in version.files("pairs") if file.name.startswith("train")]
    published = duckdb.sql(
        f"SELECT prompt, chosen, rejected FROM read_parquet({files}) ORDER BY order_key"
    ).fetchall()
    rows = parquet_rows(tmp_path / "out", "train")
    assert [tuple(row.values()) for row in rows] == published
    assert len(rows) > 15


def test_a_set_with_tools_has_the_tools_and_nested_calls(tmp_path: Path) -> None:
    exported(version_of(tmp_path, tool_pairs()), "trl", tmp_path / "out")
    row = parquet_rows(tmp_path / "out")[0]
    assert set(row) == {"prompt", "chosen", "rejected", "tools"}
    assert not TRAPS & set(row)
    assert row["tools"] == TOOLS
    (answer,) = row["chosen"]
    assert answer == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
            }
        ],
        "tool_call_id": None,
        "name": None,
    }
    assert [message["role"] for message in row["prompt"]] == ["system", "user", "assistant", "tool"]
    assert row["prompt"][3]["tool_call_id"] == "c1"


def test_a_pair_without_tools_in_a_set_with_tools_has_null_and_never_an_empty_text(
    tmp_path: Path,
) -> None:
    plain = {"prompt": "Hello", "chosen": "Hi", "rejected": "Go"}
    exported(version_of(tmp_path, [*tool_pairs(2), plain]), "trl", tmp_path / "out")
    assert {row["tools"] for row in parquet_rows(tmp_path / "out")} == {TOOLS, None}


def test_a_call_whose_arguments_are_no_json_object_is_left_out_and_counted(tmp_path: Path) -> None:
    broken = [
        {"prompt": f"Q{number}", "chosen": call('{"a": 1}'), "rejected": call(arguments)}
        for number, arguments in enumerate(['{"a": ', "[1]", ""])
    ]
    made = exported(version_of(tmp_path, [*tool_pairs(3), *broken]), "trl", tmp_path / "out")
    reasons = [one.left_out for one in made.values() if one.left_out]
    assert sum(one["arguments_not_json"] for one in reasons) == 3
    assert len(parquet_rows(tmp_path / "out")) == 3
