"""The texts under the fields of tables: what they mean, for `parts`, the docs and error messages.

They are read from the source when someone asks. pydantic can do so too, but for every class when it
is defined, which is a tenth of the time that a build takes to start.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel


def text_of(table: type[BaseModel], field: str) -> str:
    """The text under a field, in its class or the nearest base that has the field; "" without one.

    >>> from pipelines.backend import Sampling
    >>> text_of(Sampling, "temperature")
    'Sampling temperature, >= 0; 0 is greedy.'
    """
    for one in table.__mro__:
        if field in inspect.get_annotations(one):
            return _texts(one).get(field, "")
    return ""


@cache
def _texts(declaring: type) -> dict[str, str]:
    """Field -> the string that follows it in the source of the class."""
    try:
        source = dedent(inspect.getsource(declaring))
    except OSError:  # typed at a prompt
        return {}
    [body] = [node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
