import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["card", "figures", "problems", "prompts"])
def test_the_examples_in_docstrings_hold(name):
    seen = doctest.testmod(importlib.import_module(f"tools.embedded_lm.{name}"))
    assert seen.attempted
    assert not seen.failed
