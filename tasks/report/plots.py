"""The report's plots: Vega-Lite specifications, drawn to SVG on this machine.

Colours are CSS variables of the page, so one drawing serves the light and the dark theme. Hues are Okabe and Ito's,
which people with any kind of colour blindness can tell apart; no plot says anything by colour alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.extract.events.gazetteer import FILE as PLACES

Spec = dict[str, Any]
Values = Sequence[dict[str, Any]]

FATES = ("article", "revision", "copy", "unchanged", "skipped", "failed")
_FATE_COLOURS = ["var(--c1)", "var(--c3)", "var(--c2)", "var(--c6)", "var(--c5)", "var(--c4)"]
_STATUS = {"ok": "var(--c3)", "low": "var(--c5)", "zero": "var(--c4)", "blocked": "var(--c7)", "feed_dead": "var(--c6)"}
_SIGNS = {"ok": "", "low": "−", "zero": "0", "blocked": "×", "feed_dead": "†"}
_CELL = 2.0
"""Degrees: the map's land is where the gazetteer knows places, one dot a cell."""
WIDTH = 640


def draw(spec: Spec) -> str:
    """A specification as SVG, hidden from screen readers: its figure's caption and table speak for it."""
    import vl_convert  # 84 MB of native code: only loaded where a report is made

    axis = {
        "labelColor": "var(--ink)", "titleColor": "var(--soft)", "gridColor": "var(--rule)",
        "domainColor": "var(--rule)", "tickColor": "var(--rule)", "labelFontSize": 12, "titleFontSize": 12,
        "labelLimit": 260,
    }  # fmt: skip
    config = {
        "aria": False, "background": "transparent", "font": "sans-serif", "axis": axis,
        "view": {"stroke": None},
        "legend": {"labelColor": "var(--ink)", "titleColor": "var(--soft)", "labelFontSize": 12},
        "text": {"color": "var(--ink)"}, "header": {"labelColor": "var(--ink)"},
    }  # fmt: skip
    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "config": config, "padding": 14} | spec
    svg: str = vl_convert.vegalite_to_svg(whole)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _data(values: Values) -> Spec:
    return {"values": list(values)}


def nights(values: Values) -> Spec:
    """Inputs of the last nights by fate. Values: night, fate, n."""
    return {
        "data": _data(values), "width": WIDTH, "height": 160, "mark": {"type": "bar"},
        "encoding": {
            "x": {"field": "night", "type": "ordinal", "title": None,
                  "axis": {"labelAngle": -45, "labelOverlap": True}},
            "y": {"field": "n", "type": "quantitative", "title": "inputs", "stack": "zero"},
            "color": {"field": "fate", "type": "nominal", "title": None, "sort": list(FATES),
                      "scale": {"domain": list(FATES), "range": _FATE_COLOURS}},
            "order": {"field": "rank", "type": "quantitative"},
        },
    }  # fmt: skip


def coverage(values: Values) -> Spec:
    """Outlets by night: colour and sign say how it went. Values: outlet, night, status, articles."""
    signed = [v | {"sign": _SIGNS.get(v["status"], "?")} for v in values]
    x = {"field": "night", "type": "ordinal", "title": None, "axis": {"labelAngle": -45, "labelOverlap": True}}
    y = {"field": "outlet", "type": "nominal", "title": None}
    return {
        "data": _data(signed), "width": {"step": 34}, "height": {"step": 22},
        "encoding": {"x": x, "y": y},
        "layer": [
            {"mark": {"type": "rect", "stroke": "var(--paper)"},
             "encoding": {"color": {"field": "status", "type": "nominal", "title": None,
                                    "scale": {"domain": list(_STATUS), "range": list(_STATUS.values())}}}},
            {"mark": {"type": "text", "color": "var(--on)", "fontSize": 11, "fontWeight": "bold"},
             "encoding": {"text": {"condition": {"test": "datum.sign != ''", "field": "sign"},
                                   "field": "articles", "type": "quantitative"}}},
        ],
    }  # fmt: skip


def sources(values: Values) -> Spec:
    """Most quoted sources. Values: name, n, outlets."""
    y = {"field": "name", "type": "nominal", "title": None, "sort": {"field": "n", "order": "descending"}}
    return {
        "data": _data(values), "width": WIDTH - 260, "height": {"step": 20},
        "encoding": {"y": y, "x": {"field": "n", "type": "quantitative", "title": "quotes",
                                   "axis": {"tickMinStep": 1}}},
        "layer": [
            {"mark": {"type": "bar", "color": "var(--c1)"}},
            {"mark": {"type": "text", "align": "left", "dx": 4},
             "encoding": {"text": {"field": "n", "type": "quantitative"}}},
        ],
    }  # fmt: skip


def timeline(values: Values) -> Spec:
    """When the stories were told. Values: headline, first, last (ISO 8601, UTC), independent."""
    y = {"field": "headline", "type": "nominal", "title": None, "sort": {"field": "first"}, "axis": {"labelLimit": 300}}
    time = {"type": "temporal", "title": None, "scale": {"type": "utc"}, "axis": {"labelOverlap": True}}
    return {
        "data": _data(values), "width": WIDTH - 300, "height": {"step": 20},
        "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "rule", "color": "var(--c1)", "strokeWidth": 3},
             "encoding": {"x": time | {"field": "first"}, "x2": {"field": "last"}}},
            {"mark": {"type": "point", "filled": True, "color": "var(--c1)", "opacity": 1},
             "encoding": {"x": time | {"field": "first"}, "size": {"field": "independent", "type": "quantitative",
                          "legend": None, "scale": {"range": [30, 200]}}}},
        ],
    }  # fmt: skip


def tolls(values: Values) -> Spec:
    """What the outlets say of the dead of one story each. Values: story, low, high, outlet, says."""
    y = {"field": "says", "type": "nominal", "title": None, "axis": {"labelLimit": 240}}
    return {
        "data": _data(values),
        "facet": {"row": {"field": "story", "type": "nominal", "title": None,
                          "header": {"labelAngle": 0, "labelAlign": "left", "labelOrient": "top", "labelLimit": 560,
                                     "labelFontSize": 13}}},
        "resolve": {"scale": {"y": "independent", "x": "independent"}},
        "spec": {
            "width": WIDTH - 260, "height": {"step": 18},
            "encoding": {"y": y, "x": {"field": "low", "type": "quantitative", "title": "killed",
                                       "axis": {"tickMinStep": 1, "format": "d"}, "scale": {"zero": True}}},
            "layer": [
                {"mark": {"type": "rule", "strokeWidth": 3, "color": "var(--c4)"},
                 "encoding": {"x2": {"field": "high"}}},
                {"mark": {"type": "point", "filled": True, "size": 70, "color": "var(--c4)", "opacity": 1}},
                {"mark": {"type": "text", "align": "left", "dx": 8}, "encoding": {"x": {"field": "high", "type":
                 "quantitative"}, "text": {"field": "words"}}},
            ],
        },
    }  # fmt: skip


@functools.cache
def _land() -> list[list[float]]:
    with np.load(PLACES) as data:
        lat, lon = np.asarray(data["lat"], float), np.asarray(data["lon"], float)
    known = np.isfinite(lat) & np.isfinite(lon)
    cells = np.unique(np.stack([np.floor(lon[known] / _CELL), np.floor(lat[known] / _CELL)], axis=1), axis=0)
    return [[float(x), float(y)] for x, y in (cells + 0.5) * _CELL]


def world(values: Values) -> Spec:
    """The stories on a map. Values: headline, lat, lon (degrees), independent, label (a number, or empty)."""
    land = {"type": "Feature", "geometry": {"type": "MultiPoint", "coordinates": _land()}, "properties": {}}
    at = {"longitude": {"field": "lon", "type": "quantitative"}, "latitude": {"field": "lat", "type": "quantitative"}}
    return {
        "width": WIDTH + 60, "height": 340, "projection": {"type": "equalEarth", "pointRadius": 1.1},
        "layer": [
            {"data": {"values": [land]}, "mark": {"type": "geoshape", "fill": "var(--land)", "stroke": None}},
            {"data": _data(values), "mark": {"type": "circle", "color": "var(--c4)", "opacity": 0.85},
             "encoding": at | {"size": {"field": "independent", "type": "quantitative", "title": "independent reports",
                                        "scale": {"range": [60, 500]}, "legend": None}}},
            {"data": _data(values), "mark": {"type": "text", "dy": -12, "fontSize": 12, "fontWeight": "bold"},
             "encoding": at | {"text": {"field": "label", "type": "nominal"}}},
        ],
    }  # fmt: skip


def steps(values: Values) -> Spec:
    """Where the time went. Values: step, seconds."""
    return {
        "data": _data(values), "width": WIDTH - 260, "height": {"step": 20},
        "mark": {"type": "bar", "color": "var(--c2)"},
        "encoding": {
            "y": {"field": "step", "type": "nominal", "title": None, "sort": None},
            "x": {"field": "seconds", "type": "quantitative", "title": "seconds, all workers together"},
        },
    }  # fmt: skip
