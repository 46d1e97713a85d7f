"""What two versions were made from: recipe, inputs, models and judges, side by side."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from pipelines.errors import StoreError

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version
    from schemas.version import Manifest


class KeyChange(NamedTuple):
    """One key with two values, as JSON; None where it is not there."""

    key: str
    a: str | None
    b: str | None


def recipe_changes(a: "Version", b: "Version") -> list[KeyChange]:
    """The keys of `recipe.toml` that differ, sorted. Raises StoreError for a damaged recipe."""
    return changed(flat(recipe_table(a)), flat(recipe_table(b)))


def origin_changes(a: "Manifest", b: "Manifest") -> list[KeyChange]:
    """Models, judges, input files and code version that differ."""
    return changed(_origins(a), _origins(b))


def changed(a: Mapping[str, str], b: Mapping[str, str]) -> list[KeyChange]:
    """The keys whose values differ, sorted.

    >>> changed({"x": "1", "y": "2"}, {"y": "3"})
    [KeyChange(key='x', a='1', b=None), KeyChange(key='y', a='2', b='3')]
    """
    keys = sorted({*a, *b})
    return [KeyChange(key, a.get(key), b.get(key)) for key in keys if a.get(key) != b.get(key)]


def flat(recipe: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a recipe with their values as JSON. Parts go by their names, or their kinds.

    Where the order of parts matters, it is a key of its own.

    >>> flat({"seed": 3, "selectors": [{"kind": "dedup"}, {"kind": "sample", "n": 5}]})
    {'seed': '3', 'selectors.dedup.kind': '"dedup"', 'selectors.sample.kind': '"sample"', \
'selectors.sample.n': '5', 'selectors (order)': '["dedup","sample"]'}
    """
    return dict(_flat(recipe, ""))


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, entry in value.items():
            yield from _flat(entry, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        labels = _labels(value)
        for label, entry in zip(labels, value, strict=True):
            yield from _flat(entry, f"{key}.{label}")
        if key == "selectors" and len(labels) > 1:
            yield f"{key} (order)", _json(labels)
    else:
        yield key, _json(value)


def _labels(parts: list[dict[str, Any]]) -> list[str]:
    """A name for each of some tables: its own, else its kind, else its number.

    >>> _labels([{"kind": "margin"}, {"kind": "margin"}, {"name": "own"}, {}])
    ['margin', 'margin#2', 'own', '#4']
    """
    seen: Counter[str] = Counter()
    labels = []
    for number, part in enumerate(parts, 1):
        label = part.get("name") or part.get("kind") or f"#{number}"
        seen[label] += 1
        labels.append(label if seen[label] == 1 else f"{label}#{seen[label]}")
    return labels


def recipe_table(version: "Version") -> dict[str, Any]:
    """The tables of `recipe.toml`. Raises StoreError where it is damaged."""
    path = version.folder / "recipe.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read: {error}. `pairwright verify`") from error


def _origins(manifest: "Manifest") -> dict[str, str]:
    models = {f"models.{name}": identity for name, identity in manifest.models.items()}
    judges = {f"judges.{name}": judge.identity for name, judge in manifest.judges.items()}
    inputs = {
        f"inputs.{path}": f"{one.rows} rows, sha256 {one.sha256[:12]}"
        for path, one in manifest.inputs.items()
    }
    return models | judges | inputs | {"code_version": manifest.code_version}


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
