"""Models to try the engine on: random ones, and the shipped policy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine.checkpoint import Checkpoint
from pipelines.engine.model import Model, load_model
from tests.checkpoints import make_checkpoint


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of random weights."""
    return load_model(Checkpoint(make_checkpoint(tmp_path_factory.mktemp("tiny") / "tiny")))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Model]:
    """`made(num_key_value_heads=1)`: a model of random weights and this config."""

    def make(**config: Any) -> Model:
        folder = tmp_path_factory.mktemp("made") / "model"
        return load_model(Checkpoint(make_checkpoint(Path(folder), **config)))

    return make
