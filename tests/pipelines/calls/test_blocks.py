"""Blocks: all lines judged at once are judged as each by itself."""

import tempfile
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.calls.blocks import read_blocks
from pipelines.calls.lines import fault, frame, unframe
from pipelines.errors import StoreError

KEY = bytes(range(16))


def checked(rest: bytes) -> bytes:
    """A line with a sound checksum, whatever stands behind it."""
    return b"%08x %b" % (crc32(rest), rest)


sound = st.builds(frame, st.binary(min_size=16, max_size=16), st.binary(max_size=90)).filter(
    lambda line: b"\n" not in line
)
odd = st.one_of(
    st.sampled_from([b"", b" ", b"00000000 ", b"00000000", frame(KEY, b""), frame(KEY, b"")[:-1]]),
    st.binary(max_size=60),
    st.builds(checked, st.binary(max_size=60)),
    st.builds(checked, st.from_regex(rb"[0-9a-fA-F\t ]{30,34} [a-z]*", fullmatch=True)),
    st.builds(lambda line: line.upper(), sound),
)
lines = st.lists(st.tuples(sound | odd, st.integers(1, 3)), max_size=12)


def by_line(content: bytes) -> tuple[list[tuple[int, int, bytes, bytes]], list[tuple[int, str]]]:
    """What a file holds, read one line after another."""
    found, broken, offset = [], [], 0
    *whole, torn = content.split(b"\n")
    for line in whole:
        if fault(line) and line:
            broken.append((offset, fault(line)))
        elif line:
            found.append((offset, len(line), *unframe(line)))
        offset += len(line) + 1
    if torn:
        broken.append((offset, "the last line has no end"))
    return found, broken


def by_block(content: bytes) -> tuple[list[tuple[int, int, bytes, bytes]], list[tuple[int, str]]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "segment.jsonl"
        file.write_bytes(content)
        found, broken = [], []
        for block in read_blocks(file):
            found += list(block.records())
            broken += block.broken
        return found, broken


@given(lines, odd | sound, st.integers(1, 300))
def test_a_block_finds_what_one_line_after_another_finds(
    written: list[tuple[bytes, int]], torn: bytes, size: int
):
    content = b"\n".join(b"\n" * (gap - 1) + line for line, gap in written)
    content += b"\n" * bool(written) + torn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.calls.blocks.BLOCK", size)
        found, broken = by_block(content)
    assert (found, sorted(broken)) == by_line(content)


@pytest.mark.parametrize("length", [1, 41, 42, 43, 100])
def test_a_line_of_any_length_with_a_sound_checksum_needs_a_request_key(length: int):
    rest = b"0" * (length - 9) if length > 9 else b""
    line = checked(rest)
    assert by_block(b"\n" + line + b"\n") == ([], [(1, "there is no request key")])


def test_a_file_that_cannot_be_read_stops_with_its_name(tmp_path: Path):
    file = tmp_path / "segment.jsonl"
    file.mkdir()
    with pytest.raises(StoreError, match=r"segment\.jsonl: Is a directory"):
        list(read_blocks(file))
