"""`--store`: which store a command works on, and how it is named in what a command suggests."""

import argparse
import os
import re
import shlex
from pathlib import Path

DEFAULT = Path("data/store")
VARIABLE = "PAIRWRIGHT_STORE"

_ON_A_STORE = re.compile(
    r"`pairwright (?:diff|doctor|drops|export|ls|report|show|sql|tree|verify)\b"
    r"(?:(?!--store|--recipes)[^`])*(?=`)"
)
"""A command between backticks that works on a store and names none."""


def usual() -> Path:
    """The store where `--store` names none."""
    return Path(os.environ.get(VARIABLE) or DEFAULT)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Adds `--store DIR`."""
    parser.add_argument(
        "--store",
        metavar="DIR",
        type=_folder,
        default=usual(),
        help=f"the store (default: ${VARIABLE}, else {DEFAULT})",
    )


def store_words(store: Path) -> list[str]:
    """The words that name `store` in a command: none for the usual one."""
    return [] if store == usual() else ["--store", str(store)]


def suggested(store: Path, *words: str) -> str:
    """A command on `store`, ready to be pasted.

    >>> suggested(Path("my store"), "show", "quickstart")
    "pairwright show quickstart --store 'my store'"
    """
    return shlex.join(["pairwright", *words, *store_words(store)])


def on_store(message: str, store: Path) -> str:
    """`message`, where the commands that it suggests name `store` too.

    >>> on_store("it has no pairs. `pairwright drops set@v0001` says why", Path("mine"))
    'it has no pairs. `pairwright drops set@v0001 --store mine` says why'
    """
    named = "".join(f" {word}" for word in map(shlex.quote, store_words(store)))
    return _ON_A_STORE.sub(lambda command: f"{command[0]}{named}", message)


def how_found(store: Path) -> str:
    """Why `store` is the one that was looked at, where `--store` did not name it; else ""."""
    if store != usual():
        return ""
    if os.environ.get(VARIABLE):
        return f"{VARIABLE} names that store; --store DIR looks in another"
    return f"that is the default store, under this folder; --store DIR or {VARIABLE} names another"


def _folder(given: str) -> Path:
    if not given:  # an unset variable of a shell, rather than this folder
        raise argparse.ArgumentTypeError("the name of a folder is wanted")
    return Path(given)
