"""The report's plots: Vega-Lite specifications, drawn to SVG on this machine.

Colours are CSS variables of the page, so one drawing serves the light and the dark theme. Hues are Okabe and Ito's,
which people with any kind of colour blindness can tell apart; no plot says anything by colour alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tasks.extract.events.gazetteer import FILE as PLACES

Spec = dict[str, Any]
Values = Sequence[dict[str, Any]]
Plot = Callable[[Values, int], Spec]

FATES = ("article", "revision", "copy", "unchanged", "skipped", "failed")
_FATE_COLOURS = ["var(--c1)", "var(--c3)", "var(--c2)", "var(--c6)", "var(--c5)", "var(--c4)"]
_STATUS = {"ok": "var(--c3)", "low": "var(--c5)", "zero": "var(--c4)", "blocked": "var(--c7)", "feed_dead": "var(--c6)"}
_SIGNS = {"ok": "", "low": "−", "zero": "0", "blocked": "×", "feed_dead": "†"}
_CELL = 2.0
"""Degrees: the map's land is where the gazetteer knows places, one dot a cell."""
WIDE, NARROW = 920, 350
"""Pixels: each plot is drawn for a desk and for a phone, so that its words are read without zooming."""
NARROW_NIGHTS = 8
"""Nights that fit beside the names of outlets on a phone."""


def draw(spec: Spec) -> str:
    """A specification as SVG, hidden from screen readers: its figure's caption and table speak for it."""
    import vl_convert  # 84 MB of native code: only loaded where a report is made

    axis = {
        "labelColor": "var(--ink)", "titleColor": "var(--soft)", "gridColor": "var(--rule)",
        "domainColor": "var(--rule)", "tickColor": "var(--rule)", "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal",
    }  # fmt: skip
    legend = {"labelColor": "var(--ink)", "labelFontSize": 12, "orient": "top", "direction": "horizontal", "offset": 6}
    config = {
        "aria": False, "background": "transparent", "font": "sans-serif", "axis": axis, "legend": legend,
        "view": {"stroke": None}, "text": {"color": "var(--ink)", "fontSize": 12},
    }  # fmt: skip
    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "config": config, "padding": 4} | spec
    svg: str = vl_convert.vegalite_to_svg(whole)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def both(plot: Plot, values: Values) -> tuple[str, str]:
    """A plot for a desk and for a phone."""
    return draw(plot(values, WIDE)), draw(plot(values, NARROW))


def _sized(values: Values, width: int, **more: Any) -> Spec:
    """A specification as wide as it is told, labels and all."""
    fit = {"type": "fit-x", "contains": "padding"}
    return {"data": {"values": list(values)}, "width": width, "autosize": fit} | more


def _labels(width: int) -> int:
    """Pixels for the names beside a plot."""
    return int(width * 0.42)


def _last_nights(values: Values, most: int) -> list[dict[str, Any]]:
    kept = set(sorted({v["night"] for v in values})[-most:])
    return [v for v in values if v["night"] in kept]


def _legend(width: int) -> Spec:
    return {"columns": 6 if width > NARROW else 3}


def nights(values: Values, width: int) -> Spec:
    """Inputs of the last nights by fate. Values: night, fate, n, rank."""
    shown = list(values) if width > NARROW else _last_nights(values, 2 * NARROW_NIGHTS)
    return _sized(
        shown, width, height=170, mark={"type": "bar"},
        encoding={
            "x": {"field": "night", "type": "ordinal", "title": None,
                  "axis": {"labelAngle": -45, "labelOverlap": True}, "scale": {"paddingInner": 0.15}},
            "y": {"field": "n", "type": "quantitative", "title": "inputs", "stack": "zero"},
            "color": {"field": "fate", "type": "nominal", "title": None, "sort": list(FATES),
                      "scale": {"domain": list(FATES), "range": _FATE_COLOURS}, "legend": _legend(width)},
            "order": {"field": "rank", "type": "quantitative"},
        },
    )  # fmt: skip


def coverage(values: Values, width: int) -> Spec:
    """Outlets by night: colour and sign say how it went. Values: outlet, night, status, articles."""
    shown = list(values) if width > NARROW else _last_nights(values, NARROW_NIGHTS)
    room = width - _labels(width) - 10
    step = min(34, room // len({v["night"] for v in shown}))
    signed = [v | {"sign": _SIGNS.get(v["status"], "?"), "status": v["status"].replace("_", " ")} for v in shown]
    statuses = [s.replace("_", " ") for s in _STATUS]
    return {
        "data": {"values": signed}, "width": {"step": step}, "height": {"step": 22},
        "encoding": {
            "x": {"field": "night", "type": "ordinal", "title": None, "axis": {"labelAngle": -45,
                                                                              "labelOverlap": True}},
            "y": {"field": "outlet", "type": "nominal", "title": None, "sort": None,
                  "axis": {"labelLimit": _labels(width)}},
        },
        "layer": [
            {"mark": {"type": "rect", "stroke": "var(--paper)"},
             "encoding": {"color": {"field": "status", "type": "nominal", "title": None, "legend": _legend(width),
                                    "scale": {"domain": statuses, "range": list(_STATUS.values())}}}},
            {"mark": {"type": "text", "color": "var(--on)", "fontSize": 11 if step > 26 else 9, "fontWeight": "bold"},
             "encoding": {"text": {"condition": {"test": "datum.sign != ''", "field": "sign"},
                                   "field": "articles", "type": "quantitative"}}},
        ],
    }  # fmt: skip


def sources(values: Values, width: int) -> Spec:
    """Most quoted sources. Values: name, n, the most quoted first."""
    return _sized(
        values, width, height={"step": 22},
        encoding={
            "y": {"field": "name", "type": "nominal", "title": None, "sort": None,
                  "axis": {"labelLimit": _labels(width), "ticks": False, "domain": False}},
            "x": {"field": "n", "type": "quantitative", "title": "quotes",
                  "axis": {"tickMinStep": 1, "format": "d", "tickCount": 5}},
        },
        layer=[
            {"mark": {"type": "bar", "color": "var(--c1)"}},
            {"mark": {"type": "text", "align": "left", "dx": 4},
             "encoding": {"text": {"field": "n", "type": "quantitative"}}},
        ],
    )  # fmt: skip


def timeline(values: Values, width: int) -> Spec:
    """When the stories were told. Values: headline, first, last (ISO 8601, UTC), independent."""
    y = {"field": "headline", "type": "nominal", "title": None, "sort": {"field": "first"},
         "axis": {"labelLimit": _labels(width), "ticks": False, "domain": False}}  # fmt: skip
    words = "utchours(datum.value) == 0 ? utcFormat(datum.value, '%-d %b') : utcFormat(datum.value, '%H:%M')"
    axis = {"labelExpr": words, "tickCount": 8 if width > NARROW else 3, "labelOverlap": True}
    time = {"type": "temporal", "title": "UTC", "scale": {"type": "utc", "padding": 12}, "axis": axis}
    return _sized(
        values, width, height={"step": 22}, encoding={"y": y},
        layer=[
            {"mark": {"type": "rule", "color": "var(--c1)", "strokeWidth": 3},
             "encoding": {"x": time | {"field": "first"}, "x2": {"field": "last"}}},
            {"mark": {"type": "point", "filled": True, "color": "var(--c1)", "opacity": 1},
             "encoding": {"x": time | {"field": "first"}, "size": {"field": "independent", "type": "quantitative",
                          "legend": None, "scale": {"range": [30, 200]}}}},
        ],
    )  # fmt: skip


def tolls(values: Values, width: int) -> Spec:
    """What the outlets say of the dead of one story. Values: says, words, low, high."""
    y = {"field": "says", "type": "nominal", "title": None, "sort": None,
         "axis": {"labelLimit": _labels(width), "ticks": False, "domain": False}}  # fmt: skip
    room = 1.25 if width > NARROW else 1.7  # for the words beside the highest number
    x = {"field": "low", "type": "quantitative", "title": "killed",
         "scale": {"domain": [0, room * max(v["high"] for v in values)], "nice": False},
         "axis": {"tickMinStep": 1, "format": "d", "tickCount": 8 if width > NARROW else 3}}  # fmt: skip
    return _sized(
        values, width, height={"step": 22}, encoding={"y": y, "x": x},
        layer=[
            {"mark": {"type": "rule", "strokeWidth": 3, "color": "var(--c4)"}, "encoding": {"x2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": True, "size": 70, "color": "var(--c4)", "opacity": 1}},
            {"mark": {"type": "text", "align": "left", "dx": 8},
             "encoding": {"x": {"field": "high", "type": "quantitative"}, "text": {"field": "words"}}},
        ],
    )  # fmt: skip


@functools.cache
def _land() -> list[list[float]]:
    with np.load(PLACES) as data:
        lat, lon = np.asarray(data["lat"], float), np.asarray(data["lon"], float)
    known = np.isfinite(lat) & np.isfinite(lon)
    cells = np.unique(np.stack([np.floor(lon[known] / _CELL), np.floor(lat[known] / _CELL)], axis=1), axis=0)
    return [[float(x), float(y)] for x, y in (cells + 0.5) * _CELL]


def world(values: Values, width: int) -> Spec:
    """The stories on a map. Values: lat, lon (degrees), independent, label (a number, or empty)."""
    land = {"type": "Feature", "geometry": {"type": "MultiPoint", "coordinates": _land()}, "properties": {}}
    at = {"longitude": {"field": "lon", "type": "quantitative"}, "latitude": {"field": "lat", "type": "quantitative"}}
    wide = width > NARROW
    size = {"field": "independent", "type": "quantitative", "legend": None, "scale": {"range": [160, 600]}}
    text = {"type": "text", "fontSize": 11, "fontWeight": "bold", "color": "var(--on)"}
    return {
        "width": width - 8, "height": int(width * 0.45),
        "projection": {"type": "equalEarth", "pointRadius": 1.4 if wide else 0.6},
        "layer": [
            {"data": {"values": [land]}, "mark": {"type": "geoshape", "fill": "var(--land)", "stroke": None}},
            {"data": {"values": list(values)}, "mark": {"type": "circle", "color": "var(--pin)", "opacity": 0.9,
                                                        "stroke": "var(--paper)"},
             "encoding": at | {"size": size}},
            {"data": {"values": list(values)}, "mark": text,
             "encoding": at | {"text": {"field": "label", "type": "nominal"}}},
        ],
    }  # fmt: skip


def steps(values: Values, width: int) -> Spec:
    """Where the time went. Values: step, seconds."""
    return _sized(
        values, width, height={"step": 22}, mark={"type": "bar", "color": "var(--c2)"},
        encoding={
            "y": {"field": "step", "type": "nominal", "title": None, "sort": None,
                  "axis": {"labelLimit": _labels(width), "ticks": False, "domain": False}},
            "x": {"field": "seconds", "type": "quantitative", "title": "seconds, all workers together",
                  "axis": {"tickCount": 5}},
        },
    )  # fmt: skip
