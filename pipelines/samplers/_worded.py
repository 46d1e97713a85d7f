"""Worded: samplers that ask one model in the words of a template, as judges do (`model_judge`)."""

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.backend import Sampling
from pipelines.errors import RecipeError
from pipelines.judging.template import Template, read_template
from pipelines.part import Where
from pipelines.sampler import Sampler
from schemas.rows import Message, Prompt, prompt_id


class Worded(Sampler):
    """A sampler with a template, which stands beside its code or beside the recipe."""

    own_template: ClassVar[Path]
    """The template beside the sampler's code."""
    defaults: ClassVar[Sampling]
    """How it asks where the recipe leaves it open."""

    if TYPE_CHECKING:  # the fields of each one, which says what they mean
        model: str
        sampling: Sampling
        template: str | None

    def models(self) -> tuple[str, ...]:
        """The one that is asked."""
        return (self.model,)

    def samplings(self, model: str) -> tuple[Sampling, ...]:
        """With the defaults."""
        return (self.decoding,)

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`, with the template's hash in the place of its path."""
        return super().identity() | {"template": self.words.sha256}

    def check(self, where: Where) -> None:
        """Raises RecipeError for a template that is missing or wrong."""
        try:
            if self.template is not None:
                vars(self)["words"] = read_template(where.root / self.template, self.template)
            for variables in self.trials():
                self.words.check(variables)
        except RecipeError as error:
            raise where.error(str(error), "template") from error

    @abstractmethod
    def trials(self) -> Iterator[dict[str, Any]]:
        """What the template is tried on before any call."""

    @property
    def decoding(self) -> Sampling:
        """How the model is asked."""
        return self.sampling.over(self.defaults)

    @cached_property
    def words(self) -> Template:
        """The template in use: the sampler's own until `check` has read the recipe's."""
        return read_template(self.own_template, self.own_template.name)


_ASKED = (Message("system", "a"), Message("user", "a"))

SPECIMENS = (
    Prompt(prompt_id(_ASKED), _ASKED),
    Prompt(prompt_id(_ASKED, "[]"), _ASKED, tools="[]", reference="a"),
)
"""Prompts that a template is tried on: with and without what is optional."""
