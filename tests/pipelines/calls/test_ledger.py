"""The ledger on real files: what was put comes back exactly, whatever happens to the files."""

import errno
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.backend import Completion, Reply, TokenLogprob
from pipelines.calls.ledger import Ledger, partition_of, request_key
from pipelines.calls.lines import frame
from pipelines.calls.prices import Usage
from pipelines.calls.segments import PARTITIONS, Segments
from pipelines.errors import StoreError
from schemas.rows import Message, ToolCall

ROOT = Path(__file__).parents[3]
KEY = request_key("https://api.example/v1", "m", (Message("user", "hi"),), None, {})
COUNT = st.none() | st.integers(0, 2**53)


def completions() -> st.SearchStrategy[Completion]:
    return st.builds(
        Completion,
        text=st.none() | st.text(),
        reasoning=st.none() | st.text(),
        tool_calls=st.lists(st.from_type(ToolCall), max_size=2).map(tuple),
        logprobs=st.none() | st.lists(st.from_type(TokenLogprob), max_size=3).map(tuple),
        completion_tokens=COUNT,
        prompt_tokens=COUNT,
        status=COUNT,
        finish_reason=st.none() | st.text(),
        refusal=st.none() | st.text(),
        error=st.none() | st.text(),
    )


def key_of(number: int) -> bytes:
    return request_key("identity", "m", (Message("user", f"question {number}"),), None, {})


def reply_of(*texts: str) -> Reply:
    return Reply(tuple(Completion(text) for text in texts), Usage(1, None, 2, None))


def text_of(ledger: Ledger, key: bytes, index: int = 0, unit: str = "unit") -> str | None:
    completion = ledger.get(unit, key, index)
    return None if completion is None else completion.text


def segment_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("p*/*.jsonl"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


# Keys


def test_the_keys_and_partitions_of_version_1_never_change():
    messages = (Message("system", "be brief"), Message("user", "héllo"))
    key = request_key("https://api.example/v1", "gpt", messages, "[]", {"temperature": 0.5})
    assert key.hex() == "7eecc39f8dd530d44d91459f78171a91"
    assert [partition_of(unit) for unit in ("", "00ff", "é")] == [35, 9, 10]


def test_all_that_decides_a_text_is_in_the_request_key():
    messages = (Message("user", "hi"),)
    keys = {
        request_key("a", "m", messages, None, {}),
        request_key("b", "m", messages, None, {}),
        request_key("a", "n", messages, None, {}),
        request_key("a", "m", (Message("user", "hi "),), None, {}),
        request_key("a", "m", (Message("system", "hi"),), None, {}),
        request_key("a", "m", messages, "[]", {}),
        request_key("a", "m", messages, None, {"temperature": 0.0}),
    }
    assert len(keys) == 7
    assert {len(key) for key in keys} == {16}


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_any_text_has_a_partition(unit_id: str):
    assert partition_of(unit_id) in range(PARTITIONS)


# What was put comes back


@settings(deadline=None)
@given(st.lists(completions(), min_size=1, max_size=3))
def test_every_field_of_a_completion_comes_back_exactly_before_and_after_reopening(
    given: list[Completion],
):
    with tempfile.TemporaryDirectory() as folder:
        with Ledger(Path(folder)) as ledger:
            ledger.put("unit", KEY, list(range(5, 5 + len(given))), Reply(tuple(given), None))
            now = [ledger.get("unit", KEY, 5 + place) for place in range(len(given))]
        with Ledger(Path(folder)) as ledger:
            later = [ledger.get("unit", KEY, 5 + place) for place in range(len(given))]
    assert repr(now) == repr(later) == repr(given)  # repr: NaN is not equal to itself


def test_a_final_refusal_is_stored_and_comes_back_as_one(folder: Path):
    refusal = Completion(None, error="400: the prompt is too long", status=400)
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0, 1], Reply((refusal, refusal), None))
    with Ledger(folder) as ledger:
        assert ledger.get("unit", KEY, 1) == refusal


def test_raising_n_from_4_to_8_finds_samples_0_to_3_and_misses_4_to_7(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0, 1, 2, 3], reply_of("a", "b", "c", "d"))
    with Ledger(folder) as ledger:
        assert [text_of(ledger, KEY, index) for index in range(8)] == [*"abcd", *[None] * 4]
        ledger.put("unit", KEY, [4, 6], reply_of("e", "g"))
        ledger.put("unit", KEY, [5, 7], reply_of("f", "h"))
    with Ledger(folder) as ledger:
        assert [text_of(ledger, KEY, index) for index in range(8)] == [*"abcdefgh"]
        assert ledger.samples == 8


def test_choices_beyond_the_indices_asked_for_are_not_stored(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [2], reply_of("wanted", "too many"))
        ledger.put("unit", KEY, [], reply_of("nothing was asked"))
        assert [text_of(ledger, KEY, index) for index in range(4)] == [None, None, "wanted", None]
        assert ledger.samples == 1


def test_fewer_completions_than_indices_are_a_mistake_of_the_caller(folder: Path):
    with Ledger(folder) as ledger, pytest.raises(ValueError, match="2 indices, but 1 completions"):
        ledger.put("unit", KEY, [0, 1], reply_of("one"))


def test_a_lone_surrogate_is_replaced_and_the_rest_of_the_text_kept(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0], reply_of("a\ud800b \ud83d\ude00\n"))
        assert text_of(ledger, KEY) == "a\ufffdb \U0001f600\n"


def test_usage_and_time_are_in_the_record_for_people(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0], reply_of("a"))
    (file,) = segment_files(folder)
    checksum, key, text = file.read_text().strip().split(" ", 2)
    record = orjson.loads(text)
    assert (len(checksum), key) == (8, KEY.hex())
    assert record["usage"]["completion_tokens"] == 2
    assert record["at"].endswith("+00:00")
    assert record["completions"] == [{"text": "a"}]


def test_opening_and_reading_an_empty_ledger_leaves_nothing_on_disk(folder: Path):
    with Ledger(folder) as ledger:
        assert ledger.get("unit", KEY, 0) is None
        assert ledger.samples == 0
    assert not folder.exists()


# Several writers


def test_two_writers_in_one_folder_keep_out_of_each_others_files(folder: Path):
    with Ledger(folder) as one, Ledger(folder) as two:
        for number in range(0, 40, 2):
            one.put("unit", key_of(number), [0], reply_of(f"one {number}"))
            two.put("unit", key_of(number + 1), [0], reply_of(f"two {number + 1}"))
        assert text_of(one, key_of(1)) is None  # bought after it opened
    assert len(segment_files(folder)) == 2
    with Ledger(folder) as both:
        texts = [text_of(both, key_of(number)) for number in range(40)]
    assert texts == [f"{('one', 'two')[number % 2]} {number}" for number in range(40)]
    assert both.damaged == []


def test_a_sample_that_two_builds_paid_for_is_the_first_by_file_name_wherever_it_is_read(
    folder: Path, tmp_path: Path
):
    with Ledger(folder) as one, Ledger(folder) as two:
        two.put("unit", KEY, [0], reply_of("two"))
        one.put("unit", KEY, [0], reply_of("one"))
    first, second = segment_files(folder)
    with Ledger(folder) as ledger:
        chosen = text_of(ledger, KEY)
        assert ledger.samples == 1
    assert f'"{chosen}"' in first.read_text()
    merged = tmp_path / "merged" / first.parent.name
    merged.mkdir(parents=True)
    for file in (second, first):
        (merged / file.name).write_bytes(file.read_bytes())
    with Ledger(merged.parent) as ledger:
        assert text_of(ledger, KEY) == chosen


def test_a_line_that_another_build_is_writing_now_is_passed_over_and_left_alone(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0], reply_of("whole"))
    (file,) = segment_files(folder)
    with file.open("ab") as other:
        other.write(b"\n0badc0de 00")
    before = file.read_bytes()
    with Ledger(folder) as ledger:
        ledger.put("unit", key_of(1), [0], reply_of("mine"))
        assert (text_of(ledger, KEY), text_of(ledger, key_of(1))) == ("whole", "mine")
        assert [(entry.file, entry.why) for entry in ledger.damaged] == [
            (file, "the last line has no end")
        ]
    assert file.read_bytes() == before


def test_a_ledger_of_some_partitions_loads_those_and_refuses_the_others(folder: Path):
    ours, theirs = "0", next(str(n) for n in range(99) if partition_of(str(n)) != partition_of("0"))
    with Ledger(folder) as ledger:
        ledger.put(ours, key_of(0), [0], reply_of("ours"))
        ledger.put(theirs, key_of(1), [0], reply_of("theirs"))
    with Ledger(folder, {partition_of(ours)}) as shard:
        assert shard.samples == 1
        assert text_of(shard, key_of(0), unit=ours) == "ours"
        with pytest.raises(ValueError, match="was not loaded"):
            shard.get(theirs, key_of(1), 0)


def test_an_equal_request_of_another_unit_is_found_in_any_loaded_partition(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("one", KEY, [0], reply_of("paid once"))
        assert {text_of(ledger, KEY, unit=str(unit)) for unit in range(99)} == {"paid once"}


def test_more_segments_than_may_be_open_can_all_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipelines.calls.segments.MOST_READERS", 2)
    with Ledger(folder) as ledger:
        for number in range(30):
            ledger.put(str(number), key_of(number), [0], reply_of(str(number)))
        for number in [*range(30), *range(30)]:
            assert text_of(ledger, key_of(number), unit=str(number)) == str(number)
            assert len(ledger._segments._readers) <= 2


# Damage

TEXTS = ["plain", "two\nlines", "é \U0001f600 " * 3, "", "0badc0de 00 {}", "last"]


@pytest.fixture(scope="module")
def recorded() -> tuple[bytes, str, list[int]]:
    """A segment with one record for each of TEXTS, its path in the ledger, and where each ends."""
    with tempfile.TemporaryDirectory() as name, Ledger(Path(name)) as ledger:
        ends = []
        for number, text in enumerate(TEXTS):
            ledger.put("unit", key_of(number), [0, 1], reply_of(text, f"{text}!"))
            (file,) = segment_files(Path(name))
            ends.append(file.stat().st_size)
        return file.read_bytes(), str(file.relative_to(name)), ends


def replay(segment: bytes, path: str) -> tuple[list[list[str | None]], int]:
    """What a ledger of this one segment gives for each record, and how much damage it found."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / path
        file.parent.mkdir(parents=True)
        file.write_bytes(segment)
        with Ledger(Path(name)) as ledger:
            numbers = range(len(TEXTS))
            texts = [[text_of(ledger, key_of(n), index) for index in (0, 1)] for n in numbers]
            return texts, len(ledger.damaged)


def test_a_segment_cut_at_any_byte_loses_only_the_records_that_end_beyond_the_cut(
    recorded: tuple[bytes, str, list[int]],
):
    segment, path, ends = recorded
    for cut in range(len(segment) + 1):
        texts, damaged = replay(segment[:cut], path)
        kept = sum(end <= cut for end in ends)
        assert texts[:kept] == [[text, f"{text}!"] for text in TEXTS[:kept]]
        assert texts[kept:] == [[None, None]] * (len(TEXTS) - kept)
        assert damaged == (cut not in {0, *ends} and cut - 1 not in {0, *ends})


@settings(deadline=None)
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255))
def test_a_byte_changed_anywhere_loses_only_its_record_and_never_changes_a_text(
    recorded: tuple[bytes, str, list[int]], place: int, flip: int
):
    segment, path, ends = recorded
    place %= len(segment)
    changed = bytearray(segment)
    changed[place] ^= flip
    texts, damaged = replay(bytes(changed), path)
    lost = sum(end <= place for end in ends)
    assert damaged >= 1
    assert texts == [
        [None, None] if number == lost else [text, f"{text}!"] for number, text in enumerate(TEXTS)
    ]


@pytest.mark.parametrize("flip", [1, 10, 32, 128])
def test_every_newline_of_a_segment_may_be_changed_without_touching_a_neighbour(
    recorded: tuple[bytes, str, list[int]], flip: int
):
    segment, path, _ = recorded
    for place in [place for place, byte in enumerate(segment) if byte == ord("\n")]:
        changed = bytearray(segment)
        changed[place] ^= flip
        texts, _ = replay(bytes(changed), path)
        assert sum(text[0] is None for text in texts) == 1


def test_damage_is_reported_with_file_and_byte(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0], reply_of("good"))
    (file,) = segment_files(folder)
    good = file.read_bytes()
    file.write_bytes(b"\n00000000 \n\n" + frame(KEY, b"{}").replace(b"{", b"[") + b"\n" + good)
    with Ledger(folder) as ledger:
        assert text_of(ledger, KEY) == "good"
        assert [tuple(entry) for entry in ledger.damaged] == [
            (file, 1, "there is no request key"),
            (file, 12, "the checksum differs"),
        ]


def test_a_record_of_a_newer_version_stops_with_the_file_and_what_helps(folder: Path):
    file = folder / "p00" / "later.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\n%b\n" % frame(KEY, b'{"v":2,"samples":{}}'))
    with pytest.raises(StoreError, match=r"later\.jsonl: byte 1: .*version 2.*upgrade"):
        Ledger(folder)


@pytest.mark.parametrize(
    "text",
    [
        b'{"indices":[3],"v":1,"completions":[{"text":"good"}]}',
        b'{"v": 1, "indices": [ 3 ], "completions": [{"text": "good"}]}',
        b'{"v":1,"completions":[{"text":"good"}],"indices":[3]}',
    ],
)
def test_a_record_that_another_program_wrote_may_have_its_fields_in_any_order(
    folder: Path, text: bytes
):
    with Ledger(folder) as ledger:
        ledger.put("unit", key_of(0), [0], reply_of("before"))
        ledger.put("unit", key_of(2), [0, 1], reply_of("after", "it"))
    (file,) = segment_files(folder)
    first, second = file.read_bytes().split(b"\n\n")
    file.write_bytes(b"\n\n".join([first, frame(key_of(1), text), second]))
    with Ledger(folder) as ledger:
        found = [text_of(ledger, key_of(n), i) for n, i in ((0, 0), (1, 3), (2, 0), (2, 1))]
        assert found == ["before", "good", "after", "it"]
        assert (ledger.samples, ledger.damaged) == (4, [])


def test_a_line_longer_than_a_block_is_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipelines.calls.blocks.BLOCK", 64)
    texts = ["long " * 1000, "short", "longer " * 5000]
    with Ledger(folder) as ledger:
        for number, text in enumerate(texts):
            ledger.put("unit", key_of(number), [0], reply_of(text))
    with Ledger(folder) as ledger:
        assert [text_of(ledger, key_of(number)) for number in range(3)] == texts


def test_a_record_that_changes_under_an_open_ledger_is_an_error_and_not_a_text(folder: Path):
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0], reply_of("good"))
        (file,) = segment_files(folder)
        file.write_bytes(file.read_bytes().replace(b"good", b"evil"))
        with pytest.raises(StoreError, match="the checksum differs, and it was sound"):
            ledger.get("unit", KEY, 0)


# Writing


def test_a_write_that_takes_a_few_bytes_at_a_time_still_writes_the_whole_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    write = os.write
    monkeypatch.setattr(
        "pipelines.calls.segments.os.write", lambda file, line: write(file, line[:7])
    )
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0, 1], reply_of("short", "writes"))
    with Ledger(folder) as ledger:
        assert (text_of(ledger, KEY, 0), text_of(ledger, KEY, 1)) == ("short", "writes")


def test_a_write_that_fails_half_way_spoils_no_later_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    write = os.write

    def full(file: int, line: bytes) -> int:
        write(file, line[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with Ledger(folder) as ledger:
        ledger.put("unit", key_of(0), [0], reply_of("before"))
        with monkeypatch.context() as patch:
            patch.setattr("pipelines.calls.segments.os.write", full)
            with pytest.raises(StoreError, match="No space left on device"):
                ledger.put("unit", key_of(1), [0], reply_of("lost"))
        ledger.put("unit", key_of(2), [0], reply_of("after"))
        texts = [text_of(ledger, key_of(number)) for number in range(3)]
    with Ledger(folder) as ledger:
        assert [text_of(ledger, key_of(number)) for number in range(3)] == texts
        assert texts == ["before", None, "after"]
        assert len(ledger.damaged) == 1


def test_a_written_segment_is_synced_in_the_background_and_again_at_close(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    synced: list[str] = []
    seen = threading.Event()

    def fsync(path: Path) -> None:
        synced.append(path.name)
        if path.suffix == ".jsonl":
            seen.set()

    monkeypatch.setattr("pipelines.calls.syncer._fsync", fsync)
    with Ledger(folder) as ledger:
        ledger.put("unit", key_of(0), [0], reply_of("a"))
        (file,) = segment_files(folder)
        assert seen.wait(60)
        ledger.put("unit", key_of(1), [0], reply_of("b"))
    assert synced.count(file.name) == 2
    assert {file.parent.name, folder.name, folder.parent.name} <= set(synced)


def test_a_sync_that_fails_stops_the_next_put_and_the_close(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    failed = threading.Event()

    def fsync(path: Path) -> None:
        if path.suffix == ".jsonl":
            failed.set()
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("pipelines.calls.syncer._fsync", fsync)
    ledger = Ledger(folder)
    ledger.put("unit", key_of(0), [0], reply_of("a"))
    assert failed.wait(60)
    ledger._segments._syncer.stop()
    with pytest.raises(StoreError, match="Input/output error"):
        ledger.put("unit", key_of(1), [0], reply_of("b"))
    with pytest.raises(StoreError, match="cannot be synced"):
        ledger.close()


def test_a_file_system_that_cannot_sync_folders_will_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def fsync(path: Path) -> None:
        if path.is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("pipelines.calls.syncer._fsync", fsync)
    with Ledger(folder) as ledger:
        ledger.put("unit", KEY, [0], reply_of("a"))
    with Ledger(folder) as ledger:
        assert text_of(ledger, KEY) == "a"


CHILD = """
import sys
from pathlib import Path
from pipelines.backend import Completion, Reply
from pipelines.calls.ledger import Ledger, request_key

ledger = Ledger(Path(sys.argv[1]))
for number in range(10**9):
    key = request_key("identity", "m", (), None, {"number": number})
    ledger.put(str(number), key, [0, 1], Reply((Completion(f"{number} " * 300),) * 2, None))
    print(number, flush=True)
"""


@pytest.mark.parametrize("moment", [1, 50, 333])
def test_sigkill_loses_nothing_that_a_put_returned_for(folder: Path, moment: int):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout as output:
        printed = [int(next(output)) for _ in range(moment)]
        child.kill()
        printed += [int(line) for line in output if line.endswith("\n")]
    assert child.returncode == -9
    with Ledger(folder) as ledger:
        for number in printed:
            key = request_key("identity", "m", (), None, {"number": number})
            for index in (0, 1):
                assert text_of(ledger, key, index, str(number)) == f"{number} " * 300
        assert ledger.samples <= 2 * (len(printed) + 1)
        assert len(ledger.damaged) <= 1


def test_scanning_goes_by_partition_file_name_and_offset(folder: Path):
    for name in ("p01/a", "p00/b", "p00/a"):
        file = folder / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(b"\n%b\n" % frame(KEY, b"%d" % number) for number in range(2)))
    segments = Segments(folder)
    found = [
        (segments.file(location).relative_to(folder).as_posix(), text)
        for location, _, text in segments.scan({1, 0})
    ]
    files = ("p00/a.jsonl", "p00/b.jsonl", "p01/a.jsonl")
    assert found == [(file, text) for file in files for text in (b"0", b"1")]
