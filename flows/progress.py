"""Progress of a build on standard error: a live line on a terminal, plain lines elsewhere.

The meter is looked at a few times a second from a thread of its own; the build knows nothing of it.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from flows.plain_text import count, counted, duration, short
from flows.spend_text import spend_in_words, tokens

if TYPE_CHECKING:
    from pipelines.meter import Meter

LOOKS_PER_SECOND = 4
PLAIN_EVERY_S = 30.0
RECENT_S = 15.0
"""A rate is taken over the last so many seconds."""


class Rate:
    """How fast a count grew lately."""

    def __init__(self, span_s: float = RECENT_S) -> None:
        self._span_s = span_s
        self._seen: deque[tuple[float, int]] = deque()

    def per_second(self, now: float, total: int) -> float:
        """The growth per second up to `now`, over the last `span_s` seconds that were seen."""
        self._seen.append((now, total))
        while len(self._seen) > 2 and self._seen[1][0] <= now - self._span_s:
            self._seen.popleft()
        (start, before), (end, after) = self._seen[0], self._seen[-1]
        return (after - before) / (end - start) if end > start else 0.0


class Reading:
    """What one look at the meter says, in words."""

    def __init__(self, meter: "Meter") -> None:
        self._meter = meter
        self._calls, self._units = Rate(), Rate()

    def words(self, now: float) -> list[str]:
        """The step; while units run, their figures too. What is zero or unknown is left out."""
        meter = self._meter
        calls = self._calls.per_second(now, meter.calls)
        units = self._units.per_second(now, meter.units_done)
        left = meter.units - meter.units_done
        words = [meter.step]
        if left <= 0 and not meter.in_flight:
            return words
        words.append(f"{count(meter.units_done)}/{count(meter.units)} prompts")
        if meter.calls or meter.in_flight:
            words += [f"{calls:.1f} calls/s", f"{meter.in_flight} in flight"]
        if meter.calls:
            prompt, completion = tokens(meter)
            words += [f"tokens {short(prompt)} in, {short(completion)} out", spend_in_words(meter)]
        if meter.retries:
            words.append(counted(meter.retries, "retry", "retries"))
        if meter.units_owed:
            words.append(f"{count(meter.units_owed)} owed")
        if units:
            words.append(f"ETA {duration(left / units)}")
        return words


class PlainLines:
    """Says something at the start of each step, and every `PLAIN_EVERY_S` seconds."""

    def __init__(self, meter: "Meter") -> None:
        self._meter = meter
        self._reading = Reading(meter)
        self._step = ""
        self._said = 0.0

    def line(self, now: float) -> str | None:
        """The line that is due at `now`, a monotonic time in seconds; None when none is."""
        step, *figures = self._reading.words(now)
        if step == self._step and now - self._said < PLAIN_EVERY_S:
            return None
        self._step, self._said = step, now
        return ", ".join([step, *figures])


@contextmanager
def progress(meter: "Meter", stream: TextIO | None = None) -> Iterator[None]:
    """Shows `meter` while the body runs, on `stream` (standard error)."""
    stream = stream or sys.stderr
    live = stream.isatty() and os.environ.get("TERM") != "dumb"
    with _live(meter, stream) if live else _plain(meter, stream):
        yield


@contextmanager
def _plain(meter: "Meter", stream: TextIO) -> Iterator[None]:
    lines, ended = PlainLines(meter), threading.Event()

    def look() -> None:
        while True:
            if line := lines.line(time.monotonic()):
                print(line, file=stream, flush=True)
            if ended.wait(1 / LOOKS_PER_SECOND):
                return

    watcher = threading.Thread(target=look, name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@contextmanager
def _live(meter: "Meter", stream: TextIO) -> Iterator[None]:
    from rich.console import Console
    from rich.live import Live

    view = LiveView(meter)
    with Live(
        get_renderable=view.render,
        console=Console(file=stream),
        refresh_per_second=LOOKS_PER_SECOND,
        transient=True,
        redirect_stdout=False,
    ):
        yield


class LiveView:
    """The live lines: the step with a bar of its units, and the figures below."""

    def __init__(self, meter: "Meter") -> None:
        self._meter = meter
        self._reading = Reading(meter)

    def render(self) -> Any:
        """A rich renderable of the meter as it is now."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        step, *figures = self._reading.words(time.monotonic())
        total, done = self._meter.units or None, self._meter.units_done
        head = Table.grid(padding=(0, 1))
        head.add_row(Text(step, style="bold"), ProgressBar(total, done, 32), Text(*figures[:1]))
        return Group(head, Text(" · ".join(figures[1:])))
