"""The recipe: everything that decides what a dataset contains, in one TOML file.

    [sources.NAME] ─> [[prompts]] ─> [[samplers]] ─> [[judges]] ─> [score]
        ─> [[pairings]] ─> [[measures]] ─> [[filters]] ─> [[selectors]]
        ─> [exactly], [publish], [gates], [budget]
    [models.NAME] are called by samplers and judges

A recipe is refused before any call when it is wrong. Its fingerprint covers what decides content
and leaves out what does not: windows, timeouts, tries, rate limits, key names, prices
(`part.Runtime`), the budget, and the gates: they say whether a build is published, not its content.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tomli_w
from pydantic import Field

from pipelines.backend import Backend
from pipelines.calls.budget import Budget
from pipelines.configuring.file import read_table
from pipelines.configuring.overrides import apply_override
from pipelines.configuring.references import are_loaded, check_references
from pipelines.configuring.tables import RecipeTables
from pipelines.errors import RecipeError, nearest
from pipelines.filter import Filter
from pipelines.gating.gates import Gates
from pipelines.intake.prompts import PromptTable
from pipelines.judge import Judge
from pipelines.languages import Languages
from pipelines.measure import Measure
from pipelines.pairing import Pairing
from pipelines.part import Table, Where, identity_of
from pipelines.publishing.layout import Publish
from pipelines.running.exactly import Exactly
from pipelines.sampler import Sampler
from pipelines.scoring.scales import check_scales
from pipelines.scoring.score import Score
from pipelines.selection.measured import columns_of
from pipelines.selection.steps import check_filters
from pipelines.selector import Selector
from pipelines.source import Source
from pipelines.sources._store import refuse_own_newest
from schemas.canonical import canonical_json

if TYPE_CHECKING:
    from pipelines.publishing.store import Store


class Head(Table):
    """The keys at the top of a recipe, before its tables.

    `extends` may stand there too: the path of a recipe of the same folder, or the name of a shipped
    one, which this one changes.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    """Name of the dataset: lower-case letters, digits, `-` and `_`, at most 64."""
    description: str = ""
    """One or two sentences for the dataset card."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Seeds every draw: which prompts, which rejected answer, which split."""
    limit: int | None = Field(default=None, ge=1)
    """Take only the first so many prompts, in the sources' order."""
    sample: int | None = Field(default=None, ge=1)
    """Take a seeded sample of so many prompts."""
    on_conflict: Literal["error", "first", "last"] = "error"
    """Which of two different references (or groups) of one prompt wins: "error", "first", "last"."""


LISTS = ("samplers", "judges", "pairings", "measures", "filters", "selectors")
TABLES = ("sources", "prompts", "models", *LISTS, "score", "exactly", "publish", "gates", "budget")
KEYS = frozenset((*TABLES, "languages", *Head.model_fields))
"""What may stand at the top of a recipe."""
OUTSIDE = frozenset({"gates", "budget"})
"""Tables that decide whether and when a build is published, and not what it contains. (But for
prompts that judges were checked on, which `judge_accuracy` keeps out and counts as drops.)"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe, validated: its head, and the parts that its tables describe."""

    path: Path
    table: dict[str, Any]
    """As read, with `extends` merged and overrides applied: what `to_toml` writes."""
    head: Head
    sources: dict[str, Source]
    prompts: tuple[PromptTable, ...]
    models: dict[str, Backend]
    samplers: tuple[Sampler, ...]
    judges: tuple[Judge, ...]
    score: Score
    pairings: tuple[Pairing, ...]
    measures: tuple[Measure, ...]
    filters: tuple[Filter, ...]
    selectors: tuple[Selector, ...]
    languages: Languages | None
    """Which languages are told apart; None: none is."""
    exactly: Exactly | None
    """How many pairs are wanted; None: those of all prompts."""
    publish: Publish
    gates: Gates
    budget: Budget
    """Decides when a build stops, not what it contains: it is not in the fingerprint."""
    overrides: tuple[str, ...] = ()
    """The `--set` that it was read with."""
    trial: int | None = None
    """The prompts that these cut it down to; None where it takes as many as it says itself."""

    @property
    def root(self) -> Path:
        """The folder that the recipe's paths are relative to."""
        return self.path.parent

    def identity(self) -> dict[str, Any]:
        """What decides content, as JSON values."""
        tables = [key for key in TABLES if key not in OUTSIDE]
        tables += ["languages"] if self.languages else []  # so that others keep their fingerprint
        return self.head.identity() | {key: identity_of(getattr(self, key)) for key in tables}

    def fingerprint(self) -> str:
        """SHA-256 of the identity, in hexadecimal. Equal fingerprints ask for equal content."""
        return hashlib.sha256(canonical_json(self.identity())).hexdigest()

    def in_store(self, store: "Store") -> "Recipe":
        """This recipe as a build into `store` reads it: sources that read the store have their version.

        Raises RecipeError where what one names is not there.
        """
        refuse_own_newest(self.sources.values(), self.head.name, self.root)
        found = {name: source.in_store(store, self.root) for name, source in self.sources.items()}
        return replace(self, sources=found)

    def to_toml(self) -> str:
        """The recipe as TOML that reads back as this recipe."""
        return tomli_w.dumps(_plain(self.table), multiline_strings=True)


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in `path`, with `--set` overrides such as "filters.margin.min=2".

    Raises RecipeError that names file, table and key of every fault.
    """
    table = read_table(path)
    whole = _most_prompts(table)
    for override in overrides:
        if any("\ud800" <= one <= "\udfff" for one in override):
            raise RecipeError(f"--set {override!r}: is not UTF-8")
        apply_override(table, override, str(path))
    recipe = make_recipe(path, table)
    most = _most_prompts(table)
    trial = most if most is not None and (whole is None or most < whole) else None
    return replace(recipe, overrides=tuple(overrides), trial=trial)


def _most_prompts(table: dict[str, Any]) -> int | None:
    """What the keys limit and sample of a recipe let through at the most; None without them."""
    given = (table.get(key) for key in ("limit", "sample"))
    return min((number for number in given if isinstance(number, int)), default=None)


def make_recipe(path: Path, table: dict[str, Any]) -> Recipe:
    """The recipe that `table` describes; `path` is where its relative paths start from.

    Raises one RecipeError with the faults of all tables, and those between them.
    """
    file = str(path)
    known = frozen({key: value for key, value in table.items() if key in KEYS}, file)
    tables = RecipeTables(path, known)
    tables.checked(_refuse_unknown_tables, table, file)
    recipe = Recipe(
        path=path,
        table=table,
        head=tables.head(Head),
        sources=tables.named("sources", "sources"),
        prompts=tables.repeated(PromptTable, "prompts"),
        models=tables.named("backends", "models"),
        samplers=tables.listed("samplers", distinct=True),
        judges=tables.listed("judges", distinct=True),
        score=tables.single(Score, "score"),
        pairings=tables.listed("pairings", distinct=True),
        measures=tables.listed("measures", distinct=True),
        filters=tables.listed("filters", distinct=False),
        selectors=tables.listed("selectors", distinct=False),
        languages=tables.single(Languages, "languages") if "languages" in known else None,
        exactly=tables.single(Exactly, "exactly") if "exactly" in known else None,
        publish=tables.single(Publish, "publish"),
        gates=tables.single(Gates, "gates"),
        budget=tables.single(Budget, "budget"),
    )
    _check_between(recipe, tables, Where(file, "", path.parent))
    tables.raise_faults()
    return recipe


def _check_between(recipe: Recipe, tables: RecipeTables, top: Where) -> None:
    """Tells `tables` of the faults between tables, as far as these could be loaded."""
    check_references(recipe, top, tables.checked)
    judges, filters, score = recipe.judges, recipe.filters, recipe.score
    if are_loaded(judges, recipe.pairings, filters, (score,)):
        tables.checked(check_scales, judges, recipe.pairings, filters, score, top)
    if are_loaded(filters, recipe.measures):
        for one in filters:
            tables.checked(check_filters, [one], columns_of(recipe.measures))


def _refuse_unknown_tables(table: dict[str, Any], file: str) -> None:
    faults = []
    for key, value in table.items():
        if key not in KEYS:
            shown = f"[{key}]" if isinstance(value, dict | list) else key
            faults.append(f"{file}: no such table or key {shown}; {nearest(key, KEYS)}")
    if faults:
        raise RecipeError("\n".join(faults))


def frozen(value: Any, file: str, key: str = "") -> Any:
    """`value` with lists as tuples: what strict validation and frozen parts want.

    Raises RecipeError for an integer beyond 64 bits, which no table, database or server takes.
    """
    if isinstance(value, dict):
        return {name: frozen(entry, file, name) for name, entry in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise RecipeError(f"{file}: {key}: an integer of 64 bits is wanted, not {value}"[:200])
    return tuple(frozen(entry, file, key) for entry in value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items() if entry is not None}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
