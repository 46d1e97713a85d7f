"""Parts: configuration and behaviour in one class, one class in one file, found by the file's name.

`kind = "margin"` in a recipe's `[[filters]]` is `pipelines/filters/margin.py`; `kind =
"./mine.py"` is a file of the user's own, beside the recipe. There is no registry: the folder is.

    SHELVES      shelf -> its contract, the base class that a part of that shelf extends
    load_part    a table of a recipe -> a validated part
    Runtime      marks a field that does not decide content: it is left out of the fingerprint
"""

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PrivateAttr,
    PydanticUserError,
    ValidationError,
)

from pipelines.configuring.faults import faults_of
from pipelines.errors import RecipeError, nearest
from schemas.canonical import MICRO

SHELVES = {
    "sources": "pipelines.source:Source",
    "backends": "pipelines.backend:Backend",
    "samplers": "pipelines.sampler:Sampler",
    "judges": "pipelines.judge:Judge",
    "pairings": "pipelines.pairing:Pairing",
    "measures": "pipelines.measure:Measure",
    "filters": "pipelines.filter:Filter",
    "selectors": "pipelines.selector:Selector",
    "exporters": "pipelines.exporter:Exporter",
}


TableT = TypeVar("TableT", bound="Table")


class _Runtime:
    """See `Runtime`."""

    def __repr__(self) -> str:
        return "not in the fingerprint"


Runtime = _Runtime()
"""`window: Annotated[int, Runtime] = 64`: how a build runs, not what it contains."""


@dataclass(frozen=True, slots=True)
class InWords:
    """`Annotated[..., InWords("text or list of text")]`: what a recipe may hold there."""

    words: str


LARGEST = 10**18
"""Thresholds beyond it do not fit the integers (micro-units, squared) that selection compares."""


def _to_float(value: object) -> object:
    return float(value) if isinstance(value, Decimal | int) and value is not True else value


def _to_decimal(value: object) -> object:
    if isinstance(value, bool):
        return value
    return Decimal(str(value)) if isinstance(value, int | float) else value


Real = Annotated[float, BeforeValidator(_to_float)]
"""A number of a recipe that nothing is compared with exactly (a temperature, a weight)."""


def _comparable(value: Decimal) -> Decimal:
    if abs(value) > LARGEST:
        raise ValueError(f"no threshold can lie beyond {LARGEST}")
    return value


Threshold = Annotated[Decimal, BeforeValidator(_to_decimal), AfterValidator(_comparable)]
"""A number of a recipe that scores are compared with: kept exactly as it was written."""


def micro(threshold: Decimal) -> int:
    """`threshold` in micro-units, as selection compares it.

    >>> micro(Decimal("0.2"))
    200000
    """
    return int((threshold * MICRO).to_integral_value(ROUND_HALF_EVEN))


class Table(BaseModel):
    """A table of a recipe: strict, frozen, documented by the text under each field."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
    )

    def identity(self) -> dict[str, Any]:
        """The fields that decide content, as JSON values: defaults included, `Runtime` left out."""
        return {
            name: identity_of(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if Runtime not in field.metadata
        }


def identity_of(value: Any) -> Any:
    """`value` as JSON that is the same for equal values (a Decimal becomes its plain text)."""
    if isinstance(value, Table):
        return value.identity()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dict):
        return {str(key): identity_of(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [identity_of(entry) for entry in value]
    return value


class Part(Table):
    """One part of a recipe: a source, backend, sampler, judge, pairing, filter or selector."""

    shelf: ClassVar[str]

    kind: str
    """The file on the shelf that this part is, or the path of your own file."""
    name: str = ""
    """What rows and reports call this part. Default: the NAME of a source's or model's table, else
    the kind (for a file, its stem)."""

    _code_sha256: str | None = PrivateAttr(default=None)
    _file: str = PrivateAttr(default="")
    """The recipe that the part was read from, for errors that only reading its input shows."""

    def model_post_init(self, _context: Any) -> None:
        """Names the part after its kind where the recipe gives no name."""
        if not self.name:
            object.__setattr__(self, "name", Path(self.kind).stem)

    def identity(self) -> dict[str, Any]:
        """As `Table.identity`, with the hash of the code when the part is a user's own file."""
        identity = super().identity()
        if self._code_sha256 is not None:
            identity["code_sha256"] = self._code_sha256
        return identity

    def check(self, where: "Where") -> None:
        """Raises RecipeError for what only the whole table can show (a file that is missing...)."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a recipe, for error messages, and the folder that its paths are relative to."""

    file: str
    table: str
    root: Path

    def error(self, message: str, key: str = "") -> RecipeError:
        """A RecipeError that opens with file, table and key."""
        place = ": ".join(part for part in (self.file, self.table, key) if part)
        return RecipeError(f"{place}: {message}")


def contract_of(shelf: str) -> type[Part]:
    """The base class that the parts of `shelf` extend."""
    module_name, _, class_name = SHELVES[shelf].partition(":")
    return cast("type[Part]", getattr(importlib.import_module(module_name), class_name))


def kinds(shelf: str) -> list[str]:
    """The kinds on a shelf, sorted: the names of its files."""
    package = importlib.import_module(f"pipelines.{shelf}")
    return sorted(
        module.name
        for module in pkgutil.iter_modules(package.__path__)
        if not module.name.startswith("_")
    )


def part_class(shelf: str, kind: str, where: Where) -> tuple[type[Part], str | None]:
    """The class that `kind` names on `shelf`, and the SHA-256 of its file if it is the user's."""
    if kind.endswith(".py"):
        path = where.root / kind
        try:
            code = path.read_bytes()
        except OSError as error:
            raise where.error(f"{kind}: {error.strerror}", "kind") from error
        sha256 = hashlib.sha256(code).hexdigest()
        return _only_part(_import_file(path, sha256, where), shelf, where), sha256
    valid = kinds(shelf)
    if kind not in valid:
        hint = nearest(kind, valid)
        raise where.error(f'no such kind "{kind}"; {hint}, or "./your_file.py"', "kind")
    return _only_part(importlib.import_module(f"pipelines.{shelf}.{kind}"), shelf, where), None


def _import_file(path: Path, sha256: str, where: Where) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"user_part_{sha256[:16]}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # so that its source, and with it its texts, is found
    try:
        spec.loader.exec_module(module)
    except (
        ImportError,
        SyntaxError,
        NameError,
        TypeError,
        AttributeError,
        PydanticUserError,
    ) as error:
        del sys.modules[spec.name]
        raise where.error(f"{path.name} cannot be imported: {error}", "kind") from error
    return module


def _only_part(module: ModuleType, shelf: str, where: Where) -> type[Part]:
    contract = contract_of(shelf)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, contract)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise where.error(
            f"{module.__name__} holds {len(found)} subclasses of {contract.__name__}; "
            "a part is exactly one class in one file",
            "kind",
        )
    return found[0]


def load_part(shelf: str, table: dict[str, Any], where: Where) -> Part:
    """The validated part of `shelf` that `table` describes. Raises RecipeError."""
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise where.error(f"a kind is needed. {nearest('', kinds(shelf))}", "kind")
    cls, sha256 = part_class(shelf, kind, where)
    part = load_table(cls, table, where)
    part._code_sha256, part._file = sha256, where.file
    try:
        part.check(where)
    except ValueError as error:  # a path that no system can have, with a NUL for one
        raise where.error(str(error)) from error
    return part


def load_table(cls: type[TableT], table: dict[str, Any], where: Where) -> TableT:
    """`table` validated as `cls`. Raises one RecipeError that lists every fault."""
    try:
        return cls.model_validate(table)
    except ValidationError as error:
        faults = [str(where.error(fault, key)) for key, fault in faults_of(cls, error)]
        raise RecipeError("\n".join(faults)) from error
