"""Samplers: where the candidate responses of a prompt come from."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.part import Part
from schemas.rows import Response, TreeNode

if TYPE_CHECKING:
    from pipelines.backend import Sampling
    from pipelines.unit import Unit


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a sampler drew for one unit."""

    responses: Sequence[Response]
    """In an order that depends on the recipe alone (never on arrival)."""
    nodes: Sequence[TreeNode] = ()
    """The trees that it searched, of which each node but the root is one of `responses`."""


class Sampler(Part):
    """Draws candidate responses for one unit."""

    shelf: ClassVar[str] = "samplers"

    stepwise: ClassVar[bool] = False
    """Whether it asks for steps of answers, which mostly run on to `max_tokens`: for plans."""

    adds: ClassVar[bool] = False
    """Whether a greater `n` only adds responses, to those of a smaller: `[exactly]` may raise it."""

    recorded: ClassVar[bool] = False
    """Whether it draws nothing: its responses were there before."""

    asks_of_one: ClassVar[bool] = False
    """Whether it asks its judges what each answer is worth by itself: none may be `relative`."""

    def models(self) -> tuple[str, ...]:
        """Names of the recipe's models that this part may call; checked before any call."""
        return ()

    def samplings(self, model: str) -> "tuple[Sampling, ...]":
        """How it asks a model, where its field `sampling` does not say; checked before any call."""
        return ()

    def starts_from(self) -> tuple[str, ...]:
        """Names of samplers whose answers this one starts from: `Unit.drawn` gives them."""
        return ()

    def judge_names(self) -> tuple[str, ...]:
        """Judges of the recipe that this part asks (`Unit.judge`); checked before any call."""
        return ()

    def asks_of_drawn(self) -> bool:
        """Whether it asks its judges of what it has drawn itself: none may be `recorded`."""
        return self.asks_of_one

    @abstractmethod
    async def draw(self, unit: "Unit") -> Drawn:
        """The responses, and what else is known of them."""
