"""Intake: every input of a build is read, checked and joined before any call is made.

    prompts ─> distinct ─> selected          (limit, seeded sample)
    recorded responses ── by key ──> prompts
    recorded judgments ── by key ──> responses

Rows join by key, never by position. What the recipe gets wrong about its tables is one error that
shows the rows; a row that is wrong by itself is dropped, with its reason.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.columns import Columns
from pipelines.joining import take_judgments, take_prompts, take_responses
from pipelines.judges.recorded import Recorded as RecordedJudge
from pipelines.part import Where
from pipelines.passes import Pass, mapped_columns
from pipelines.prompts import PromptTable
from pipelines.recipe import Recipe
from pipelines.recorded import Records
from pipelines.samplers.recorded import Recorded as RecordedSampler
from schemas.rows import Drop

OF_PROMPTS = ("text", "messages", "system", "tools", "key", "reference", "group", "licence",
              "lang", "task")  # fmt: skip
OF_RESPONSES = ("prompt", "text", "key", "model", "policy_column", "reasoning", "finish_reason",
                "refused", "external_hash")  # fmt: skip
OF_JUDGMENTS = ("response", "score", "rank", "response_a", "response_b", "score_a", "score_b",
                "verdict", "p_a", "judged_by", "annotator", "key", "raw", "reasoning")  # fmt: skip
"""The keys of a table that name columns."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read."""

    path: str
    """As the recipe has it; the name alone of a file outside the recipe's reach."""
    sha256: str
    bytes: int
    rows: int
    """Rows that the sources with this file gave, from all of their files together."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What was read."""

    passes: tuple[Pass, ...]
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


def read_inputs(recipe: Recipe, records: Records, drop: Callable[[Drop], None]) -> Intake:
    """Reads all sources of `recipe` into `records`; dropped rows go to `drop`.

    Raises RecipeError where a column does not exist, a table has no rows, a key leads to two
    rows, or a recorded row's key leads to none and its table does not say `orphans = "drop"`.
    """
    open_pass = _Opener(recipe, drop)
    asked = [(open_pass.prompts(number, table), table) for number, table in _numbered(recipe)]
    answered = [(open_pass.recorded(part, OF_RESPONSES), part) for part in _samplers(recipe)]
    judged = [(open_pass.recorded(part, OF_JUDGMENTS), part) for part in _judges(recipe)]
    passes = [one for one, _ in (*asked, *answered, *judged)]
    for one in passes:
        one.check_columns()
    own_tables = [_own_table(one, sampler, asked) for one, sampler in answered]
    for one, judge in judged:
        _check_response_keys(one, judge, _samplers(recipe))

    for one, table in asked:
        take_prompts(one, table, records, recipe.head.on_conflict)
    _refuse_no_prompts(records, asked)
    head = recipe.head
    records.select(limit=head.limit, sample=head.sample, seed=head.seed)
    for (one, sampler), own_table in zip(answered, own_tables, strict=True):
        take_responses(one, sampler, own_table, records)
    for one, judge in judged:
        take_judgments(one, judge, records)
    return Intake(
        passes=tuple(passes),
        prompts=records.count_all(),
        selected=records.count(),
        files=tuple(_input_files(passes)),
    )


class _Opener:
    """Makes the passes that a recipe asks for."""

    def __init__(self, recipe: Recipe, drop: Callable[[Drop], None]) -> None:
        self._recipe = recipe
        self._drop = drop

    def prompts(self, number: int, table: PromptTable) -> Pass:
        where = Where(str(self._recipe.path), f"[[prompts]] #{number}", self._recipe.root)
        return self._open("source", f"prompts.{number}", table, where, OF_PROMPTS)

    def recorded(self, part: RecordedSampler | RecordedJudge, keys: tuple[str, ...]) -> Pass:
        where = Where(str(self._recipe.path), f"[[{part.shelf}]] {part.name}", self._recipe.root)
        step = f"{part.shelf}.{part.name}"
        return self._open(step, step, part, where, keys)

    def _open(
        self,
        step: str,
        label: str,
        table: PromptTable | RecordedSampler | RecordedJudge,
        where: Where,
        keys: tuple[str, ...],
    ) -> Pass:
        sources = self._recipe.sources
        name = table.source or next(iter(sources))
        mapped = mapped_columns(table, keys)
        return Pass(step, label, name, sources[name], where, mapped, self._drop)


def _numbered(recipe: Recipe) -> Iterator[tuple[int, PromptTable]]:
    return enumerate(recipe.prompts, 1)


def _samplers(recipe: Recipe) -> list[RecordedSampler]:
    return [part for part in recipe.samplers if isinstance(part, RecordedSampler)]


def _judges(recipe: Recipe) -> list[RecordedJudge]:
    return [part for part in recipe.judges if isinstance(part, RecordedJudge)]


def _own_table(
    one: Pass, sampler: RecordedSampler, asked: Sequence[tuple[Pass, PromptTable]]
) -> PromptTable | None:
    """The table that maps the prompt in a response's own row; None where a key leads to it."""
    if sampler.prompt:
        _check_length(
            one, "prompt", sampler.prompt, "[[prompts]]", [table.key for _, table in asked]
        )
        return None
    own = [table for asking, table in asked if asking.source_name == one.source_name]
    if len(own) != 1:
        raise one.where.error(
            f'the key of the prompt is needed, for {len(own)} [[prompts]] read "{one.source_name}"',
            "prompt",
        )
    return own[0]


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
    if len(columns) not in {len(columns) for columns in keys if columns}:
        there = "; ".join(", ".join(columns) for columns in keys if columns) or "none"
        raise one.where.error(
            f"no `key` of {owner} has as many columns as {', '.join(columns)}. Keys: {there}", key
        )


def _refuse_no_prompts(records: Records, asked: Sequence[tuple[Pass, PromptTable]]) -> None:
    if not records.count_all():
        one = asked[0][0]
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(one.dropped.items()))
        raise one.where.error(f"none of {one.rows} rows is a prompt: {reasons}")


def _input_files(passes: Sequence[Pass]) -> Iterator[InputFile]:
    """The files that the sources read, each once, sorted by path."""
    rows: Counter[Path] = Counter()
    shown: dict[Path, str] = {}
    for one in {one.source_name: one for one in passes}.values():
        for file in one.source.files(one.where.root):
            rows[file] += one.rows
            shown[file] = _shown(file, one.where.root)
    for file in sorted(rows, key=str):
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        yield InputFile(shown[file], sha256, file.stat().st_size, rows[file])


def _shown(file: Path, root: Path) -> str:
    """The path as the recipe has it, so that no manifest depends on where the recipe lies."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
