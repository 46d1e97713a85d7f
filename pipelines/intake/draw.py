"""Draws: in which order prompts are drawn, and which of them one round takes."""

from dataclasses import dataclass

ORDER = "exactly"
"""What the draws are for that put prompts in order: `draw_unit(seed, ORDER, prompt_id)`."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A round: prompts `first` to `last` (not included) of the seeded order; by default all."""

    first: int = 0
    last: int | None = None
    more: int = 0
    """How much the sampler's `n` is raised for them."""

    @property
    def is_all(self) -> bool:
        """Whether it is the one round of a build that takes every prompt."""
        return self.last is None

    @property
    def label(self) -> str:
        """What the names of its folders begin with.

        >>> Draw().label, Draw(500, 1000).label, Draw(0, 500, more=2).label
        ('', 'from500-', 'from0-more2-')
        """
        return "" if self.is_all else f"from{self.first}-" + (f"more{self.more}-" * bool(self.more))


EVERY = Draw()
