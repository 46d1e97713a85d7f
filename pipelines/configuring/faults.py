"""What is wrong with a table of a recipe, in the words of someone who writes TOML.

pydantic finds the faults and names them in its own words; `faults_of` says each one once, by key.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from pipelines.configuring.field_texts import text_of
from pipelines.errors import nearest

LONGEST = 80
"""Characters of a wrong value that are shown."""

NUMBER, LIST, TABLE = "a number", "a list", "a table"

WANTED: dict[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": NUMBER,
    "is_instance_of": NUMBER,  # pydantic's word for a Decimal that is none
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": LIST,
    "list_type": LIST,
    "dict_type": TABLE,
    "model_type": TABLE,
    "model_attributes_type": TABLE,
}
"""Type of a fault -> what is wanted."""

BOUNDED: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda of: f"a number above {_bound(of['gt'])}",
    "greater_than_equal": lambda of: f"a number of at least {_bound(of['ge'])}",
    "less_than": lambda of: f"a number below {_bound(of['lt'])}",
    "less_than_equal": lambda of: f"a number of at most {_bound(of['le'])}",
    "string_too_short": lambda of: f"text of at least {_counted(of['min_length'], 'character')}",
    "string_too_long": lambda of: f"text of at most {_counted(of['max_length'], 'character')}",
    "too_short": lambda of: f"a list of at least {_counted(of['min_length'], 'value')}",
    "too_long": lambda of: f"a list of at most {_counted(of['max_length'], 'value')}",
    "literal_error": lambda of: " or ".join(f'"{one}"' for one in _choices(of)),
}
"""As `WANTED`, of faults that hold a bound."""

BRANCH = re.compile(
    r"str|int|float|bool|none|\[key\]|(constrained|is-instance|lax-or-strict)\b.*|[a-z-]+\[.*"
)
"""Steps of pydantic's places that are no keys: which of several types it has tried."""


def faults_of(table: type[BaseModel], error: ValidationError) -> Iterator[tuple[str, str]]:
    """Dotted key and fault of each key of `table` that is wrong, in pydantic's order."""
    by_place: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for fault in error.errors():
        by_place.setdefault(_place(fault["loc"]), []).append(dict(fault))
    for place, faults in by_place.items():
        yield ".".join(place), _in_words(table, place, faults)


def in_toml(value: Any) -> str:
    """A value as TOML writes it.

    >>> in_toml(("a", True, 1.5)), in_toml({"a": 1})
    ('["a", true, 1.5]', '{ a = 1 }')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {in_toml(one)}' for key, one in value.items())} }}"
    return str(value)


def _in_words(
    table: type[BaseModel], place: Sequence[str], faults: Sequence[dict[str, Any]]
) -> str:
    first, given = faults[0], in_toml(faults[0].get("input"))[:LONGEST]
    if first["type"] == "extra_forbidden":
        owner = _owner(table, place[:-1])
        hint = f"; {nearest(place[-1], keys_of(owner))}" if owner is not None else ""
        return f'no such key "{place[-1]}"{hint}'
    if first["type"] == "missing":
        return "is needed and missing"
    if first["type"] == "string_pattern_mismatch":
        pattern = f"It must match {first['ctx']['pattern']}"
        return f"{given} will not do. {_explained(table, place) or pattern}"
    if len(faults) == 1 and first["type"] == "literal_error" and isinstance(first["input"], str):
        return f"no such choice {given}; {nearest(first['input'], _choices(first['ctx']))}"
    wanted = [_wanted(table, place, fault) for fault in faults]
    if None in wanted:
        said = next(fault["msg"] for fault, one in zip(faults, wanted, strict=True) if one is None)
        return f"{said.removeprefix('Value error, ')} (got {given})"
    return f"{' or '.join(dict.fromkeys(filter(None, wanted)))} is wanted, not {given}"


def _wanted(table: type[BaseModel], place: Sequence[str], fault: dict[str, Any]) -> str | None:
    """What is wanted in the place of a wrong value; None where the fault has its own words."""
    if (bounded := BOUNDED.get(fault["type"])) is not None:
        return bounded(fault["ctx"])
    wanted = WANTED.get(fault["type"])
    if wanted == LIST:
        field = _field(table, place)
        said = [one.words for one in field.metadata if hasattr(one, "words")] if field else []
        if said:  # `part.InWords`
            return str(said[0])
        return f"{LIST} ([{in_toml(fault['input'])}])" if isinstance(fault["input"], str) else LIST
    return wanted


def _choices(context: dict[str, Any]) -> list[str]:
    return re.findall("'([^']*)'", context["expected"])


def _bound(bound: Any) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _place(location: Sequence[int | str]) -> tuple[str, ...]:
    """The keys that lead to a value, without the types that were tried.

    >>> _place(("shards", "literal['auto']")), _place(("scale", 1))
    (('shards',), ('scale', '1'))
    """
    first, *rest = map(str, location or ("",))
    return (first, *(step for step in rest if not BRANCH.fullmatch(step)))


def keys_of(table: type[BaseModel]) -> list[str]:
    """The keys of a table as a recipe writes them: a field's alias where it has one."""
    return [field.alias or name for name, field in table.model_fields.items()]


def _explained(table: type[BaseModel], place: Sequence[str]) -> str:
    found = _found(table, place)
    return "" if found is None else text_of(*found)


def _field(table: type[BaseModel], place: Sequence[str]) -> FieldInfo | None:
    found = _found(table, place)
    return None if found is None else found[0].model_fields[found[1]]


def _found(table: type[BaseModel], place: Sequence[str]) -> tuple[type[BaseModel], str] | None:
    """The table class that has a key, and the name of its field."""
    owner = _owner(table, place[:-1])
    fields = owner.model_fields if owner is not None else {}
    names = [name for name, one in fields.items() if place[-1] in (name, one.alias)]
    return (owner, names[0]) if owner is not None and names else None


def _owner(table: type[BaseModel], place: Sequence[str]) -> type[BaseModel] | None:
    """The table class that a nested place belongs to, if plain fields or arrays lead there."""
    for step in place:
        if step.isdigit():
            continue
        field = table.model_fields.get(step)
        annotation = field.annotation if field else None
        inner = [kind for kind in (annotation, *get_args(annotation)) if _is_table(kind)]
        if not inner:
            return None
        table = inner[0]
    return table


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
