"""The core of searches is pure: it knows no model, no part and no event loop."""

import ast
import sys
from pathlib import Path

import pytest

import pipelines.searching

MODULES = sorted(Path(pipelines.searching.__path__[0]).glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_of_the_core_imports_the_core_alone(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            assert name.startswith("pipelines.searching.") or top in sys.stdlib_module_names
            assert top != "asyncio"
