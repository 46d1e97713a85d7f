"""How long replies take: measured on a pilot's calls, and what it makes of a whole build."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, cast

from pipelines.backend import Backend, Reply, Request


class Stopwatch:
    """Measures the replies of models."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def timed(self, models: Mapping[str, Backend]) -> dict[str, Backend]:
        """The same models, with their replies measured."""
        return {
            name: cast("Backend", _Timed(model, self._seconds[name]))
            for name, model in models.items()
        }

    def means(self) -> dict[str, float]:
        """Model -> mean seconds of a reply, of those that replied."""
        return {name: fmean(seconds) for name, seconds in self._seconds.items() if seconds}


class _Timed:
    """A model that is the one it stands for in all but that its replies are measured."""

    def __init__(self, model: Backend, seconds: list[float]) -> None:
        self._model, self._seconds = model, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def complete(self, request: Request) -> Reply:
        started = time.monotonic()
        reply = await self._model.complete(request)
        self._seconds.append(time.monotonic() - started)
        return reply


def wall_seconds(
    calls: Sequence[tuple[str, float]], models: Mapping[str, Backend], latency: Mapping[str, float]
) -> float | None:
    """Seconds that (model, calls) take at these mean latencies; None where one is not known.

    Each endpoint needs calls x latency / window, or calls / requests_per_minute where that is
    longer; endpoints work at the same time, so the slowest one counts. Retries, and servers that
    are slower when busy, come on top.
    """
    busy: dict[str, float] = defaultdict(float)
    many: dict[str, float] = defaultdict(float)
    for name, number in calls:
        if name not in latency:
            return None
        busy[models[name].endpoint()] += number * latency[name]
        many[models[name].endpoint()] += number
    return max((_seconds_at(at, busy[at], many[at], models) for at in busy), default=0.0)


def _seconds_at(endpoint: str, busy: float, calls: float, models: Mapping[str, Backend]) -> float:
    sharing = [model for model in models.values() if model.endpoint() == endpoint]
    paces = [one.requests_per_minute for one in sharing if one.requests_per_minute]
    paced = 60 * calls / min(paces) if paces else 0.0
    return max(busy / min(one.window for one in sharing), paced)
