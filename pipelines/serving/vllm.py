"""What the vLLM backends share: which model, in which engine, and who therefore answers.

weights ──────────┐
engine arguments ─┼─> model_identity, the same for a server and for a batch
version of vLLM ──┘
"""

import hashlib
import os
import re
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, PrivateAttr

from pipelines.backend import Backend, Rewarding, Sampling
from pipelines.errors import RecipeError
from pipelines.part import Runtime, Where
from pipelines.serving.engine import Engine
from pipelines.serving.environment import Environment, find_python, read_environment
from pipelines.serving.weights import digest
from pipelines.shipped import shipped
from pipelines.wire.body import Dialect, SystemRole
from schemas.canonical import canonical_json

if TYPE_CHECKING:
    from pipelines.calls.meter import Meter

SHIPPED = "models"
HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
COMMIT = re.compile(r"[0-9a-f]{40}")
TELEMETRY = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
"""By itself vLLM reports its use to its makers."""


class Vllm(Backend):
    """A model that vLLM runs on this machine, in an environment and processes of its own."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    model: str
    """Folder of the model (safetensors, config, tokenizer), relative to the recipe; or a shipped
    model, as in "policy"; or its id on the Hugging Face hub, with `revision`. Rows name a folder by
    its last part."""
    revision: str | None = None
    """Commit of a model of the hub, 40 hexadecimal digits: a branch or tag would move."""
    engine: Engine = Engine()
    """Arguments of vLLM's engine. Models with equal weights and arguments share one engine."""
    engine_identity: str = Field(default="", alias="identity")
    """Who answers: with the model's name it is part of every ledger key. Default: the digest of
    the weights (or the id and commit), the version of vLLM, and the arguments that decide texts."""
    system_role: SystemRole = "system"
    """The role of system texts: "user" for models whose chat template knows none."""
    python: Annotated[str | None, Runtime] = None
    """The Python of vLLM's environment: a path relative to the recipe, or a name on the PATH.
    Default: the environment variable PAIRWRIGHT_VLLM_PYTHON, else .venv-vllm/bin/python."""
    command: Annotated[tuple[str, ...] | None, Runtime] = None
    """What starts vLLM, before its arguments, in place of its module in `python`. It says nothing
    about who answers, so `identity` must."""
    env: Annotated[dict[str, str], Runtime] = {}
    """Environment variables for vLLM alone, as in { CUDA_VISIBLE_DEVICES = "1" }. No secrets: the
    recipe is published with the dataset."""

    _root: Path = PrivateAttr(default_factory=Path.cwd)
    _folder: Path | None = PrivateAttr(default=None)
    """Where the weights are, unless they come from the hub."""
    _meter: "Meter | None" = PrivateAttr(default=None)

    def check(self, where: Where) -> None:
        """Raises RecipeError for a model, commit, template or command that cannot be right."""
        super().check(where)
        self._root = where.root
        self._folder = self._find(where)
        if self._folder is not None:
            object.__setattr__(self, "model", self._folder.name)
        template = self._template
        if template is not None and not template.is_file():
            raise where.error(f"{template}: no such file", "engine.chat_template")
        if self.command is not None and not self.engine_identity:
            raise where.error(
                "a command of your own says nothing about who answers; name it: "
                'identity = "MODEL@REVISION, SERVER VERSION"',
                "identity",
            )
        if self.command == ():
            raise where.error("is empty", "command")

    def check_sampling(self, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError where a reward is wanted.

        vLLM scores given texts as well, and knows more than `Sampling` does.
        """
        if isinstance(sampling, Rewarding):
            super().check_sampling(sampling, where)

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`, with who answers in place of how it is found.

        It is that of both backends: by which of them an answer came is not content.
        """
        found: dict[str, Any] = {"kind": "vllm", "engine": {}, "revision": None}
        return super().identity() | found | {"engine_identity": self.model_identity()}

    def model_identity(self) -> str:
        """See `engine_identity`. Raises RecipeError where vLLM or the weights are not there."""
        return self._who

    @cached_property
    def _who(self) -> str:
        dialect = self.differences()
        if self.engine_identity:
            return _with(self.engine_identity, dialect)
        arguments = self.engine.identity()
        if self._template is not None:
            arguments["chat_template"] = hashlib.sha256(self._template.read_bytes()).hexdigest()
        return _with(f"vllm {self.environment.version} {self._weights}", arguments | dialect)

    def differences(self) -> dict[str, Any]:
        """What of the request's form is part of who answers."""
        differences: dict[str, Any] = {}
        if self.system_role != "system":
            differences["system_role"] = self.system_role
        if "seed" in self.omit:
            differences["seed"] = "omitted"
        return differences

    def equip(self, folder: Path, meter: "Meter") -> None:
        """Keeps the meter, for what the engine says of itself."""
        super().equip(folder, meter)
        self._meter = meter

    @property
    def environment(self) -> Environment:
        """Where vLLM is. Raises RecipeError, with the command that makes it, where it is not."""
        try:
            return read_environment(find_python(self.python, self._root))
        except RecipeError as error:
            raise RecipeError(f"[models.{self.name}]: {error}") from error

    @property
    def dialect(self) -> Dialect:
        """How a request's body differs from OpenAI's usual one."""
        return Dialect(system_role=self.system_role)

    def location(self) -> str:
        """The folder of the weights; the model's id on the hub where there is none."""
        return self.model if self._folder is None else str(self._folder)

    def endpoint(self) -> str:
        """The engine, and the commands and variables that start it."""
        command = self.command or (self.python or "",)
        decisive = [command, self._arguments(on_cpu=False), sorted(self.env.items())]
        return f"vllm:{self.model}#{hashlib.sha256(canonical_json(decisive)).hexdigest()[:8]}"

    def invocation(self, module: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """The command that runs a module of vLLM's with this model, and its variables.

        Raises RecipeError where vLLM is not there.
        """
        if self.command is not None:
            return (*self.command, *self._arguments(on_cpu=False)), self.env
        found = self.environment
        command = (str(found.python), "-m", module, *self._arguments(on_cpu=found.on_cpu))
        return command, TELEMETRY | {"PATH": _path(found.python)} | self.env

    def _arguments(self, *, on_cpu: bool) -> tuple[str, ...]:
        where = self.model if self._folder is None else str(self._folder)
        revision = () if self.revision is None else ("--revision", self.revision)
        template = None if self._template is None else str(self._template.absolute())
        return ("--model", where, *revision, *self.engine.flags(template, on_cpu=on_cpu))

    def say(self, state: str | None) -> None:
        """Shows the engine's state with the progress of the build; None: nothing is to be said."""
        if self._meter is None:
            return
        if state is None:
            self._meter.jobs.pop(self.endpoint(), None)
        else:
            self._meter.jobs[self.endpoint()] = state

    def account(self, words: str) -> None:
        """Puts what the engine did down to the accounts of the build."""
        if self._meter is not None:
            self._meter.engines[self.endpoint()] = words

    @property
    def _template(self) -> Path | None:
        name = self.engine.chat_template
        return None if name is None else self._root / name

    @cached_property
    def _weights(self) -> str:
        if self._folder is None:
            return f"{self.model}@{self.revision}"
        try:
            return f"sha256:{digest(self._folder)}"
        except (OSError, ValueError) as error:
            raise RecipeError(f"[models.{self.name}]: model: {error}") from error

    def _find(self, where: Where) -> Path | None:
        """The folder of the weights; None where they are on the hub. Raises RecipeError."""
        folder = _folder(self.model, where.root)
        if folder.is_dir():
            if self.revision is not None:
                raise where.error(f"{folder} is a folder, which has no commits", "revision")
            return folder.resolve()
        if not HUB_ID.fullmatch(self.model):
            raise where.error(f"{folder}: no such folder", "model")
        if not COMMIT.fullmatch(self.revision or ""):
            raise where.error(
                f"{folder} is no folder, so {self.model} is a model of the Hugging Face hub: name "
                "its commit, 40 hexadecimal digits (a branch or tag would move)",
                "revision",
            )
        return None


def _folder(model: str, root: Path) -> Path:
    """The folder that `model` may name: that of a shipped model, or one of the user's."""
    if HUB_ID.fullmatch(model):
        with suppress(FileNotFoundError):
            return shipped(f"{SHIPPED}/{model}")
    return root / Path(model).expanduser()


def _with(who: str, differences: dict[str, Any]) -> str:
    return f"{who} {canonical_json(differences).decode()}" if differences else who


def _path(python: Path) -> str:
    """The PATH with the programs of an environment first: kernels are compiled with its ninja."""
    return os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])
