"""Data sets of the Hugging Face hub, or folders that the `datasets` library can read."""

from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.part import Where
from pipelines.source import BadRow, Row, Source
from pipelines.sources._arrow import BATCH_ROWS, rows_of
from pipelines.sources._files import place_of

SAVED = ("dataset_dict.json", "state.json")
"""What `save_to_disk` leaves in a folder: of several splits, of one."""


class Hub(Source):
    """The rows of one split. Needs the extra `pairwright[hub]`.

    Give a `revision` for a hub data set: without one, a later build may read other rows.
    """

    path: str
    """Name on the hub ("owner/name"), or a folder relative to the recipe: data files, or what
    `save_to_disk` wrote. A folder that exists goes before the hub."""
    config: str | None = None
    """Name of the configuration, where the data set has several."""
    split: str | None = None
    """Name of the split. Default: the only one."""
    revision: str | None = None
    """Commit, tag or branch on the hub."""

    def check(self, where: Where) -> None:
        """Raises RecipeError where the `datasets` library is not installed."""
        if find_spec("datasets") is None:
            raise where.error(
                'the "datasets" library is needed: pip install "pairwright[hub]"', "kind"
            )

    def files(self, root: Path) -> tuple[Path, ...]:
        """The files of a local folder, sorted; () for the hub."""
        folder = root / self.path
        return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))

    def columns(self, root: Path) -> tuple[str, ...] | None:
        """The columns of the split. Raises RecipeError with the library's message."""
        return tuple(self._split(root).column_names)

    def rows(self, root: Path, columns: Collection[str] = ()) -> Iterator[Row | BadRow]:
        """The rows of the split. Raises RecipeError as `columns`."""
        split = self._split(root)
        if columns:
            split = split.select_columns([name for name in split.column_names if name in columns])
        yield from rows_of(_batches(split))

    def _split(self, root: Path) -> Any:
        where = place_of(self, root)
        self.check(where)
        try:
            loaded = self._load(root)
        except Exception as error:  # the library and what it calls raise all kinds of errors
            raise where.error(f"{self.path}: {type(error).__name__}: {error}", "path") from error
        if not isinstance(loaded, dict):
            return loaded
        if self.split is None and len(loaded) == 1:
            return next(iter(loaded.values()))
        if self.split not in loaded:
            valid = ", ".join(sorted(map(str, loaded)))
            raise where.error(f"{self.path}: which split? Valid: {valid}", "split")
        return loaded[self.split]

    def _load(self, root: Path) -> Any:
        import datasets

        datasets.disable_progress_bars()  # the build shows its own progress
        folder = root / self.path
        if any((folder / name).exists() for name in SAVED):
            return datasets.load_from_disk(str(folder))
        if folder.is_dir():
            return datasets.load_dataset(str(folder), name=self.config)
        return datasets.load_dataset(self.path, name=self.config, revision=self.revision)


def _batches(split: Any) -> Iterator[pa.RecordBatch]:
    for table in split.with_format("arrow").iter(BATCH_ROWS):
        yield from table.to_batches()
