"""Samplers: where the candidate responses of a prompt come from."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pipelines.part import Part
from schemas.rows import Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


class Sampler(Part):
    """Draws candidate responses for one unit."""

    shelf: ClassVar[str] = "samplers"

    def models(self) -> tuple[str, ...]:
        """Names of the recipe's models that this part may call; checked before any call."""
        return ()

    @abstractmethod
    async def draw(self, unit: "Unit") -> list[Response]:
        """The responses, in an order that depends on the recipe alone (never on arrival)."""
