"""The fields of a recipe's tables in words: type, default, range, and the text under the field."""

import inspect
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as at
import tomli_w
from pydantic.fields import FieldInfo

from pipelines.configuring.field_texts import text_of
from pipelines.part import InWords, Runtime, Table

WORDS = {str: "text", int: "integer", float: "number", Decimal: "number", bool: "true or false"}


def summary(documented: type) -> str:
    """The first line of a class's docstring."""
    return inspect.cleandoc(documented.__doc__ or "").partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table, in words."""

    name: str
    """As a recipe writes it: the field's alias, where it has one."""
    values: str
    """What it may be: "number, at least 0, at most 1"."""
    default: str
    """As TOML writes it; empty where "not given" says as much."""
    required: bool
    runtime: bool
    """Whether it is left out of the fingerprint."""
    text: str
    tables: tuple[type[Table], ...]
    """The tables that it holds."""

    @property
    def facts(self) -> str:
        """All but the text, on one line: "number, at least 0, default 1.0"."""
        facts = [self.values]
        if self.required:
            facts.append("required")
        if self.default:
            facts.append(f"default {self.default}")
        if self.runtime:
            facts.append(repr(Runtime))
        return ", ".join(facts)


def keys_in_words(table: type[Table], *, runtime: bool = False) -> Iterator[Key]:
    """The keys of `table` itself; `runtime` says that all of it is outside the fingerprint."""
    for name, field in table.model_fields.items():
        yield Key(
            name=field.alias or name,
            values=", ".join((_type_of(field), *_bounds(field))),
            default=_default(field),
            required=field.is_required(),
            runtime=runtime or Runtime in field.metadata,
            text=text_of(table, name),
            tables=tuple(tables_in(field.annotation)),
        )


def all_keys(
    table: type[Table], prefix: str = "", *, runtime: bool = False
) -> Iterator[tuple[str, Key]]:
    """The dotted name of every key, nested tables included, in order."""
    for key in keys_in_words(table, runtime=runtime):
        yield prefix + key.name, key
        for nested in key.tables:
            yield from all_keys(nested, f"{prefix}{key.name}.", runtime=key.runtime)


def tables_in(annotation: Any) -> Iterator[type[Table]]:
    """The tables that a type names.

    >>> [table.__name__ for table in tables_in(tuple[Table, ...] | None)]
    ['Table']
    """
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for argument in get_args(annotation):
        yield from tables_in(argument)


def type_in_words(annotation: Any) -> str:
    """A type as someone who writes TOML names it.

    >>> type_in_words(tuple[str, ...]), type_in_words(Literal["a", "b"] | None)
    ('list of text', '"a" or "b"')
    >>> type_in_words(tuple[Decimal, Decimal] | None), type_in_words(dict[str, float] | float)
    ('[number, number]', 'table of number or number')
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _said(arguments[1:]) or type_in_words(arguments[0])
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


def _type_of(field: FieldInfo) -> str:
    return _said(field.metadata) or type_in_words(field.annotation)


def _said(metadata: Iterable[Any]) -> str:
    return next((one.words for one in metadata if isinstance(one, InWords)), "")


def _default(field: FieldInfo) -> str:
    """Empty for what "not given" says as well: no value, an empty text, an empty table."""
    value = field.get_default(call_default_factory=True)
    if field.is_required() or value is None or isinstance(value, Table) or value in ("", (), {}):
        return ""
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
            yield f"below {'2^63' if rule.lt == 2**63 else rule.lt}"
        elif isinstance(rule, at.MinLen):
            yield "not empty" if rule.min_length == 1 else f"at least {rule.min_length} long"
        elif isinstance(rule, at.MaxLen):
            yield f"at most {rule.max_length} long"
