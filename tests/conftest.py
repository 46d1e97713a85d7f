"""Fixtures that every test may use."""

import os
import sys
from collections.abc import Generator, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)  # machines are shared: no test is timed
settings.load_profile("here")

MAY_BE_ABSENT = ("../shared", "GPU", "vLLM")
"""What a test may be skipped for even where PAIRWRIGHT_NO_SKIPS is set, as CI does."""

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data beside the repository; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("real public data (../shared/data) is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def undrawn() -> Iterator[None]:
    """Reports have no drawings, as where the extra is not installed: most builds take less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "vl_convert", None)
        yield


@pytest.fixture(scope="module")
def drawn(undrawn: None) -> Iterator[None]:
    """Reports have their drawings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "vl_convert", _drawing())
        yield


@cache
def _drawing() -> ModuleType:
    """What draws: it can be imported once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "vl_convert")
        return import_module("vl_convert")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Where skips are not allowed, a skipped test fails, unless what it lacks may be absent."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("PAIRWRIGHT_NO_SKIPS"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not any(absent in reason for absent in MAY_BE_ABSENT):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} may not be skipped here: {reason}"
    return report
