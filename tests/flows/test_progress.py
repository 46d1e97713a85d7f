import io
import time

import pytest
from rich.console import Console

from flows.progress import PLAIN_EVERY_S, LiveView, PlainLines, Rate, Reading, progress
from pipelines.calls.meter import Meter
from pipelines.calls.prices import Prices, Usage

PRICES = Prices(input=1.0, output=2.0)


def test_a_rate_is_taken_over_the_recent_seconds_only() -> None:
    rate = Rate(span_s=10)
    for second in range(100):
        rate.per_second(float(second), 0)
    assert rate.per_second(100.0, 50) == pytest.approx(5.0)
    assert rate.per_second(105.0, 50) == pytest.approx(5.0)
    assert rate.per_second(115.0, 50) == 0.0


def test_a_single_look_gives_no_rate() -> None:
    assert Rate().per_second(1.0, 7) == 0.0


def test_the_figures_say_units_calls_tokens_spend_and_time_left() -> None:
    meter = Meter(step="sampling and judging", units=40)
    reading = Reading(meter)
    reading.words(100.0)
    for _ in range(20):
        meter.paid("m", Usage(prompt_tokens=1000, completion_tokens=500), PRICES)
    meter.units_done, meter.in_flight, meter.retries = 10, 8, 3
    assert reading.words(110.0) == [
        "sampling and judging",
        "10/40 prompts",
        "ETA 0:30",
        "2.0 calls/s",
        "spend 0.04",
        "tokens 20k in, 10k out",
        "8 in flight",
        "3 retries",
    ]


def test_replies_without_usage_are_flagged_beside_the_spend() -> None:
    meter = Meter(units=3)
    meter.paid("m", Usage(prompt_tokens=10, completion_tokens=10), PRICES)
    meter.paid("m", None, PRICES)
    assert "spend 3e-05 + 1 unknown" in Reading(meter).words(0.0)


def test_after_the_last_unit_only_the_step_is_said() -> None:
    meter = Meter(step="selecting", units=3, units_done=3, retries=2)
    meter.paid("m", None, PRICES)
    assert Reading(meter).words(0.0) == ["selecting"]


def test_a_step_without_units_says_how_long_it_takes_and_how_many_rows_it_read() -> None:
    meter = Meter(step="reading", rows_read=1200)
    reading = Reading(meter)
    assert reading.words(5.0) == ["reading", "1,200 rows"]
    assert reading.words(80.0) == ["reading", "1,200 rows", "1:15"]
    meter.step = "publishing"
    assert reading.words(81.0) == ["publishing"]
    assert reading.words(84.0) == ["publishing", "0:03"]


def busy() -> Meter:
    meter = Meter(step="sampling and judging", units=2000, units_done=310, in_flight=64)
    meter.paid("m", Usage(prompt_tokens=1000, completion_tokens=500), PRICES)
    meter.retries, meter.units_owed = 3, 2
    return meter


def shown(view: LiveView, width: int, now: float) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(view.render(width, now))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_no_live_line_is_wrapped_or_cut_within_a_figure(width: int) -> None:
    figures = set(Reading(busy()).words(0.0))
    lines = shown(LiveView(busy()), width, 0.0)
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)
    assert set(lines[1].split(" · ")) <= figures
    assert any("310/2,000 prompts" in line for line in lines)


def test_on_a_narrow_terminal_the_least_useful_figures_go_first() -> None:
    meter = busy()
    meter.units_done, view = 0, LiveView(meter)
    shown(view, 40, 0.0)
    meter.units_done = 10
    assert shown(view, 40, 10.0) == [
        "sampling and judging 10/2,000 prompts",
        "ETA 33:10 · 0.0 calls/s · 2 owed",
    ]


def test_plain_lines_come_at_the_start_of_a_step_and_every_half_minute() -> None:
    meter = Meter(step="reading")
    lines = PlainLines(meter)
    assert lines.line(0.0) == "reading"
    assert lines.line(1.0) is None
    meter.step, meter.units = "sampling and judging", 4
    assert lines.line(2.0) == "sampling and judging, 0/4 prompts"
    meter.units_done = 1
    assert lines.line(2.0 + PLAIN_EVERY_S - 0.1) is None
    assert str(lines.line(2.0 + PLAIN_EVERY_S)).startswith("sampling and judging, 1/4 prompts")


def test_without_a_terminal_progress_is_plain_lines() -> None:
    stream, meter = io.StringIO(), Meter()
    with progress(meter, stream):
        until = time.monotonic() + 20
        while "reading" not in stream.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert stream.getvalue() == "reading\n"
