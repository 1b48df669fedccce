"""A night of many pages: speed beside the script, memory over time, a second worker, and what more pages cost.

usage: python -m bench speed --pages N [--english]

Leaves its figures in bench/results/speed_long.json and its chart in docs/speed.svg; of English pages alone only the
figures, in bench/results/speed_long_english.json.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from bench.corpus import originals, write_corpus
from bench.gold import OURS, WORK, Row
from bench.night import SCRIPT, WARCS, WORKERS, Timed, as_flow, need, ours, script, timed, warm_up

RESULTS = Path(__file__).parent / "results"
CHART = Path(__file__).parent.parent / "docs" / "speed.svg"
LIMIT_S = 6 * 3600.0
PART_OF_SCRIPT = 3
"""The script reads one page in so many: it keeps nothing between pages, so more of them cost it the same each."""
POINTS = 200
"""Moments of the chart."""


def run_long(pages: int, *, english: bool = False) -> list[Row]:
    """Rows for n varied pages, or English ones alone; the whole also as JSON and as a chart."""
    read = [p for p in originals(WARCS) if not english or p.language == "en"]
    warm_up(read)
    load = os.getloadavg()[0]
    whole = write_corpus(WORK / "long.warc.gz", read, pages)
    tenth = write_corpus(WORK / "tenth.warc.gz", read, pages // 10)
    part = pages // PART_OF_SCRIPT
    some = write_corpus(WORK / "some.warc.gz", read, part)
    few = need(timed(as_flow(ours(WORK / "few.warc.gz"))))  # what starting up costs
    small = need(timed(as_flow(ours(tenth)), LIMIT_S))
    by_script = need(timed(script(some), LIMIT_S))
    alone = need(timed(as_flow(ours(whole, workers=1)), LIMIT_S))
    both = need(timed(as_flow(ours(whole)), LIMIT_S))
    steps = _steps(WORK / "speed")
    working = steps["clean"] + steps["extract"]
    figures: dict[str, float | None] = {
        "pages/s": round(pages / both.seconds, 2),
        "ratio to script": round((pages / both.seconds) / (part / by_script.seconds), 2),
        "pages/CPU-s": round(pages / both.cpu_seconds, 2),
        "CPU ratio to script": round((pages / both.cpu_seconds) / (part / by_script.cpu_seconds), 2),
        "two workers to one": round(alone.seconds / both.seconds, 2),
        "10 times the pages, CPU": round(
            (both.cpu_seconds - few.cpu_seconds) / (small.cpu_seconds - few.cpu_seconds), 2
        ),
        "outside the work %": round(100 * (1 - working / (WORKERS * both.seconds)), 1),
        "worker peak MB": round(both.worker_mb),
        "parent peak MB": round(both.parent_mb),
    }
    of_script: dict[str, float | None] = {
        "pages/s": round(part / by_script.seconds, 2), "ratio to script": 1.0,
        "pages/CPU-s": round(part / by_script.cpu_seconds, 2), "CPU ratio to script": 1.0,
        "worker peak MB": round(by_script.worker_mb), "parent peak MB": round(by_script.parent_mb),
    }  # fmt: skip
    note = f"load of the machine before: {load:.1f}; the script read {part} pages"
    name = f"{pages} varied {'English ' if english else ''}pages, {WORKERS} workers"
    series = _series(both)
    spent = {"few": few, "tenth": small, "script": by_script, "one worker": alone, "two workers": both}
    runs = {k: {"seconds": round(r.seconds, 1), "CPU": round(r.cpu_seconds, 1)} for k, r in spent.items()}
    kept = {"set": name, "note": note, OURS: figures, SCRIPT: of_script, "runs": runs, "steps": steps, "memory": series}
    file = RESULTS / f"speed_long{'_english' if english else ''}.json"
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if not english:
        CHART.write_text(chart(series), encoding="utf-8")
    return [
        Row(section="speed", set=name, system=SCRIPT, figures=of_script, note=note),
        Row(section="speed", set=name, system=OURS, figures=figures, note=note),
    ]


def _steps(root: Path) -> dict[str, float]:
    """Seconds of each step, over all workers."""
    last = pd.read_parquet(root / "runs", columns=["steps"])["steps"].iloc[-1]
    return {s["step"]: float(s["seconds"]) for s in last}


def _series(run: Timed) -> list[dict[str, Any]]:
    """Memory over time of the parent and of the processes that grow largest, its workers."""
    peaks: dict[int, float] = {}
    for s in run.samples:
        for pid, mb in s.mb.items():
            peaks[pid] = max(peaks.get(pid, 0.0), mb)
    parent = next(iter(run.samples[0].mb)) if run.samples else -1
    largest = sorted((p for p in peaks if p != parent), key=lambda p: -peaks[p])[:WORKERS]
    names = {parent: "command"} | {p: f"worker {k + 1}" for k, p in enumerate(sorted(largest))}
    step = max(1, len(run.samples) // POINTS)
    return [
        {"minutes": round(s.at / 60, 3), "MB": round(s.mb[pid]), "process": name}
        for s in run.samples[::step] for pid, name in names.items() if pid in s.mb
    ]  # fmt: skip


def chart(series: list[dict[str, Any]]) -> str:
    """Memory over time as SVG."""
    import vl_convert

    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": {"background": "white", "font": "sans-serif", "view": {"stroke": None}},
        "width": 640, "height": 260, "data": {"values": series},
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "x": {"field": "minutes", "type": "quantitative", "title": "minutes from the command"},
            "y": {"field": "MB", "type": "quantitative", "title": "resident memory, MB"},
            "color": {
                "field": "process", "type": "nominal", "title": None,
                "scale": {"range": ["#666666", "#0072b2", "#d55e00"]},
            },
            "strokeDash": {"field": "process", "type": "nominal", "title": None},
        },
    }  # fmt: skip
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg
