from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines.iterating.events import Event
from tests.iterations import Bench, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


@pytest.fixture(scope="session")
def two_rounds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Sequence[Event]]:
    """A bench where two rounds are done, and what was told meanwhile. To be left as it is."""
    bench = make_bench(tmp_path_factory.mktemp("two"))
    return bench, list(bench.iteration(2).run())
