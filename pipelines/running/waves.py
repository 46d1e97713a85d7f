"""Waves: the samplers of one unit, each drawn after those whose responses it starts from.

Samplers that start from none are drawn at once. Another one waits for its own within the unit, and
for nothing else.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from pipelines.errors import nearest
from pipelines.part import Where
from pipelines.sampler import Drawn, Sampler
from pipelines.unit import Unit, gather


async def draw_all(unit: Unit, samplers: Sequence[Sampler]) -> list[Drawn]:
    """What every sampler drew, in their order."""
    if not any(sampler.starts_from() for sampler in samplers):
        return await gather(sampler.draw(unit.by(sampler)) for sampler in samplers)
    drawn: dict[str, asyncio.Task[Drawn]] = {}
    by_name = {sampler.name: sampler for sampler in samplers}

    def draw(sampler: Sampler) -> asyncio.Task[Drawn]:
        if sampler.name not in drawn:
            first = {name: draw(by_name[name]) for name in sampler.starts_from()}
            drawn[sampler.name] = asyncio.create_task(_draw_after(unit, sampler, first))
        return drawn[sampler.name]

    return await gather(draw(sampler) for sampler in samplers)


async def _draw_after(unit: Unit, sampler: Sampler, first: dict[str, asyncio.Task[Drawn]]) -> Drawn:
    before = await gather(first.values())
    earlier = {name: one.responses for name, one in zip(first, before, strict=True)}
    return await sampler.draw(replace(unit.by(sampler), earlier=earlier))


def check_waves(samplers: Sequence[Sampler], where: Where) -> None:
    """Every sampler that another one starts from is there. Raises RecipeError."""
    by_name = {sampler.name: sampler for sampler in samplers}
    for sampler in samplers:
        place = f"[[samplers]] {sampler.name}"
        path, waiting = [sampler.name], list(sampler.starts_from())
        while waiting:
            name = waiting.pop()
            if name not in by_name:
                hint = nearest(name, list(by_name))
                raise where.error(f'starts from no such sampler "{name}"; {hint}', place)
            if name == sampler.name:
                raise where.error(f"starts from itself, by way of {path[-1]}", place)
            if name not in path:
                path.append(name)
                waiting.extend(by_name[name].starts_from())
