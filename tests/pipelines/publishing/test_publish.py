import hashlib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import RecipeError, StoreError
from pipelines.part import Where, load_table
from pipelines.publishing.drops import ORDER, _in_order
from pipelines.publishing.layout import Publish
from pipelines.publishing.publish import write_tables
from pipelines.publishing.splits import shard_paths, shard_rows, split_of_groups
from pipelines.selection.funnel import DROP_COLUMNS
from pipelines.selection.steps import NO_DROPS
from pipelines.staging.runs import ROWS
from schemas.canonical import draw_integer, draw_unit
from schemas.rows import Drop, Message, Prompt, ToolCall, prompt_id
from schemas.tables import PAIRS, PLAIN_PAIRS, PUBLISHED, schema_hash
from tests.pipelines.versions import (
    SEED,
    Content,
    add_answers,
    make_content,
    pair,
    stage,
    with_tool,
    write,
)

HALVES = Publish(splits={"train": Decimal("0.5"), "test": Decimal("0.5")})
ONE_SPLIT = {"train": Decimal(1)}


def read(folder: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "version" / table / "*.parquet")


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.parquet"))
    }


def test_every_table_has_exactly_its_published_schema(tmp_path):
    files = write(make_content(), tmp_path)
    for path in files:
        schema = pq.read_schema(tmp_path / "version" / path)
        assert schema_hash(schema) == schema_hash(PUBLISHED[path.partition("/")[0]]), path


def test_tables_of_a_build_without_a_row_have_their_schema_too(tmp_path):
    files = write(Content(), tmp_path)
    assert {path: info.rows for path, info in files.items()} == {
        f"{table}/part-00000-of-00001.parquet": 0
        for table in ("prompts", "responses", "judgments", "measures", "tree_nodes", "drops")
    }
    assert (
        pq.read_schema(tmp_path / "version/drops/part-00000-of-00001.parquet") == PUBLISHED["drops"]
    )


def test_files_say_their_hash_size_and_rows_and_nothing_else_is_left(tmp_path):
    files = write(make_content(), tmp_path)
    folder = tmp_path / "version"
    assert bytes_of(folder) == {path: info.sha256 for path, info in sorted(files.items())}
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == set(
        files
    )
    for path, info in files.items():
        assert (folder / path).stat().st_size == info.bytes
        assert pq.read_metadata(folder / path).num_rows == info.rows


@pytest.mark.parametrize("order", [1, 2, 3])
def test_bytes_do_not_depend_on_the_order_in_which_units_finished(tmp_path, order):
    content = make_content(300)
    write(content, tmp_path / "a")
    shuffled = make_content(300)
    shuffled.pairs.reverse()
    shuffled.dropped_pairs.reverse()
    shuffled.drops.reverse()
    write(shuffled, tmp_path / "b", files=order + 1, order=order)
    assert bytes_of(tmp_path / "a/version") == bytes_of(tmp_path / "b/version")


def test_bytes_do_not_depend_on_how_many_rows_are_in_memory_at_once(tmp_path):
    content = make_content(300, text="long " * 300)
    write(content, tmp_path / "a", files=3)
    write(content, tmp_path / "b", files=3, order=1, at_once=10_000)
    assert bytes_of(tmp_path / "a/version") == bytes_of(tmp_path / "b/version")


def test_pairs_are_message_lists_with_system_and_without_reasoning(tmp_path):
    content = make_content()
    write(content, tmp_path)
    pairs = read(tmp_path, "pairs").sort("prompt_id")
    assert pairs.height == 6
    prompt = min(content.prompts, key=lambda prompt: prompt.prompt_id)
    row = pairs.row(0, named=True)
    assert row["prompt"] == [
        {"role": message.role, "content": message.content} for message in prompt.messages
    ]
    texts = {response.response_id: response.text for response in content.responses}
    assert row["chosen"] == [{"role": "assistant", "content": texts[row["chosen_response_id"]]}]
    assert row["rejected"] == [{"role": "assistant", "content": texts[row["rejected_response_id"]]}]
    assert row["license"] == "mit"
    assert row["n_chars_chosen"] == len(texts[row["chosen_response_id"]])
    assert row["n_chars_rejected"] == len(texts[row["rejected_response_id"]])


def test_scores_are_micro_units_over_a_million_and_the_variance_is_the_populations(tmp_path):
    write(make_content(), tmp_path)
    row = read(tmp_path, "pairs").row(0, named=True)
    assert (row["score_chosen"], row["score_rejected"], row["score_margin"]) == (3.0, 1.0, 2.0)
    assert row["score_var"] == 2 / 3  # of 3, 2, 1
    prompt = read(tmp_path, "prompts").row(0, named=True)
    assert (prompt["score_mean"], prompt["score_var"]) == (2.0, 2 / 3)
    assert (prompt["n_responses"], prompt["n_scored"], prompt["n_pairs"]) == (3, 3, 1)
    responses = read(tmp_path, "responses")
    assert responses.filter(sample_index=1)["score"].unique().to_list() == [2.0]


def test_tables_are_sorted(tmp_path):
    write(make_content(50), tmp_path, files=4, order=1)
    for table, keys in {
        "prompts": ["prompt_id"],
        "responses": ["prompt_id", "response_id"],
        "judgments": ["prompt_id", "judgment_id"],
        "drops": ["level", "id", "step", "reason"],
    }.items():
        rows = read(tmp_path, table).select(keys).rows()
        assert rows == sorted(rows), table


@pytest.mark.parametrize("turned", [False, True])
def test_drops_of_every_level_lie_in_order_whichever_was_found_first(tmp_path, turned):
    content = make_content(2)
    there, blank = content.prompts[0].prompt_id, content.responses[0].response_id
    content.staged_drops += [
        Drop("prompts", there, there, "pairings.p", "tie"),
        Drop("comparisons", "c2", there, "pairings.p", "tie"),
        Drop("responses", blank, there, "filters.empty", "empty"),
        Drop("comparisons", "c1", there, "pairings.p", "unread"),
        Drop("rows", "s:3", None, "source", "no_text"),
    ]
    if turned:
        content.staged_drops.reverse()
    write(content, tmp_path)
    drops = read(tmp_path, "drops").select("level", "id")
    assert drops.rows() == sorted(drops.rows())
    assert drops["level"].unique(maintain_order=True).len() == 5


def test_dropped_pairs_are_published_with_every_reason(tmp_path):
    content = make_content(2)
    first = content.drops[0]
    content.drops.append(replace(first, step="filters.agreement", reason="disagree"))
    content.staged_drops.append(Drop("rows", "s:3", None, "source", "no_text"))
    write(content, tmp_path)
    drops = read(tmp_path, "drops")
    assert drops["level"].to_list() == ["pairs"] * 3 + ["rows"]
    row = drops.filter(id=first.id, reason="disagree").row(0, named=True)
    dropped = content.dropped_pairs[0]
    assert row["chosen_response_id"] == dropped["chosen_response_id"]
    assert (row["score_chosen"], row["score_rejected"], row["score_margin"]) == (3.0, 2.0, 1.0)


def test_a_prompt_that_was_dropped_is_published_as_not_kept(tmp_path):
    content = make_content(2)
    extra = Prompt("dropped", (Message("user", "x"),))
    content.prompts.append(extra)
    content.staged_drops.append(Drop("prompts", "dropped", "dropped", "filters.x", "too_easy"))
    write(content, tmp_path)
    kept = dict(read(tmp_path, "prompts").select("prompt_id", "kept").rows())
    assert kept == {"dropped": False} | {p.prompt_id: True for p in content.prompts[:2]}


def test_comparisons_keep_their_shown_order(tmp_path):
    content = make_content(1)
    content.judgments[0] = replace(content.judgments[0], order="BA", verdict="a", score=None)
    write(content, tmp_path)
    assert read(tmp_path, "judgments")["shown_order"].drop_nulls().to_list() == ["BA"]


def test_a_group_lies_in_one_split_and_prompts_say_which(tmp_path):
    content = make_content(200)
    write(content, tmp_path, publish=HALVES)
    prompts = read(tmp_path, "prompts")
    split_of = dict(prompts.select("prompt_id", "split").rows())
    for prompt in content.prompts:
        draw = draw_unit(SEED, "split", prompt.group_id or prompt.prompt_id)
        assert split_of[prompt.prompt_id] == ("test" if draw < 0.5 else "train")
    assert prompts.filter(group_id="shared")["split"].n_unique() == 1
    for split in ("train", "test"):
        pairs = read(tmp_path, "pairs").filter(
            pl.col("prompt_id").is_in([p for p, s in split_of.items() if s == split])
        )
        file = tmp_path / f"version/pairs/{split}-00000-of-00001.parquet"
        assert pl.read_parquet(file).sort("pair_id").equals(pairs.sort("pair_id"))


def test_rows_lie_in_the_seeded_order_of_their_split(tmp_path):
    write(make_content(100), tmp_path, publish=HALVES)
    for split in ("train", "test"):
        pairs = pl.read_parquet(tmp_path / f"version/pairs/{split}-*.parquet")
        assert pairs["order_key"].to_list() == list(range(pairs.height))
        draws = [draw_integer(SEED, "order", pair_id) for pair_id in pairs["pair_id"]]
        assert draws == sorted(draws)


def test_shards_have_equal_rows_and_keep_the_order(tmp_path):
    files = write(make_content(10), tmp_path, publish=Publish(splits=ONE_SPLIT, shards=4))
    rows = {path: info.rows for path, info in files.items() if path.startswith("pairs/")}
    assert rows == dict(zip(shard_paths("pairs/train", [0] * 4), [3, 3, 2, 2], strict=True))
    assert read(tmp_path, "pairs")["order_key"].to_list() == list(range(10))


def test_a_split_without_pairs_has_no_file(tmp_path):
    publish = Publish(splits={"train": Decimal(1), "test": Decimal(0)})
    files = write(make_content(), tmp_path, publish=publish)
    assert [path for path in files if path.startswith("pairs/")] == [
        "pairs/train-00000-of-00001.parquet"
    ]


def test_row_groups_are_as_long_as_the_recipe_says(tmp_path):
    publish = Publish(splits=ONE_SPLIT, row_group_rows=2048)
    write(make_content(5000), tmp_path, publish=publish)
    metadata = pq.read_metadata(tmp_path / "version/pairs/train-00000-of-00001.parquet")
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [2048, 2048, 904]
    assert groups[0].column(0).compression == "ZSTD"


def rich_messages() -> tuple[Message, ...]:
    call = ToolCall("c1", "add", '{"a":1}')
    return (
        Message("user", "1+1?"),
        Message("assistant", None, reasoning="hm", tool_calls=(call,)),
        Message("tool", "", tool_call_id="c1"),
    )


def test_a_set_with_tools_has_the_rich_messages_and_a_tools_column(tmp_path):
    content = make_content(1)
    prompt = with_tool(Prompt(prompt_id(rich_messages()), rich_messages()))
    content.prompts.append(prompt)
    calls = (ToolCall("c2", "add", "{}"),)
    add_answers(content, prompt, [None, "b", "c"], tool_calls=calls)
    write(content, tmp_path, publish=Publish(splits=ONE_SPLIT))
    file = tmp_path / "version/pairs/train-00000-of-00001.parquet"
    assert pq.read_schema(file) == PAIRS
    row = next(row for row in pq.read_table(file).to_pylist() if row["tools"])
    assert row["tools"] == prompt.tools
    call = {"id": "c1", "name": "add", "arguments": '{"a":1}'}
    assert [message["tool_calls"] for message in row["prompt"]] == [None, [call], None]
    assert row["prompt"][2]["tool_call_id"] == "c1"
    assert row["chosen"][0]["content"] is None
    assert row["chosen"][0]["tool_calls"] == [{"id": "c2", "name": "add", "arguments": "{}"}]
    messages = [*row["prompt"], *row["chosen"], *row["rejected"]]
    assert {message["reasoning"] for message in messages} == {None}


def test_tools_of_a_prompt_without_a_kept_pair_do_not_change_the_columns(tmp_path):
    content = make_content(1)
    content.prompts.append(with_tool(Prompt("tooled", (Message("user", "x"),))))
    write(content, tmp_path, publish=Publish(splits=ONE_SPLIT))
    assert pq.read_schema(tmp_path / "version/pairs/train-00000-of-00001.parquet") == PLAIN_PAIRS


def blank_prompt(content: Content) -> None:
    blank = Prompt("blank", (Message("system", "x"), Message("user", " \u00a0\n")))
    content.prompts.append(blank)
    add_answers(content, blank, ["a", "b", "c"])


def no_messages(content: Content) -> None:
    empty = Prompt("empty", ())
    content.prompts.append(empty)
    add_answers(content, empty, ["a", "b", "c"])


def null_message(content: Content) -> None:
    null = Prompt("null", (Message("system", None), Message("user", "x")))
    content.prompts.append(null)
    add_answers(content, null, ["a", "b", "c"])


def set_text(content: Content, index: int, text: str | None) -> None:
    content.responses[index] = replace(content.responses[index], text=text)


BROKEN = {
    "1 kept pairs have a blank prompt": [blank_prompt, no_messages, null_message],
    "1 kept pairs have a blank chosen response": [
        lambda content: set_text(content, 0, None),
        lambda content: set_text(content, 0, ""),
    ],
    "1 kept pairs have a blank rejected response": [
        lambda content: set_text(content, 2, "\u2003\t"),
    ],
    "1 kept pairs have a prompt that is not staged": [lambda content: content.prompts.pop()],
    "1 kept pairs have a chosen response that is not staged": [
        lambda content: content.responses.pop(0)
    ],
    "1 kept pairs have a rejected response that is not staged for their prompt": [
        lambda content: content.responses.__setitem__(
            2, replace(content.responses[2], prompt_id=content.prompts[1].prompt_id)
        )
    ],
    "1 kept pairs set a response against itself": [
        lambda content: content.pairs[0].update(
            rejected_response_id=content.pairs[0]["chosen_response_id"]
        )
    ],
    "1 pairs are there twice": [
        lambda content: content.pairs.append(content.pairs[0]),
        lambda content: content.dropped_pairs.append(content.pairs[0]),
    ],
    "1 kept pairs have a reason to be dropped": [
        lambda content: content.drops.append(
            Drop("pairs", content.pairs[0]["pair_id"], None, "filters.margin", "below_min")
        )
    ],
    "1 dropped pairs have no reason": [lambda content: content.drops.pop()],
    "1 prompts are staged twice": [lambda content: content.prompts.append(content.prompts[0])],
    "1 responses are staged twice": [
        lambda content: content.responses.append(content.responses[0])
    ],
    "1 judgments are staged twice": [
        lambda content: content.judgments.append(content.judgments[0])
    ],
}


@pytest.mark.parametrize(
    ("message", "break_it"), [(message, one) for message, all_ in BROKEN.items() for one in all_]
)
def test_what_must_never_be_published_is_refused(tmp_path, message, break_it):
    content = make_content(3)
    break_it(content)
    with pytest.raises(StoreError, match=message):
        write(content, tmp_path)


def test_the_refusal_names_rows(tmp_path):
    content = make_content(3)
    set_text(content, 0, " ")
    with pytest.raises(StoreError, match=content.pairs[0]["pair_id"]):
        write(content, tmp_path)


def test_a_dropped_pair_may_be_of_blank_texts(tmp_path):
    content = make_content(2)
    set_text(content, 1, "")
    assert write(content, tmp_path)["drops/part-00000-of-00001.parquet"].rows == 2


def test_published_pairs_load_by_datasets_streaming_and_not(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")
    write(make_content(30), tmp_path / "set", publish=HALVES)
    files = {"train": str(tmp_path / "set/version/pairs/train-*.parquet")}
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
    streamed = datasets.load_dataset(
        "parquet", data_files=files, split="train", streaming=True, cache_dir=cache
    )
    rows = list(streamed)
    assert loaded.to_list() == rows
    assert [row["order_key"] for row in rows] == list(range(len(rows)))
    assert rows[0]["chosen"][0].keys() == {"role", "content"}
    assert set(loaded.column_names) == set(PLAIN_PAIRS.names)
    traps = {"margin", "image", "images", "chosen_ids", "rejected_ids", "tools", "label"}
    assert not traps & set(loaded.column_names)


def test_published_tables_are_read_alike_by_duckdb_and_polars(tmp_path):
    write(make_content(20), tmp_path)
    for table in PUBLISHED:
        files = f"{tmp_path}/version/{table}/*.parquet"
        assert (
            duckdb.sql(f"FROM read_parquet('{files}')").pl().rows() == pl.read_parquet(files).rows()
        )


@given(st.lists(st.text(max_size=8)), st.integers(0, 2**32))
def test_a_groups_split_depends_on_no_other_group(groups, seed):
    shares = {"train": Decimal("0.6"), "dev": Decimal("0.1"), "test": Decimal("0.3")}
    series = pl.Series(groups, dtype=pl.String)
    draws = [draw_unit(seed, "split", group) for group in groups]
    splits = ["dev" if draw < 0.1 else "test" if draw < 0.4 else "train" for draw in draws]
    assert split_of_groups(series, shares, seed).to_list() == splits
    assert split_of_groups(series, dict(reversed(shares.items())), seed).to_list() == splits


def test_splits_take_their_shares_of_the_groups():
    shares = {"train": Decimal("0.9"), "test": Decimal("0.1"), "none": Decimal(0)}
    groups = pl.Series([str(n) for n in range(20_000)])
    splits = split_of_groups(groups, shares, 3).to_list()
    assert set(splits) == {"train", "test"}
    assert 1800 < splits.count("test") < 2200  # five standard deviations are 212


@given(st.integers(0, 10**6), st.one_of(st.integers(1, 200), st.just("auto")))
def test_shards_differ_by_at_most_one_row_and_none_is_empty(rows, shards):
    sizes = shard_rows(rows, shards)
    assert sum(sizes) == rows
    assert all(size > 0 for size in sizes)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"splits": {"train": Decimal("0.9")}}, "sum to 1, not 0.9"),
        ({"splits": {"a": Decimal("1.5"), "b": Decimal("-0.5")}}, "at least 0"),
        ({"splits": {}}, "sum to 1"),
        ({"splits": {"a-b": Decimal(1)}}, "must match"),
        ({"shards": 0}, "a number of at least 1"),
        ({"row_group_rows": 100}, "2048"),
    ],
)
def test_a_wrong_publish_table_is_refused(table, message):
    with pytest.raises(RecipeError, match=message):
        load_table(Publish, table, Where("r.toml", "[publish]", Path()))


def test_a_pair_joins_its_texts_by_id_and_never_by_position(tmp_path):
    content = make_content(40)
    content.pairs = [
        pair(prompt, *(f"{prompt.prompt_id[:24]}-r{index}" for index in (0, 2)), 2_000_000)
        for prompt in reversed(content.prompts)
    ]
    write(content, tmp_path, order=5)
    texts = {response.response_id: response.text for response in content.responses}
    for row in read(tmp_path, "pairs").iter_rows(named=True):
        assert row["chosen"][0]["content"] == texts[row["chosen_response_id"]]
        assert row["rejected"][0]["content"] == texts[row["rejected_response_id"]]


def test_evidence_that_cannot_be_read_is_a_store_error(tmp_path):
    content = make_content(2)
    content.dropped_pairs.clear()
    staged = stage(content, tmp_path / "staged")
    selected = content.selected(staged)
    (staged / f"judgments/0{ROWS}").write_bytes(b"ARROW1")
    with pytest.raises(StoreError, match="the tables cannot be written"):
        write_tables(staged, selected, NO_DROPS, Publish(), SEED, tmp_path / "version")


@pytest.mark.parametrize("ids", ["{:032x}", "pair-{}"])
def test_reasons_lie_in_one_order_whatever_their_ids_and_however_many_a_pair_has(tmp_path, ids):
    reasons = pl.DataFrame(
        [
            {"level": "pairs", "id": ids.format(number * 7919 % 101), "prompt_id": "p", "step": step,
             "reason": f"reason {number % 3}", "detail": detail, "pair": None}
            for number in range(100)
            for step, detail in (("filters.b", "y"), ("filters.b", "x"), ("filters.a", None))
        ],
        schema=DROP_COLUMNS | {"pair": pl.UInt32},
    )  # fmt: skip
    expected = reasons.sort(ORDER, nulls_last=True)
    assert _in_order(reasons).equals(expected)
    once = reasons.unique(["id", "step", "reason"])
    assert _in_order(once.reverse()).equals(once.sort(ORDER, nulls_last=True))
