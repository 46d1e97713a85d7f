"""Fixtures that every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)  # machines are shared: no test is timed
settings.load_profile("here")

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data beside the repository; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("real public data (../shared/data) is not beside this checkout")
    return SHARED
