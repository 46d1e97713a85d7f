"""The dataset card: `README.md` of a version, which the Hugging Face hub and `datasets` read.

It is a function of the manifest without `run`, so equal content has an equal card.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.bias.words import words_of
from schemas.canonical import canonical_json
from schemas.tables import EASY_TO_HARD, PAIRS, PUBLISHED, schema_hash
from schemas.version import Manifest, split_of

if TYPE_CHECKING:
    from pipelines.recipe import Recipe

LICENCES = (
    "cc0-1.0",
    "unlicense",
    "mit",
    "bsd-3-clause",
    "apache-2.0",
    "odc-by",
    "cc-by-3.0",
    "cc-by-4.0",
    "odbl",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc-by-nc-3.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0",
    "cc-by-nd-4.0",
    "cc-by-nc-nd-4.0",
)
"""Licences that are compared, by the hub's names, from the least to the most strict."""

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def write_card(folder: Path, recipe: "Recipe", manifest: Manifest) -> None:
    """Writes the card of the version that is staged in `folder`."""
    card = render_card(
        manifest, description=recipe.head.description, licences=count_licences(folder)
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def render_card(
    manifest: Manifest, *, description: str = "", licences: Mapping[str | None, int]
) -> str:
    """The card as Markdown with YAML front matter; `licences` counts the pairs of each."""
    return template().render(
        manifest=manifest,
        description=description,
        license=strictest(licences),
        licences=sorted((name or "unknown", pairs) for name, pairs in licences.items()),
        splits=manifest.splits(),
        ordered=manifest.splits(EASY_TO_HARD),
        shards=Counter(split_of(path) for path in manifest.parquet("pairs")),
        columns=["prompt", "chosen", "rejected", *(["tools"] if _has_tools(manifest) else [])],
        evidence=[table for table in PUBLISHED if table != "pairs" and manifest.rows(table)],
        size=size_category(manifest.rows("pairs")),
    )


def count_licences(folder: Path) -> dict[str | None, int]:
    """Pairs of each licence in the version's folder; None for pairs without one."""
    files = sorted((folder / "pairs").glob("*.parquet"))
    if not files:
        return {}
    columns = [pq.ParquetFile(file).read(columns=["license"])["license"] for file in files]
    counts = pc.value_counts(pa.chunked_array(chain.from_iterable(c.chunks for c in columns)))
    return {count["values"]: count["counts"] for count in counts.to_pylist()}


def strictest(licences: Mapping[str | None, int]) -> str:
    """The strictest of some licences: "unknown" if one is, "other" if one cannot be compared.

    >>> strictest({"mit": 5, "cc-by-nc-4.0": 1}), strictest({"mit": 1, None: 1})
    ('cc-by-nc-4.0', 'unknown')
    >>> strictest({"mit": 1, "our-terms": 1}), strictest({})
    ('other', 'unknown')
    """
    names = {(name or "unknown").lower() for name in licences}
    if not names or "unknown" in names:
        return "unknown"
    if not names <= set(LICENCES):
        return "other"
    return max(names, key=LICENCES.index)


def size_category(rows: int) -> str:
    """The hub's name for a size.

    >>> size_category(999), size_category(1000), size_category(10**9)
    ('n<1K', '1K<n<10K', 'n>10M')
    """
    names = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M")
    return next((name for name, end in zip(names, SIZES, strict=True) if rows < end), "n>10M")


def _has_tools(manifest: Manifest) -> bool:
    return manifest.schema_hashes.get("pairs") == schema_hash(PAIRS)


@cache
def template() -> jinja2.Template:
    """The words of the card, compiled."""
    environment = jinja2.Environment(  # noqa: S701 - Markdown, not HTML
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "yaml": _yaml,
        "cell": _cell,
        "share": _share,
        "figure": _figure,
        "in_words": words_of,
    }
    return environment.get_template("card.jinja")


def _yaml(value: Any) -> str:
    """A value as JSON, which YAML reads."""
    return canonical_json(value).decode()


def _cell(value: Any) -> str:
    r"""A value inside a Markdown table.

    >>> _cell("a|b\nc")
    'a\\|b c'
    """
    return " ".join(str(value).split()).replace("|", "\\|")


def _share(part: int, whole: int) -> str:
    """A share in per cent; empty where there is no whole.

    >>> _share(1, 3), _share(0, 0)
    ('33.3%', '')
    """
    return f"{part / whole:.1%}" if whole else ""


def _figure(value: float | None) -> str:
    """A share in three digits.

    >>> _figure(0.85), _figure(None)
    ('0.850', 'undefined')
    """
    return "undefined" if value is None else f"{value:.3f}"
