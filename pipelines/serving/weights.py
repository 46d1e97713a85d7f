"""The digest of a model's folder: what of it decides the texts that the model writes."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

DECISIVE = (
    "*.safetensors", "*.safetensors.index.json", "*config.json", "*.model", "*.py", "*.tiktoken",
    "added_tokens.json", "chat_template.*", "merges.txt", "special_tokens_map.json",
    "tokenizer.json", "vocab.*",
)  # fmt: skip
"""Weights, configuration, tokenizer, chat template and the model's own code; no card, no figures."""
AT_ONCE = 4


def digest(folder: Path) -> str:
    """32 hexadecimal digits that change with any decisive file.

    Raises OSError, and ValueError where there are no weights.
    """
    files = decisive_files(folder)
    if not any(file.suffix == ".safetensors" for file in files):
        raise ValueError(f"{folder}: no *.safetensors is there")
    whole = hashlib.sha256()
    with ThreadPoolExecutor(AT_ONCE) as threads:  # hashing gives way to other threads
        for file, sha256 in zip(files, threads.map(_sha256, files), strict=True):
            whole.update(f"{file.name}\0{sha256}\n".encode())
    return whole.hexdigest()[:32]


def decisive_files(folder: Path) -> list[Path]:
    """The files that the digest covers, by name."""
    return sorted(
        file
        for file in folder.iterdir()
        if file.is_file() and any(fnmatch(file.name, pattern) for pattern in DECISIVE)
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
