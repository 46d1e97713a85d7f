"""A published version made by hand, so that its figures can be worked out on paper."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.publishing.versions import Version
from schemas.tables import PAIRS, PUBLISHED
from schemas.version import FileInfo, Manifest, Step

Rows = list[dict[str, Any]]


@pytest.fixture
def make_version(tmp_path: Path) -> Callable[..., Version]:
    """Makes version 1 of "toy" from rows of its tables; missing columns are null."""

    def make(
        pairs: Rows,
        drops: Rows | None = None,
        steps: tuple[Step, ...] = (),
        measures: Rows | None = None,
    ) -> Version:
        folder = tmp_path / "store" / "datasets" / "toy" / "v0001"
        files = {}
        tables = [("pairs", PAIRS, pairs), ("drops", PUBLISHED["drops"], drops or [])]
        if measures:
            tables.append(("measures", PUBLISHED["measures"], measures))
        for table, schema, rows in tables:
            name = f"{table}/train-00000-of-00001.parquet"
            path = folder / name
            path.parent.mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(rows, schema), path)
            files[name] = FileInfo(sha256="0" * 64, bytes=path.stat().st_size, rows=len(rows))
        manifest = Manifest(
            name="toy",
            recipe_fingerprint="0" * 64,
            content_digest="0" * 64,
            seed=0,
            counts=steps,
            files=files,
            schema_hashes={},
            code_version="0",
        )
        (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
        return Version("toy", 1, folder, manifest)

    return make
