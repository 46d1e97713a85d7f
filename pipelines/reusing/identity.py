"""What the prompts, responses and judgments of a build hang on, as one hash.

    sources, prompts, models, samplers, judges, early filters, seed, limit, sample    of the recipe
    labelled prompts that are kept out, refusals that are to be forgotten             of the store
    the code, Python, the libraries, the time zone                                    of the machine

Builds with equal hashes that read equal files have equal evidence. A recipe of which that cannot be
told has none: its builds replay.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from pipelines.calibration.labelled import STEP
from pipelines.calls.voids import SUFFIX
from pipelines.part import Part, identity_of
from pipelines.recipe import Recipe
from pipelines.selection.steps import early, late
from pipelines.source import Source
from schemas.canonical import canonical_json

PACKAGES = ("pipelines", "schemas")

HEAD = ("seed", "limit", "sample", "on_conflict")
"""What of a recipe's head decides its units."""


def units_fingerprint(recipe: Recipe, labelled: dict[str, str], ledger_folder: Path) -> str:
    """SHA-256 of all but the files read; "" where equal ones would not mean equal evidence.

    `labelled` are the prompts that the judges' gate keeps out. Prices are in it, though they decide
    no row: the manifest says what was paid at those of its recipe.
    """
    if recipe.exactly is not None or any(map(_is_unforeseeable, _parts(recipe))):
        return ""
    identity = {
        "head": {name: recipe.head.identity()[name] for name in HEAD},
        "tables": {name: identity_of(getattr(recipe, name)) for name in ("sources", "prompts")},
        "models": {name: _of_model(model) for name, model in recipe.models.items()},
        "samplers": identity_of(recipe.samplers),
        "judges": identity_of(recipe.judges),
        "filters": identity_of([early(recipe.filters, on) for on in ("prompts", "responses")]),
        "languages": identity_of(recipe.languages),
        "labelled": labelled,
        "voids": _voids(ledger_folder),
        "code": code_sha256(),
        "environment": environment(),
    }
    return hashlib.sha256(canonical_json(identity)).hexdigest()


def publishes_its_units(recipe: Recipe) -> bool:
    """Whether the units can be told from the tables of its version.

    Not where groups are found after them, or an early and a late filter have one name.
    """
    clash = any(
        _steps(early(recipe.filters, on)) & _steps(late(recipe.filters, on))
        for on in ("prompts", "responses")
    )
    return not clash and not recipe.publish.group_near_duplicates


def steps_before(recipe: Recipe) -> dict[str, frozenset[str]]:
    """Level -> the steps of its drops that come before selection; rows of sources all do."""
    of_prompts, of_responses = (
        _steps(early(recipe.filters, on)) for on in ("prompts", "responses")
    )
    return {"prompts": of_prompts | {STEP}, "responses": of_responses}


@cache
def code_sha256() -> str:
    """SHA-256 of the files of this program that make rows."""
    code, root = hashlib.sha256(), Path(__file__).parents[2]
    for package in PACKAGES:
        for name, sha256 in _hashed(str(root / package), package):
            code.update(name.encode() + b"\0" + sha256)
    return code.hexdigest()


def _hashed(folder: str, name: str) -> Iterator[tuple[str, bytes]]:
    """Name and SHA-256 of each file in a folder called `name`, and in those inside, sorted."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        inside = f"{name}/{entry.name}"
        if entry.is_file():
            with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123 - Path takes thrice as long
                yield inside, hashlib.sha256(file.read()).digest()
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from _hashed(entry.path, inside)


@cache
def environment() -> tuple[str, ...]:
    """Python and each installed library, with their versions; and the time zone, for queries."""
    folders = {Path(entry) for entry in sys.path}
    found = {entry.name for folder in folders for entry in folder.glob("*.dist-info")}
    return (sys.version, *_time_zone(), *sorted(found))


def _time_zone() -> tuple[str, ...]:
    """All that tells it: "CST" is one in China and another in Costa Rica."""
    offsets = str(time.timezone), str(time.altzone)
    return *time.tzname, *offsets, os.environ.get("TZ", ""), os.path.realpath("/etc/localtime")


def _parts(recipe: Recipe) -> Iterator[Part]:
    filters = (early(recipe.filters, on) for on in ("prompts", "responses"))
    return chain(recipe.sources.values(), recipe.samplers, recipe.judges, *filters)


def _is_unforeseeable(part: Part) -> bool:
    """A file of the user's own may import others, or look at the clock; so may a query."""
    return part.kind.endswith(".py") or (isinstance(part, Source) and not part.is_repeatable())


def _of_model(model: Any) -> list[Any]:
    return [model.qualified_model, model.identity(), identity_of(model.prices)]


def _voids(ledger_folder: Path) -> list[list[Any]]:
    """The files of refusals to forget; they only ever grow."""
    files = sorted(ledger_folder.glob(f"*/*{SUFFIX}"))
    return [[f"{file.parent.name}/{file.name}", file.stat().st_size] for file in files]


def _steps(filters: tuple[Any, ...]) -> frozenset[str]:
    return frozenset(f"filters.{one.name}" for one in filters)
