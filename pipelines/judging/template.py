"""Templates: the words in which a judge is asked, a Jinja file beside the judge or the recipe.

Templates are sandboxed, and every variable must exist. Texts that are to be judged come to a
template already fenced (`fence.py`), so that no template can forget to.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2 import Template as Compiled
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipelines.errors import RecipeError, nearest

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

_FAILURES = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError)
"""What the expressions of a template can raise."""


@dataclass(frozen=True)
class Template:
    """The text of a template, compiled when first needed."""

    name: str
    """For messages: the file, as the recipe names it."""
    text: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the text, in hexadecimal: part of a judge's identity."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def render(self, variables: Mapping[str, Any]) -> str:
        """The message. Raises RecipeError where the template cannot be rendered.

        >>> Template("t", "From {{ low }} to {{ high }}").render({"low": 1, "high": 10})
        'From 1 to 10'
        """
        try:
            # as Template.render does, but without copying the globals anew for each message
            context = self._compiled.new_context({**self._globals, **variables}, shared=True)
            return "".join(self._compiled.root_render_func(context))
        except _FAILURES as error:
            raise RecipeError(f"{self.name}: {error}") from error

    def check(self, variables: Mapping[str, Any]) -> None:
        """Raises RecipeError for a syntax error, an unknown variable, or a failing expression."""
        for unknown in sorted(self.variables - set(variables)):
            raise RecipeError(
                f'{self.name}: no such variable "{unknown}"; {nearest(unknown, variables)}'
            )
        self.render(variables)

    @cached_property
    def variables(self) -> frozenset[str]:
        """Names of the variables that the template uses. Raises RecipeError for a syntax error.

        >>> sorted(Template("t", "{% if tools %}{{ form }}{% endif %}").variables)
        ['form', 'tools']
        """
        try:
            return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(self.text)))
        except TemplateSyntaxError as error:
            raise RecipeError(f"{self.name}: line {error.lineno}: {error.message}") from error

    @cached_property
    def _globals(self) -> dict[str, Any]:
        return dict(self._compiled.globals)

    @cached_property
    def _compiled(self) -> Compiled:
        return _ENVIRONMENT.from_string(self.text)


def read_template(path: Path, name: str) -> Template:
    """The template in `path`. Raises RecipeError if it cannot be read."""
    try:
        return Template(name, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{name}: not UTF-8: {error.reason} at byte {error.start}") from error
