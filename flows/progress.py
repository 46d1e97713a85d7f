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

from flows.texts.jobs import jobs_in_words
from flows.texts.plain import count, counted, duration, short
from flows.texts.spend import spend_in_brief, tokens
from flows.texts.terminal import fitted, one_line

if TYPE_CHECKING:
    from pipelines.calls.meter import Meter

LOOKS_PER_SECOND = 4
PLAIN_EVERY_S = 30.0
RECENT_S = 15.0
"""A rate is taken over the last so many seconds."""
SHOWN_FROM_S = 2.0
"""How long a step takes is shown from so many seconds on."""
NARROWEST_BAR, WIDEST_BAR = 8, 32
BETWEEN = " · "


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
        self._step, self._since = "", 0.0

    def words(self, now: float) -> list[str]:
        """The step, then its figures, the most useful first. What is zero or unknown is left out."""
        meter = self._meter
        if meter.step != self._step:
            self._step, self._since = meter.step, now
        if meter.units_done < meter.units or meter.in_flight:
            return [meter.step, *self._of_units(now)]
        words = [meter.step]
        if meter.step == "reading" and meter.rows_read:
            words.append(counted(meter.rows_read, "row"))
        if now - self._since >= SHOWN_FROM_S:
            words.append(duration(now - self._since))
        return words

    def _of_units(self, now: float) -> Iterator[str]:
        """While units run: how far they are, and what they take."""
        meter = self._meter
        calls = self._calls.per_second(now, meter.calls)
        units = self._units.per_second(now, meter.units_done)
        yield f"{count(meter.units_done)}/{count(meter.units)} prompts"
        if units:
            yield f"ETA {duration((meter.units - meter.units_done) / units)}"
        if meter.jobs:
            yield jobs_in_words(tuple(meter.jobs.values()))
        if meter.calls or meter.in_flight:
            yield f"{calls:.1f} calls/s"
        if meter.refused_requests:
            yield f"{count(meter.refused_requests)} refused"
        if meter.units_owed:
            yield f"{count(meter.units_owed)} owed"
        if meter.calls:
            spends = list(meter.spend.values())
            prompt, completion = tokens(spends)
            yield from filter(None, [spend_in_brief(spends)])
            yield f"tokens {short(prompt)} in, {short(completion)} out"
        if meter.in_flight:
            yield f"{meter.in_flight} in flight"
        if meter.retries:
            yield counted(meter.retries, "retry", "retries")


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

    console = Console(file=stream)
    view = LiveView(meter)
    with Live(
        get_renderable=lambda: view.render(console.width, time.monotonic()),
        console=console,
        refresh_per_second=LOOKS_PER_SECOND,
        transient=True,
        redirect_stdout=False,
    ):
        yield


class LiveView:
    """Two live lines: the step with a bar of its units, and further figures below."""

    def __init__(self, meter: "Meter") -> None:
        self._meter = meter
        self._reading = Reading(meter)

    def render(self, width: int, now: float) -> Any:
        """A rich renderable of the meter as it is `now`, which wraps no line of `width` columns."""
        from rich.console import Group
        from rich.text import Text

        step, *figures = self._reading.words(now)
        step = one_line(step, width)
        first = fitted(figures[:2], width - len(step) - 1, BETWEEN)
        used = len(first.split(BETWEEN)) if first else 0
        below = fitted(figures[used:], width, BETWEEN)
        head = self._head(step, first, width)
        return Group(head, Text(below)) if below else head

    def _head(self, step: str, first: str, width: int) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        units, done = self._meter.units, self._meter.units_done
        bar = min(WIDEST_BAR, width - len(step) - len(first) - 2)
        if not first or done >= units or bar < NARROWEST_BAR:
            return Text.assemble((step, "bold"), " ", first)
        head = Table.grid(padding=(0, 1, 0, 0))
        head.add_row(Text(step, style="bold"), ProgressBar(units, done, bar), Text(first))
        return head
