"""A tokenizer with its chat template, from a local folder: what a trainer makes of messages.

One route, without transformers and without a network: the template is rendered by jinja2 in the
sandbox and with the extras that transformers gives it, the text is encoded by `tokenizers`. A test
holds both against transformers itself.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import orjson
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipelines.errors import PairwrightError, RecipeError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Messages = Sequence[dict[str, Any]]

SPECIAL = tuple(f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"))


class Unrenderable(PairwrightError):
    """The chat template refuses a conversation."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A tokenizer and its chat templates."""

    tokenizer: "Tokenizer"
    templates: dict[str, jinja2.Template]
    """By name: "default", and "tool_use" where tools have a template of their own."""
    special: dict[str, str]
    """Special tokens by their names, which templates write."""
    digest: str
    """SHA-256 over tokenizer and templates."""

    def render(self, messages: Messages, tools: str | None = None, *, ask: bool = False) -> str:
        """The text of a conversation; with `ask`, the opening of an answer at its end.

        Null fields are left out first, as transformers does. Raises Unrenderable.
        """
        definitions = orjson.loads(tools) if tools is not None else None
        name = "tool_use" if definitions and "tool_use" in self.templates else "default"
        try:
            return self.templates[name].render(
                messages=[_without_nulls(message) for message in messages],
                tools=definitions,
                documents=None,
                add_generation_prompt=ask,
                **self.special,
            )
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise Unrenderable(str(error)) from error

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of rendered texts: nothing is added, nothing is cut off."""
        encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]


def read_chat(path: Path) -> Chat:
    """The tokenizer in a folder, or of a `tokenizer.json` in one. Raises RecipeError."""
    folder = path.parent if path.name == "tokenizer.json" else path
    config = _read_json(folder / "tokenizer_config.json")
    templates = _templates(folder, config)
    if "default" not in templates:
        raise _wrong(folder, "no chat template: chat_template.jinja, or one in the config")
    tokens = _read_json(folder / "special_tokens_map.json") | config
    special = {name: _token(tokens[name]) for name in SPECIAL if tokens.get(name)}
    tokenizer, digest = _tokenizer(folder / "tokenizer.json")
    for name, text in sorted(templates.items()):
        digest.update(f"\n{name}\n{text}".encode())
    compiled = {name: _compiled(text, name, folder) for name, text in templates.items()}
    return Chat(tokenizer, compiled, special, digest.hexdigest())


def _tokenizer(file: Path) -> "tuple[Tokenizer, hashlib._Hash]":
    from tokenizers import Tokenizer

    try:
        content = file.read_bytes()
        tokenizer = Tokenizer.from_buffer(content)
    except OSError as error:
        raise _wrong(file.parent, f"tokenizer.json: {error.strerror}") from error
    except ValueError as error:
        raise _wrong(file.parent, f"tokenizer.json cannot be read: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, hashlib.sha256(content)


def _templates(folder: Path, config: dict[str, Any]) -> dict[str, str]:
    """Name -> text. Files of their own come before the config, as in transformers."""
    in_config = config.get("chat_template") or {}
    if isinstance(in_config, str):
        in_config = {"default": in_config}
    elif isinstance(in_config, list):
        in_config = {entry["name"]: entry["template"] for entry in in_config}
    files = {file.stem: file for file in sorted(folder.glob("additional_chat_templates/*.jinja"))}
    if (folder / "chat_template.jinja").is_file():
        files["default"] = folder / "chat_template.jinja"
    found = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    return found or dict(in_config)


def _read_json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        content: dict[str, Any] = orjson.loads(file.read_bytes())
    except ValueError as error:
        raise _wrong(file.parent, f"{file.name} is no JSON: {error}") from error
    return content


def _token(value: Any) -> str:
    """A special token, which is written as text or as a table.

    >>> _token("</s>"), _token({"content": "</s>", "special": True})
    ('</s>', '</s>')
    """
    return str(value["content"] if isinstance(value, dict) else value)


def _wrong(folder: Path, what: str) -> RecipeError:
    return RecipeError(
        f"{folder}: {what}. Wanted: a local folder as `save_pretrained` writes it, with "
        "tokenizer.json, tokenizer_config.json and a chat template"
    )


def _without_nulls(message: dict[str, Any]) -> dict[str, Any]:
    """The message as a template gets it: no null field, and the arguments of its calls parsed."""
    plain = {key: value for key, value in message.items() if value is not None}
    if "tool_calls" in plain:
        plain["tool_calls"] = [_parsed(call) for call in plain["tool_calls"]]
    return plain


def _parsed(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    try:
        arguments = orjson.loads(function["arguments"])
    except orjson.JSONDecodeError:
        arguments = function["arguments"]
    return {**call, "function": {**function, "arguments": arguments}}


class _Generation(Extension):
    """`{% generation %}`, by which templates mark what an assistant wrote: here it marks nothing."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _compiled(text: str, name: str, folder: Path) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = _now
    try:
        return environment.from_string(text)
    except jinja2.TemplateSyntaxError as error:
        raise _wrong(folder, f"chat template {name}, line {error.lineno}: {error}") from error


def _tojson(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _now(layout: str) -> str:
    """Today's date, for the templates that write it; the number of tokens is the same on most days."""
    return datetime.now().astimezone().strftime(layout)
