"""Intake: every input of a build is read, checked and joined before any call is made.

    prompts ─> distinct ─> selected          (limit, seeded sample)
    recorded responses ── by key ──> prompts
    recorded judgments ── by key ──> responses

Rows join by key, never by position. What the recipe gets wrong about its tables is one error that
shows the rows; a row that is wrong by itself is dropped, with its reason.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.calls.meter import Meter
from pipelines.errors import StoreError
from pipelines.intake.columns import Columns
from pipelines.intake.joining import take_judgments, take_prompts, take_responses
from pipelines.intake.passes import Mapped, Pass, Tally, mapped_columns
from pipelines.intake.prompts import PromptTable
from pipelines.intake.records import Records
from pipelines.judges.recorded import Recorded as RecordedJudge
from pipelines.part import Where
from pipelines.publishing.folders import inspect_file
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe
from pipelines.samplers.recorded import Recorded as RecordedSampler
from pipelines.source import Source
from schemas.rows import Drop

OF_PROMPTS = ("text", "messages", "system", "tools", "key", "reference", "group", "licence",
              "lang", "task")  # fmt: skip
OF_RESPONSES = ("prompt", "text", "key", "model", "policy_column", "reasoning", "finish_reason",
                "refused", "external_hash", "notes")  # fmt: skip
OF_JUDGMENTS = ("response", "score", "rank", "response_a", "response_b", "score_a", "score_b",
                "verdict", "p_a", "judged_by", "annotator", "key", "raw", "reasoning")  # fmt: skip
"""The keys of a table that name columns."""

Reads = PromptTable | RecordedSampler | RecordedJudge
"""The tables of a recipe that read a source."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read, or a published version."""

    path: str
    """As the recipe has it; the name alone of a file outside the recipe's reach; of a version "NAME@v0001"."""
    sha256: str
    """Of a file its bytes' hash, of a version its content digest."""
    bytes: int
    rows: int
    """Rows that the sources with this file gave, from all of their files together."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What was read."""

    passes: tuple[Pass | Tally, ...]
    """Each reading of a source, in order. In each, rows = kept + merged + skipped + dropped."""
    prompts: int
    """Distinct prompts."""
    selected: int
    """Prompts that the build is about."""
    files: tuple[InputFile, ...]

    @property
    def rows(self) -> int:
        """Rows read, each as often as a table of the recipe reads it."""
        return sum(one.rows for one in self.passes)

    @property
    def dropped(self) -> int:
        """Rows dropped: as many as were reported."""
        return sum(one.dropped.total() for one in self.passes)


def read_inputs(
    recipe: Recipe, records: Records, drop: Callable[[Drop], None], meter: Meter | None = None
) -> Intake:
    """Reads all sources of `recipe` into `records`; dropped rows go to `drop`, `meter` counts.

    Raises RecipeError where a column does not exist, a table has no rows, a key leads to two
    rows, or a recorded row's key leads to none and its table does not say `orphans = "drop"`.
    """
    opener = _Opener(recipe, drop, meter or Meter())
    samplers = [part for part in recipe.samplers if isinstance(part, RecordedSampler)]
    judges = [part for part in recipe.judges if isinstance(part, RecordedJudge)]
    asked = [(opener.prompts(number, table), table) for number, table in opener.numbered()]
    answered = [(opener.responses(sampler), sampler) for sampler in samplers]
    judged = [(opener.judgments(judge), judge) for judge in judges]
    passes = [one for one, _ in (*asked, *answered, *judged)]
    for one in passes:
        one.check_columns()
    for one, judge in judged:
        _check_response_keys(one, judge, samplers)

    for one, table in asked:
        take_prompts(one, table, records, recipe.head.on_conflict)
    _refuse_no_prompts(records, asked)
    head = recipe.head
    records.select(limit=head.limit, sample=head.sample, seed=head.seed)
    if recipe.exactly is not None:
        records.put_in_order(head.seed)
    for one, sampler in answered:
        take_responses(one, sampler, opener.own_table(sampler), records)
    for one, judge in judged:
        others = {other.name for other in recipe.judges} - {judge.name}
        take_judgments(one, judge, records, others)
    return Intake(
        passes=tuple(passes),
        prompts=records.count_all(),
        selected=records.count(),
        files=tuple(_input_files(_read(passes))),
    )


def input_files(recipe: Recipe) -> tuple[InputFile, ...]:
    """What a build would read, as it is now: files and versions. Their rows are not counted.

    Raises RecipeError or OSError where one is missing, StoreError for a version that was changed.
    """
    recorded = (*recipe.samplers, *recipe.judges)
    tables: list[Reads] = [*recipe.prompts]
    tables += [one for one in recorded if isinstance(one, RecordedSampler | RecordedJudge)]
    names = sorted({_source_name(recipe, table) for table in tables})
    return tuple(_input_files((recipe.sources[name], recipe.root, 0) for name in names))


class _Opener:
    """Makes the passes that a recipe asks for, each with the columns it reads."""

    def __init__(self, recipe: Recipe, drop: Callable[[Drop], None], meter: Meter) -> None:
        self._recipe = recipe
        self._drop = drop
        self._meter = meter

    def numbered(self) -> Iterator[tuple[int, PromptTable]]:
        return enumerate(self._recipe.prompts, 1)

    def prompts(self, number: int, table: PromptTable) -> Pass:
        mapped = mapped_columns(table, OF_PROMPTS)
        return self._open("source", f"prompts.{number}", f"[[prompts]] #{number}", table, mapped)

    def responses(self, sampler: RecordedSampler) -> Pass:
        one = self._recorded(sampler, mapped_columns(sampler, OF_RESPONSES))
        if sampler.prompt:
            keys = [table.key for table in self._recipe.prompts]
            _check_length(one, "prompt", sampler.prompt, "[[prompts]]", keys)
            return one
        own = self.own_table(sampler)
        if own is None:
            source = one.source_name
            raise one.where.error(
                f'the key of the prompt is needed: not one [[prompts]] reads "{source}"', "prompt"
            )
        of_prompt = mapped_columns(own, OF_PROMPTS)
        return replace(
            one, mapped={f"prompts.{key}": of_prompt[key] for key in of_prompt} | one.mapped
        )

    def judgments(self, judge: RecordedJudge) -> Pass:
        return self._recorded(judge, mapped_columns(judge, OF_JUDGMENTS))

    def own_table(self, sampler: RecordedSampler) -> PromptTable | None:
        """The table that maps the prompt in a response's own row; None where a key leads to it."""
        recipe, source = self._recipe, _source_name(self._recipe, sampler)
        own = [table for table in recipe.prompts if _source_name(recipe, table) == source]
        return own[0] if len(own) == 1 and not sampler.prompt else None

    def _recorded(self, part: RecordedSampler | RecordedJudge, mapped: Mapped) -> Pass:
        step = f"{part.shelf}.{part.name}"
        return self._open(step, step, f"[[{part.shelf}]] {part.name}", part, mapped)

    def _open(self, step: str, label: str, place: str, table: Reads, mapped: Mapped) -> Pass:
        where = Where(str(self._recipe.path), place, self._recipe.root)
        name = _source_name(self._recipe, table)
        source = self._recipe.sources[name]
        return Pass(step, label, name, source, where, mapped, self._drop, self._meter)


def _source_name(recipe: Recipe, table: Reads) -> str:
    return table.source or next(iter(recipe.sources))


def _check_response_keys(
    one: Pass, judge: RecordedJudge, samplers: Sequence[RecordedSampler]
) -> None:
    for key in ("response", "response_a", "response_b"):
        columns = getattr(judge, key)
        if columns:
            lengths = [sampler.key for sampler in samplers]
            _check_length(one, key, columns, "recorded [[samplers]]", lengths)


def _check_length(
    one: Pass, key: str, columns: Columns, owner: str, keys: Sequence[Columns]
) -> None:
    """Raises RecipeError where no key has as many columns as the one that shall join to it."""
    if not any(keys):
        raise one.where.error(
            f"{owner} without a `key`: there is nothing for {', '.join(columns)} to lead to. "
            "Its `key` names the column, or columns, that tell the rows apart",
            key,
        )
    if len(columns) not in {len(columns) for columns in keys if columns}:
        there = "; ".join(", ".join(columns) for columns in keys if columns)
        raise one.where.error(
            f"no `key` of {owner} has as many columns as {', '.join(columns)}. Keys: {there}", key
        )


def _refuse_no_prompts(records: Records, asked: Sequence[tuple[Pass, PromptTable]]) -> None:
    if not records.count_all():
        one = asked[0][0]
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(one.dropped.items()))
        raise one.where.error(f"none of {one.rows} rows is a prompt: {reasons}")


def _read(passes: Sequence[Pass]) -> Iterator[tuple[Source, Path, int]]:
    """Each source with the folder of the recipe, and the rows that it gave."""
    for one in {one.source_name: one for one in passes}.values():
        yield one.source, one.where.root, one.rows


def _input_files(sources: Iterable[tuple[Source, Path, int]]) -> Iterator[InputFile]:
    """What the sources read, each once: files, sorted by path, and then versions, by name."""
    rows: Counter[Path] = Counter()
    shown: dict[Path, str] = {}
    of_versions: Counter[str] = Counter()
    versions: dict[str, Version] = {}
    for source, root, n_rows in sources:
        for file in source.files(root):
            rows[file] += n_rows
            shown[file] = _shown(file, root)
        for version in source.versions():
            of_versions[version.ref] += n_rows
            versions[version.ref] = version
    for file in sorted(rows, key=str):
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        yield InputFile(shown[file], sha256, file.stat().st_size, rows[file])
    for ref in sorted(versions):
        yield _input_version(versions[ref], of_versions[ref])


def _input_version(version: Version, n_rows: int) -> InputFile:
    """A version as an input. Raises StoreError where its tables are not as they were published."""
    tables = {
        path: info for path, info in version.manifest.files.items() if path.endswith(".parquet")
    }
    for path, info in tables.items():
        if inspect_file(version.folder / path).sha256 != info.sha256:
            raise StoreError(
                f"{version.ref}: the bytes of {path} have changed. `pairwright verify {version.ref}`"
            )
    n_bytes = sum(info.bytes for info in tables.values())
    return InputFile(version.ref, version.manifest.content_digest, n_bytes, n_rows)


def _shown(file: Path, root: Path) -> str:
    """The path as the recipe has it, so that no manifest depends on where the recipe lies."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
