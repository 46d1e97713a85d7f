"""The fields of a recipe's tables in words: type, default, range, and the text under the field."""

import inspect
import types
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as at
import tomli_w
from pydantic.fields import FieldInfo

from pipelines.part import Runtime, Table

WORDS = {str: "text", int: "integer", float: "number", Decimal: "number", bool: "true or false"}


def summary(documented: type) -> str:
    """The first line of a class's docstring."""
    return inspect.cleandoc(documented.__doc__ or "").partition("\n")[0]


def fields_of(
    table: type[Table], prefix: str = "", *, runtime: bool = False
) -> Iterator[tuple[str, str, str]]:
    """Dotted key, facts and text of every field, nested tables included, in order.

    Facts are one line: "number, at least 0, default 1.0". `runtime` says that the whole table is
    left out of the fingerprint.
    """
    for name, field in table.model_fields.items():
        outside = runtime or Runtime in field.metadata
        yield prefix + name, ", ".join(_facts(field, outside)), field.description or ""
        for nested in _tables_in(field.annotation):
            yield from fields_of(nested, f"{prefix}{name}.", runtime=outside)


def type_in_words(annotation: Any) -> str:
    """A type as someone who writes TOML names it.

    >>> type_in_words(tuple[str, ...]), type_in_words(Literal["a", "b"] | None)
    ('list of text', '"a" or "b"')
    >>> type_in_words(tuple[Decimal, Decimal] | None), type_in_words(dict[str, float] | float)
    ('[number, number]', 'table of number or number')
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_in_words(arguments[0])
    if origin is Literal:
        return " or ".join(map(in_toml, arguments))
    if origin in (Union, types.UnionType):
        kinds = (type_in_words(kind) for kind in arguments if kind is not type(None))
        return " or ".join(dict.fromkeys(kinds))
    if origin in (tuple, list):
        if origin is list or arguments[-1] is Ellipsis:
            return f"list of {type_in_words(arguments[0])}"
        return f"[{', '.join(map(type_in_words, arguments))}]"
    if origin is dict:
        return f"table of {type_in_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return "table"
    return WORDS.get(annotation, "any value")


def in_toml(value: Any) -> str:
    """A value as TOML writes it on one line.

    >>> in_toml("mean"), in_toml(True), in_toml({"train": Decimal("0.98")}), in_toml(("a", "b"))
    ('"mean"', 'true', '{ train = 0.98 }', '["a", "b"]')
    """
    if isinstance(value, dict):
        pairs = (f"{key} = {in_toml(entry)}" for key, entry in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_toml, value))}]"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").rstrip()


def _facts(field: FieldInfo, runtime: bool) -> Iterator[str]:
    yield type_in_words(field.annotation)
    yield from _bounds(field)
    if field.is_required():
        yield "required"
    elif (default := _default(field)) is not None:
        yield f"default {default}"
    if runtime:
        yield repr(Runtime)


def _default(field: FieldInfo) -> str | None:
    """None for what "not given" says as well: no value, an empty text, an empty table."""
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, Table) or value in ("", (), {}):
        return None
    return in_toml(value)


def _bounds(field: FieldInfo) -> Iterator[str]:
    for rule in field.metadata:
        if isinstance(rule, at.Ge):
            yield f"at least {rule.ge}"
        elif isinstance(rule, at.Gt):
            yield f"above {rule.gt}"
        elif isinstance(rule, at.Le):
            yield f"at most {rule.le}"
        elif isinstance(rule, at.Lt):
            yield f"below {rule.lt}"
        elif isinstance(rule, at.MinLen):
            yield f"at least {rule.min_length} long"
        elif isinstance(rule, at.MaxLen):
            yield f"at most {rule.max_length} long"


def _tables_in(annotation: Any) -> Iterator[type[Table]]:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for argument in get_args(annotation):
        yield from _tables_in(argument)
