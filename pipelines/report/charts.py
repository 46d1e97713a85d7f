"""Drawings as Vega-Lite specifications. Colours are CSS variables: the page says what they are.

Users' texts are values of fields and nothing else: never a field's name, an expression or a link.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

Spec = dict[str, Any]

CHOSEN, REJECTED, OTHER = "var(--chosen)", "var(--rejected)", "var(--other)"
INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
WIDTH = 400
"""Of a drawing with its labels, in pixels: about as wide as a phone."""
LABELS = 140
"""Most that labels at the left take."""
STEP = 22
"""Height of a row."""
HEIGHT = 170
"""Of a histogram."""

_AXIS = {
    "labelColor": MUTED,
    "titleColor": MUTED,
    "domainColor": LINE,
    "tickColor": LINE,
    "gridColor": LINE,
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "labelLimit": LABELS,
    "tickCount": 5,
    "labelOverlap": True,
    "labelFlush": False,
}
_LEGEND = {
    "orient": "top",
    "title": None,
    "labelColor": INK,
    "labelFontSize": 12,
    "symbolStrokeWidth": 0,
    "symbolType": "square",
}
CONFIG: Spec = {
    "background": None,
    "font": "system-ui, sans-serif",
    "aria": False,
    "view": {"stroke": None},
    "autosize": {"type": "fit-x", "contains": "padding"},
    "padding": {"left": 16, "right": 20, "top": 4, "bottom": 4},
    "axis": _AXIS,
    "legend": _LEGEND,
}


class Series(NamedTuple):
    """What one colour stands for."""

    name: str
    colour: str


class Bar(NamedTuple):
    """A part of a row's bar."""

    label: str
    series: str
    value: float


class Reach(NamedTuple):
    """A value with its interval."""

    label: str
    value: float
    low: float | None
    high: float | None


class Box(NamedTuple):
    """How values are spread."""

    label: str
    p10: float
    p25: float
    median: float
    p75: float
    p90: float
    colour: str


class Block(NamedTuple):
    """A rectangle of a histogram."""

    low: float
    high: float
    bottom: float
    top: float
    series: str
    tick: float | None = None
    """The value that it stands for; None for a bin."""


class Cell(NamedTuple):
    """A share, of a row and a column."""

    row: str
    column: str
    share: float


def bars(rows: Sequence[Bar], series: Sequence[Series], title: str, form: str = "") -> Spec:
    """A bar for each label, its parts in a row; `form` is d3's for the values."""
    axis = {"format": form} if form else {}
    return _spec(
        rows,
        {"type": "bar", "height": {"band": 0.7}},
        {
            "y": _labels(),
            "x": {"field": "value", "type": "quantitative", "title": title, "stack": "zero",
                  "axis": axis},
            "color": _colours(series),
            "order": {"field": "place"},
        },
        height={"step": STEP},
    )  # fmt: skip


def histogram(
    blocks: Sequence[Block], series: Sequence[Series], title: str, count: str, form: str = ""
) -> Spec:
    """Rectangles over an axis of values, whose heights are of d3's form `form`."""
    axis = {"format": form} if form else {}
    x = _values("low", title, zero=False)
    x["scale"] |= {"nice": False}
    if ticks := sorted({one.tick for one in blocks if one.tick is not None}):
        x["axis"] = {"values": ticks, "grid": False}
    return _spec(
        blocks,
        {"type": "rect"},
        {
            "x": x,
            "x2": {"field": "high"},
            "y": {"field": "bottom", "type": "quantitative", "title": count, "axis": axis},
            "y2": {"field": "top"},
            "color": _colours(series),
        },
        height=HEIGHT,
    )


def intervals(rows: Sequence[Reach], title: str, marks: Iterable[float] = ()) -> Spec:
    """A point for each label, on the line of its interval; `marks` are drawn across all rows."""
    value, place = _values("value", title, zero=False), _labels()
    lines = [
        {
            "data": {"values": [{"mark": one} for one in marks]},
            "mark": {"type": "rule", "color": MUTED, "strokeDash": [3, 3]},
            "encoding": {"x": {"field": "mark", "type": "quantitative"}},
        },
        {
            "mark": {"type": "rule", "color": CHOSEN, "strokeWidth": 2},
            "encoding": {
                "y": place,
                "x": _values("low", title, zero=False),
                "x2": {"field": "high"},
            },
        },
        {
            "mark": {"type": "point", "filled": True, "color": CHOSEN, "size": 60, "opacity": 1},
            "encoding": {"y": place, "x": value},
        },
    ]
    return _layered(rows, lines, {"step": STEP})


def boxes(rows: Sequence[Box], title: str) -> Spec:
    """From the 10th to the 90th percentile a line, of the middle half a bar, and the median."""
    place, colour = _labels(), {"field": "colour", "type": "nominal", "scale": None}

    def spread(low: str, high: str) -> Spec:
        x = _values(low, title, zero=True)
        return {"y": place, "x": x, "x2": {"field": high}, "color": colour}

    median = {"y": place, "x": _values("median", title, zero=True)}
    return _layered(
        rows,
        [
            {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": spread("p10", "p90")},
            {"mark": {"type": "bar", "height": 12}, "encoding": spread("p25", "p75")},
            {
                "mark": {"type": "tick", "color": INK, "thickness": 2, "size": 16, "opacity": 1},
                "encoding": median,
            },
        ],
        {"step": STEP + 6},
    )


def heat(cells: Sequence[Cell], order: Sequence[str]) -> Spec:
    """The stronger the colour, the larger the share."""
    axis = {"title": None, "grid": False, "ticks": False, "domain": False, "labelOverlap": False}
    across = {**axis, "labelAngle": -60 if len(order) < 9 else -90, "labelLimit": 100}
    return _spec(
        cells,
        {"type": "rect", "color": CHOSEN},
        {
            "y": {"field": "row", "type": "nominal", "sort": list(order), "axis": axis},
            "x": {"field": "column", "type": "nominal", "sort": list(order), "axis": across},
            "fillOpacity": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1], "range": [0.12, 1]},
                "legend": None,
            },
        },
        height=max(14, min(2 * STEP, 280 // len(order))) * len(order),
    )  # fmt: skip


def _spec(rows: Sequence[Any], mark: Spec, encoding: Spec, height: int | Spec) -> Spec:
    return {
        "width": WIDTH,
        "height": height,
        "data": _data(rows),
        "mark": mark,
        "encoding": encoding,
    }


def _layered(rows: Sequence[Any], layers: list[Spec], height: Spec) -> Spec:
    return {"width": WIDTH, "height": height, "data": _data(rows), "layer": layers}


def _data(rows: Sequence[Any]) -> Spec:
    return {"values": [{**one._asdict(), "place": place} for place, one in enumerate(rows)]}


def _labels() -> Spec:
    axis = {"title": None, "grid": False, "ticks": False, "domain": False, "labelPadding": 6,
            "labelColor": INK}  # fmt: skip
    return {"field": "label", "type": "nominal", "sort": None, "axis": axis}


def _values(field: str, title: str, *, zero: bool) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, "scale": {"zero": zero}}


def _colours(series: Sequence[Series]) -> Spec:
    names, colours = [one.name for one in series], [one.colour for one in series]
    legend: Spec = {} if len(series) > 1 else {"legend": None}
    scale = {"domain": names, "range": colours}
    return {"field": "series", "type": "nominal", "scale": scale, **legend}
