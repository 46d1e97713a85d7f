"""Forgetting refusals: the next build asks again, and no paid text is ever lost by it."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.backend import Completion, Reply
from pipelines.calls.failed import Cause, count_causes, find_refusals, forget
from pipelines.calls.ledger import Ledger, partition_of, request_key
from pipelines.calls.lines import frame
from pipelines.calls.segments import PARTITIONS
from pipelines.calls.voids import Place, write_voids
from pipelines.errors import StoreError

MODEL = "https://api.example/v1#m"
REFUSED = Completion(None, error="HTTP 400: too long", status=400)
PAID = Completion("paid")


def key_of(number: int) -> bytes:
    return request_key("identity", "m", (), None, {"number": number})


def refuse(ledger: Ledger, number: int, unit: str = "unit", status: int = 400) -> None:
    refused = Completion(None, error=f"HTTP {status}: no", status=status)
    ledger.put(unit, key_of(number), [0], Reply((refused,), None), MODEL)


def buy(ledger: Ledger, number: int, unit: str = "unit", text: str = "paid") -> None:
    ledger.put(unit, key_of(number), [0], Reply((Completion(text),), None), MODEL)


def answer(ledger: Ledger, number: int, unit: str = "unit", index: int = 0) -> str | None:
    """The text or the error of a sample; None where it is still to be bought."""
    found = ledger.get(unit, key_of(number), index)
    return None if found is None else found.text or found.error


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


def test_a_forgotten_refusal_is_asked_again_and_what_was_paid_stays(folder: Path) -> None:
    with Ledger(folder) as ledger:
        buy(ledger, 0)
        refuse(ledger, 1)
    forget(folder, find_refusals(folder))
    with Ledger(folder) as ledger:
        assert (answer(ledger, 0), answer(ledger, 1)) == ("paid", None)
        assert ledger.samples == 1
    assert list(find_refusals(folder)) == []


def test_what_is_bought_afterwards_counts_and_so_does_a_new_refusal(folder: Path) -> None:
    with Ledger(folder) as ledger:
        refuse(ledger, 0)
        refuse(ledger, 1)
    forget(folder, find_refusals(folder))
    with Ledger(folder) as ledger:
        buy(ledger, 0)
        refuse(ledger, 1, status=413)
    with Ledger(folder) as ledger:
        assert (answer(ledger, 0), answer(ledger, 1)) == ("paid", "HTTP 413: no")
    assert [one.cause.status for one in find_refusals(folder)] == [413]


def test_the_order_of_writers_by_name_decides_nothing(folder: Path) -> None:
    """A clock that is behind gives later voids and later texts the earlier file names."""
    with Ledger(folder) as ledger:
        ledger._segments._writer = "2026"
        refuse(ledger, 0)
        refuse(ledger, 1)
    forget(folder, find_refusals(folder))
    (void,) = folder.glob("p*/*.void")
    for early in ("2001", "2050"):
        void = void.rename(void.with_name(f"{early}.void"))
        with Ledger(folder) as ledger:
            assert (answer(ledger, 0), answer(ledger, 1)) == (None, None)
    with Ledger(folder) as ledger:
        ledger._segments._writer = "2010"
        buy(ledger, 0, text="from 2010")
    with Ledger(folder) as ledger:
        assert (answer(ledger, 0), answer(ledger, 1)) == ("from 2010", None)


def test_equal_places_in_two_partitions_are_two_records(folder: Path) -> None:
    """A writer's segments have one name in all partitions, and their first records one offset."""
    ours, theirs = "0", next(str(n) for n in range(99) if partition_of(str(n)) != partition_of("0"))
    with Ledger(folder) as ledger:
        refuse(ledger, 0, ours)
        refuse(ledger, 1, theirs)
    one, two = find_refusals(folder)
    assert (one.place.file, one.place.offset) == (two.place.file, two.place.offset)
    forget(folder, [one])
    assert list(find_refusals(folder)) == [two]


def test_a_build_that_is_running_still_replays_what_was_forgotten_meanwhile(folder: Path) -> None:
    with Ledger(folder) as ledger:
        refuse(ledger, 0)
        forget(folder, find_refusals(folder))
        assert answer(ledger, 0) == "HTTP 400: no"
    with Ledger(folder) as ledger:
        assert answer(ledger, 0) is None


def test_of_a_record_with_both_only_the_refused_samples_go(folder: Path) -> None:
    with Ledger(folder) as ledger:
        ledger.put("unit", key_of(0), [0, 1, 2], Reply((PAID, REFUSED, REFUSED), None), MODEL)
    (refusal,) = find_refusals(folder)
    assert refusal.samples == 2
    forget(folder, [refusal])
    with Ledger(folder) as ledger:
        assert [answer(ledger, 0, index=index) for index in range(3)] == ["paid", None, None]


def test_a_void_that_names_a_paid_record_or_another_one_hits_nothing(folder: Path) -> None:
    with Ledger(folder) as ledger:
        buy(ledger, 0)
        refuse(ledger, 1)
    (refusal,) = find_refusals(folder)
    place = refusal.place
    paid = Place(place.partition, place.file, 1, key_of(0))
    write_voids(
        folder, [paid, place._replace(offset=1), place._replace(key=key_of(0)),
                 place._replace(file="other.jsonl")]
    )  # fmt: skip
    with Ledger(folder) as ledger:
        assert (answer(ledger, 0), answer(ledger, 1)) == ("paid", "HTTP 400: no")


def test_refusals_are_counted_by_model_status_and_message(folder: Path) -> None:
    with Ledger(folder) as ledger:
        buy(ledger, 9)
        for number in range(3):
            refuse(ledger, number)
        refuse(ledger, 3, status=413)
        old = Reply((Completion(None, error="HTTP 400: no", status=400),), None)
        ledger.put("unit", key_of(4), [0], old)  # written before records held a model
    assert count_causes(find_refusals(folder)) == [
        (Cause(MODEL, 400, "HTTP 400: no"), 3),
        (Cause(None, 400, "HTTP 400: no"), 1),
        (Cause(MODEL, 413, "HTTP 413: no"), 1),
    ]
    assert count_causes(find_refusals(folder, {MODEL}, 400)) == [
        (Cause(MODEL, 400, "HTTP 400: no"), 3)
    ]
    assert list(find_refusals(folder, {"another#m"})) == []


def test_a_paid_text_that_speaks_of_an_error_is_no_refusal(folder: Path) -> None:
    with Ledger(folder) as ledger:
        buy(ledger, 0, text='{"error": "HTTP 400"}')
        ledger.put("unit", key_of(1), [0], Reply((Completion("cut off", error="late"),), None))
    assert list(find_refusals(folder)) == []


def test_a_record_names_the_model_only_where_it_refused(folder: Path) -> None:
    with Ledger(folder) as ledger:
        buy(ledger, 0)
        (file,) = folder.glob("p*/*.jsonl")
        assert MODEL.encode() not in file.read_bytes()
        refuse(ledger, 1)
    assert file.read_bytes().count(MODEL.encode()) == 1


def test_an_absent_ledger_has_no_refusals_and_stays_absent(folder: Path) -> None:
    assert list(find_refusals(folder)) == []
    forget(folder, [])
    assert not folder.exists()


def test_a_void_of_a_newer_version_stops_with_the_file_and_what_helps(folder: Path) -> None:
    file = folder / "p00" / "later.void"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\n%b\n" % frame(bytes(16), b'{"v":2}'))
    with pytest.raises(StoreError, match=r"later\.void: byte 1: .*version 2.*upgrade"):
        Ledger(folder)


# Damage

COUNT = 6


@pytest.fixture(scope="module")
def forgotten() -> tuple[dict[str, bytes], str]:
    """A ledger of paid samples (even numbers) and forgotten refusals (odd), and its void file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Ledger(folder) as ledger:
            for number in range(COUNT):
                (refuse if number % 2 else buy)(ledger, number)
        forget(folder, find_refusals(folder))
        files = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
    (void,) = (path for path in files if path.endswith(".void"))
    return files, void


def answers(files: dict[str, bytes]) -> list[str | None]:
    with tempfile.TemporaryDirectory() as name:
        for path, content in files.items():
            file = Path(name) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        with Ledger(Path(name)) as ledger:
            return [answer(ledger, number) for number in range(COUNT)]


def test_a_void_file_cut_at_any_byte_forgets_exactly_what_its_whole_lines_name(
    forgotten: tuple[dict[str, bytes], str],
) -> None:
    files, void = forgotten
    whole = files[void]
    ends = [place for place in range(len(whole)) if whole[place - 1 : place + 1] == b"}\n"]
    for cut in range(len(whole) + 1):
        torn = answers(files | {void: whole[:cut]})
        forgets = sum(end < cut for end in ends)
        assert torn[::2] == ["paid"] * 3
        assert torn[1::2] == [None] * forgets + ["HTTP 400: no"] * (3 - forgets)


@settings(deadline=None)
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255), in_void=st.booleans())
def test_a_byte_changed_anywhere_brings_back_one_refusal_or_loses_one_record(
    forgotten: tuple[dict[str, bytes], str], place: int, flip: int, in_void: bool
) -> None:
    files, void = forgotten
    path = void if in_void else next(path for path in files if path != void)
    changed = bytearray(files[path])
    changed[place % len(changed)] ^= flip
    found = answers(files | {path: bytes(changed)})
    if in_void:
        assert found[::2] == ["paid"] * 3
        assert sorted(map(str, found[1::2])) == ["HTTP 400: no", "None", "None"]
    else:
        assert found[1::2] == [None] * 3
        assert found[::2].count("paid") >= 2


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(("buy", "refuse", "forget")),
            st.integers(0, 3),
            st.integers(0, 2),
        ),
        max_size=12,
    )
)
def test_forgetting_equals_a_ledger_without_the_refusals_that_were_there_then(
    steps: list[tuple[str, int, int]],
) -> None:
    """Several writers of any name buy, are refused and forget, in any order."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        kept: list[tuple[str, int, int]] = []
        for kind, number, writer in steps:
            if kind == "forget":
                forget(Path(one), find_refusals(Path(one)))
                kept = [step for step in kept if step[0] == "buy"]
            else:
                play(Path(one), kind, number, writer)
                kept.append((kind, number, writer))
        for kind, number, writer in kept:
            play(Path(two), kind, number, writer)
        with Ledger(Path(one)) as real, Ledger(Path(two)) as model:
            for number in range(4):
                assert answer(real, number) == answer(model, number)


def play(folder: Path, kind: str, number: int, writer: int) -> None:
    """One record, appended to the segment of `writer`."""
    partition = folder / f"p{partition_of('unit'):02x}"
    file = partition / f"{writer}.jsonl"
    with tempfile.TemporaryDirectory() as aside:
        with Ledger(Path(aside)) as ledger:
            (buy if kind == "buy" else refuse)(ledger, number)
        (written,) = Path(aside).glob("p*/*.jsonl")
        partition.mkdir(exist_ok=True)
        with file.open("ab") as segment:
            segment.write(written.read_bytes())


def test_all_partitions_are_searched(folder: Path) -> None:
    units = {partition_of(str(n)): str(n) for n in range(2000)}
    assert len(units) == PARTITIONS
    with Ledger(folder) as ledger:
        for number, unit in enumerate(units.values()):
            refuse(ledger, number, unit)
    assert len(list(find_refusals(folder))) == PARTITIONS
