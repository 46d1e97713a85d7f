"""Calls in Python's form, as ToolACE and BFCL write them: `[weather(city="Oslo"), time()]`."""

import ast
import json
import re
import warnings
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pipelines.errors import JudgmentError
from pipelines.toolcalls.calls import Call

OPENING = re.compile(r"\[\s*[A-Za-z_][\w.]*\s*\(")
"""How a list of calls begins, wherever it stands in a text."""

LONE_CALL = re.compile(r"[A-Za-z_][\w.]*\(.*\)", re.DOTALL)
"""A call without its brackets, which is all of a text."""

MOST_ENDS = 64
"""So many closing brackets are tried as the list's end, the last one first."""

JSON_NAMES = {"true": True, "false": False, "null": None}


def read_python(text: str) -> tuple[Call, ...]:
    """The calls of the list that opens `text`, whatever follows it. Raises JudgmentError.

    >>> read_python('[weather(city="Oslo", days=2)] Done.')
    (Call(name='weather', arguments={'city': 'Oslo', 'days': Decimal('2')}),)
    """
    ends = [found.end() for found in re.finditer(r"\]", text)][-MOST_ENDS:]
    for end in reversed(ends):
        expression = _parsed(text[:end])
        if isinstance(expression, ast.List):
            try:
                return tuple(_call(element) for element in expression.elts)
            except RecursionError as error:
                raise JudgmentError("a call that is nested too deep") from error
    raise JudgmentError("a list of calls that is not closed, or no Python")


def write_python(calls: Sequence[Call]) -> str:
    """The list of `calls`, as `read_python` reads it.

    >>> write_python([Call("f", {"a": Decimal("1.50"), "b": [True, None, "x"]}), Call("g", {})])
    '[f(a=1.50, b=[True, None, "x"]), g()]'
    """
    return f"[{', '.join(_written_call(call) for call in calls)}]"


def _parsed(text: str) -> ast.expr | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes: they are the model's, not ours
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise JudgmentError("what stands in the list is no call")
    if node.args or any(keyword.arg is None for keyword in node.keywords):
        raise JudgmentError("an argument without a name")
    names = [str(keyword.arg) for keyword in node.keywords]
    if len(set(names)) < len(names):
        raise JudgmentError("an argument that is given twice")
    values = [_value(keyword.value) for keyword in node.keywords]
    return Call(_name(node.func), dict(zip(names, values, strict=True)))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    raise JudgmentError("a call of something without a name")


def _value(node: ast.expr) -> Any:
    """A literal as JSON has it. Raises JudgmentError for what JSON cannot hold."""
    match node:
        case ast.Constant(value=bool() | str() | None as plain):
            return plain
        case ast.Constant(value=int() | float() as number) if abs(number) != float("inf"):
            return Decimal(repr(number))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) as number):
            return -_value(number)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_value(element) for element in elements]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_key(key): _value(one) for key, one in zip(keys, values, strict=True)}
        case ast.Name(id=name) if name in JSON_NAMES:
            return JSON_NAMES[name]
    raise JudgmentError(f"{ast.unparse(node)[:40]}: no plain value")


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise JudgmentError("a key that is no text")


def _written_call(call: Call) -> str:
    arguments = (f"{name}={_written(value)}" for name, value in call.arguments.items())
    return f"{call.name}({', '.join(arguments)})"


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{_quoted(name)}: {_written(one)}' for name, one in value.items())}}}"
        )
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # its escapes are Python's too
