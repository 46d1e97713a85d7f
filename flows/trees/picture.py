"""Searched trees as a picture: one HTML file that needs nothing else, on any screen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from flows.texts.terminal import plain
from flows.trees.text import about, number

if TYPE_CHECKING:
    from flows.trees.searched import Step, Tree

ROW = 26
"""Height of a leaf of the picture, in pixels."""
LEAST_RADIUS, LARGEST_RADIUS = 3.0, 10.0
"""Of the circles, in pixels: what they cover grows with the share of visits."""

FIGURES = (("N", "n_visits"), ("Q", "q"), ("V", "v"), ("r", "r"), ("value", "value"),
           ("prior", "prior"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a step stands in the picture."""

    step: "Step"
    x: float
    """In percent of the width: steps of one depth stand below each other."""
    y: float
    """In pixels."""
    radius: float
    shade: float | None
    """Its Q, from 0 for the lowest of the tree to 100 for the highest."""
    above: "tuple[float, float] | None"
    """`x` and `y` of its parent."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A tree, and where its steps stand."""

    about: str
    tree: "Tree"
    spots: tuple[Spot, ...]
    lowest: float
    highest: float
    """The extremes of Q."""

    @property
    def height(self) -> float:
        """Of the picture, in pixels."""
        return max(spot.y for spot in self.spots) + ROW / 2

    @property
    def listed(self) -> "list[tuple[Step, int]]":
        """Every step but the root, and how many lists of the page end after it."""
        return list(_listed(self.tree.root))

    @property
    def shades(self) -> dict[str, float]:
        """Node id -> `Spot.shade`, of those that have one."""
        return {one.step.node_id: one.shade for one in self.spots if one.shade is not None}


def picture(ref: str, trees: "Sequence[Tree]") -> str:
    """The page. Texts are escaped, and it loads nothing."""
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=folder, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"plain": plain, "number": number, "messages": _shown}
    page = environment.get_template("tree.jinja")
    return page.render(
        ref=ref,
        prompt_id=trees[0].prompt_id,
        prompt=trees[0].prompt,
        trees=[Drawing(about(tree), tree, tuple(spots(tree)), *extremes(tree)) for tree in trees],
        figures=FIGURES,
    )


def spots(tree: "Tree") -> list[Spot]:
    """Every step at its place: leaves one below the other, the others amid those below them."""
    deepest = max((step.depth for step in tree.steps), default=0)
    lowest, highest = extremes(tree)
    visits = max(tree.root.n_visits, 1)
    rows = _rows(tree.root)

    def place(step: "Step") -> tuple[float, float]:
        return 100 * step.depth / max(deepest, 1), (rows[step.node_id] + 0.5) * ROW

    def spot(step: "Step", above: "Step | None") -> Spot:
        share = min(step.n_visits / visits, 1.0)
        radius = LEAST_RADIUS + (LARGEST_RADIUS - LEAST_RADIUS) * sqrt(share)
        span = highest - lowest
        shade = None if step.q is None else 100 * (step.q - lowest) / span if span else 50.0
        return Spot(step, *place(step), radius, shade, place(above) if above else None)

    above = {below.node_id: step for step in tree.root.each() for below in step.below}
    return [spot(step, above.get(step.node_id)) for step in tree.root.each()]


def extremes(tree: "Tree") -> tuple[float, float]:
    """The lowest and the highest Q of the tree."""
    known = [step.q for step in tree.steps if step.q is not None] or [0.0]
    return min(known), max(known)


def _rows(root: "Step") -> dict[str, float]:
    """Node id -> its row, counted in leaves from 0."""
    steps = list(root.each())
    leaves = (step.node_id for step in steps if not step.below)
    rows = {leaf: float(number) for number, leaf in enumerate(leaves)}
    for step in reversed(steps):  # those below it come first
        if step.below:
            rows[step.node_id] = (rows[step.below[0].node_id] + rows[step.below[-1].node_id]) / 2
    return rows


def _listed(root: "Step") -> Iterator[tuple["Step", int]]:
    """Every step below the root in its order, with how many lists of steps end after it."""
    waiting = [(step, 1) for step in reversed(root.below)]
    while waiting:
        step, level = waiting.pop()
        waiting.extend((below, level + 1) for below in reversed(step.below))
        follows = waiting[-1][1] if waiting else 1
        yield step, 0 if step.below else level - follows


def _shown(message: dict[str, Any]) -> str:
    """What a message says, its calls of tools among it."""
    calls = (
        f"[calls {one['name']} with {one['arguments']}]" for one in message["tool_calls"] or ()
    )
    return plain("\n".join(filter(None, (message["content"], *calls))))
