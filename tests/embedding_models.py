"""Embedding models for tests: a vector for each word, and a BERT of random weights."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

FIXTURES = Path(__file__).parent / "pipelines" / "embedding"
"""What `tools/make_embedding_fixture.py` wrote."""

FAMILY, MONEY = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
MEANINGS = {"family": FAMILY, "parents": FAMILY, "money": MONEY, "savings": MONEY}


def make_static(folder: Path, meanings: Mapping[str, Sequence[float]] = MEANINGS) -> Path:
    """A model that knows some words, each with its vector; others are of no direction."""
    folder.mkdir(parents=True)
    words = {"[UNK]": 0} | {word: number for number, word in enumerate(meanings, 1)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = [np.zeros(len(next(iter(meanings.values())))), *meanings.values()]
    save_file({"embedding.weight": np.array(table, np.float32)}, folder / "model.safetensors")
    kind = "sentence_transformers.models.StaticEmbedding"
    write(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": kind}])
    return folder


def make_bert(folder: Path) -> Path:
    """A copy of the small BERT, to be changed."""
    shutil.copytree(FIXTURES / "bert", folder)
    return folder


def write(file: Path, content: Any) -> None:
    """Writes JSON."""
    file.write_text(json.dumps(content))


def change(file: Path, **fields: Any) -> None:
    """Changes fields of a JSON object."""
    write(file, json.loads(file.read_text()) | fields)


def move_weights(graph: Path, file: str) -> None:
    """Puts the large tensors of an ONNX graph into a file beside it, as exporters do."""
    outside = bytearray()

    def moved(tensor: bytes) -> bytes:
        fields = _fields(tensor)
        raw = next((value for number, value in fields if number == RAW_DATA), b"")
        if not isinstance(raw, bytes) or len(raw) < LARGE:
            return tensor
        place = {"location": file, "offset": str(len(outside)), "length": str(len(raw))}
        entries = [[(1, name.encode()), (2, value.encode())] for name, value in place.items()]
        outside.extend(raw)
        kept = [field for field in fields if field[0] != RAW_DATA]
        return _message([*kept, *((EXTERNAL_DATA, _message(one)) for one in entries), EXTERNAL])

    def within(message: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
        return _message(
            (one, change(value) if one == number and isinstance(value, bytes) else value)
            for one, value in _fields(message)
        )

    changed = within(graph.read_bytes(), GRAPH, lambda inner: within(inner, INITIALIZER, moved))
    graph.write_bytes(changed)
    (graph.parent / file).write_bytes(outside)


Field = tuple[int, int | bytes]
GRAPH, INITIALIZER, RAW_DATA, EXTERNAL_DATA = 7, 5, 9, 13
"""Numbers of fields in onnx.proto."""
EXTERNAL: Field = (14, 1)
LARGE = 128


def _fields(message: bytes) -> list[Field]:
    """Numbers and values of a Protocol Buffers message without floats of its own."""
    found: list[Field] = []
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            value |= (byte & 127) << shift
            place, shift = place + 1, shift + 7
            if byte < 128:
                return value

    while place < len(message):
        tag, value = varint(), varint()
        if tag & 7 == 2:
            found.append((tag >> 3, message[place : place + value]))
            place += value
        else:
            assert tag & 7 == 0
            found.append((tag >> 3, value))
    return found


def _message(fields: Iterable[Field]) -> bytes:
    message = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            message += _varint(number << 3) + _varint(value)
        else:
            message += _varint(number << 3 | 2) + _varint(len(value)) + value
    return bytes(message)


def _varint(value: int) -> bytes:
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    return bytes([*(group | 128 for group in groups[:-1]), groups[-1]])
