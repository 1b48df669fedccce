"""The bench's table for people, its results for programs, and the floors that quality must not fall below."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import tomllib
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.gold import DATA, OURS, Row, digest

HERE = Path(__file__).parent
LATEST = HERE / "results" / "latest.json"
TABLE = HERE / "results" / "latest.md"
BASELINE = HERE / "baseline.json"
PACKAGES = ("trafilatura", "newspaper3k", "readability-lxml", "resiliparse", "spacy", "textacy", "prefect", "pyarrow")
GOLD = (
    "pages/dev.warc.gz", "pages/dev_gold.jsonl.gz", "pages/more.warc.gz", "pages/more_gold.jsonl.gz",
    "text/dirty_dev.jsonl.gz", "quotes/polnear_dev.jsonl.gz",
    "quotes/world_dev.jsonl", "events/plover_gsr.jsonl.gz", "events/case_types.jsonl.gz", "events/ipe_sents.jsonl.gz",
    "events/detail_dev.jsonl",
)  # fmt: skip
LOWER_IS_BETTER = frozenset({"false quotes", "false alarms %", "no real event %", "glued", "ghosts"})
NOT_QUALITY = frozenset(
    {
        "pages/CPU-s", "texts/CPU-s", "pages/s", "ratio to script", "CPU ratio to script", "worker peak MB",
        "parent peak MB", "peak MB", "seconds", "archived", "shortest gap s",
        "CPU s", "MB", "readers", "largest reader MB", "first paint s", "slowest page of explore s",
    }
)  # fmt: skip


def quoted_rows(sections: Iterable[str]) -> list[Row]:
    """Figures read in ../shared/README.md for the sections that are shown."""
    rows = tomllib.loads((HERE / "quoted.toml").read_text(encoding="utf-8"))["row"]
    return [Row(**row, quoted=True) for row in rows if row["section"] in sections]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def keep(rows: list[Row]) -> None:
    """Write the results; sections that were not run this time stay as they were."""
    before = json.loads(LATEST.read_text(encoding="utf-8")) if LATEST.is_file() else {"rows": [], "measured": {}}
    run = {r.section for r in rows}
    old = [Row(**r) for r in before["rows"] if r["section"] not in run]
    order = list(SECTIONS)
    together = sorted([*old, *rows], key=lambda r: order.index(r.section))
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    measured = {s: now if s in run else at for s, at in {**before["measured"], **dict.fromkeys(run, now)}.items()}
    LATEST.parent.mkdir(parents=True, exist_ok=True)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    result = {"measured": measured, "machine": machine, "versions": _versions(), "rows": [asdict(r) for r in together]}
    LATEST.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    TABLE.write_text(markdown(together, measured, machine), encoding="utf-8")


SECTIONS = {
    "pages": "News pages: body F1, title, date, authors (shares of 1)",
    "more": "Pages of other kinds: strings that must and must not be in the body (shares of 1)",
    "text": "Badly scraped text: body F1 (shares of 1)",
    "quotes": "Quotes in US politics (F1 and accuracy, %)",
    "world": "Quotes in other news (F1 and accuracy, %)",
    "events": "Events (F1 and accuracy, %)",
    "seed": "The first article (found of 12 paragraphs, 7 quotes, 7 speakers, 7 sources, 8 events)",
    "speed": "Speed, from WARC to tables",
    "report": "The morning after a large night (the report: at most 10 s, 5 MB, 1 s to first paint)",
    "fetch": "Fetching and archiving from loopback (no host may be asked faster than its delay)",
    "scale": "Past one machine: a Dask cluster over S3 on loopback, and larger ones simulated",
}


def _blocks(rows: list[Row]) -> Iterable[tuple[str, str, list[str], list[Row]]]:
    """(section, set, columns, rows) of each small table."""
    for section in SECTIONS:
        own = sorted((r for r in rows if r.section == section), key=lambda r: r.set)
        for name, group in groupby(own, key=lambda r: r.set):
            members = list(group)
            yield section, name, list(dict.fromkeys(k for r in members for k in r.figures)), members


def _cells(row: Row, columns: list[str]) -> list[str]:
    name = f"{row.system} (quoted)" if row.quoted else row.system
    values = (row.figures.get(c) for c in columns)
    return [name, *("–" if v is None else f"{v:g}" for v in values)]


def plain_table(rows: list[Row]) -> str:
    """The table as lines of fixed width."""
    out, last = [], ""
    for section, name, columns, members in _blocks(rows):
        if section != last:
            out += ["", SECTIONS[section]]
            last = section
        lines = [[f"  {name}", *columns], *(_cells(r, columns) for r in members)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns) + 1)]
        for i, line in enumerate(lines):
            first = line[0].ljust(widths[0] + 2) if i == 0 else f"    {line[0]}".ljust(widths[0] + 6)
            rest = "  ".join(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))
            out.append((first if i else first + "    ") + rest)
        out += [f"      {r.system}: {r.note}" for r in members if r.note]
    return "\n".join(out).lstrip("\n")


def markdown(rows: list[Row], measured: dict[str, str], machine: str) -> str:
    """The same as Markdown."""
    out = [
        "# Latest bench", "",
        f"Made by `python -m bench` on {machine}. Rows marked *quoted* were not measured here: they are figures of",
        "`../shared/README.md`, taken on the held-back halves of the same sets.",
    ]  # fmt: skip
    last = ""
    for section, name, columns, members in _blocks(rows):
        if section != last:
            out += ["", f"## {SECTIONS[section]}", "", f"Measured {measured.get(section, '')}."]
            last = section
        out += ["", f"| {name} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        out += ["| " + " | ".join(_cells(r, columns)) + " |" for r in members]
        out += [f"\n{r.system}: {r.note}" for r in members if r.note]
    return "\n".join(out) + "\n"


# --------------------------------------------------------------------------- floors


def _ours(rows: list[Row]) -> dict[str, float]:
    """Our quality figures by `section/set/figure`."""
    return {
        f"{r.section}/{r.set}/{k}": v
        for r in rows if r.system == OURS and not r.quoted
        for k, v in r.figures.items() if v is not None and k not in NOT_QUALITY
    }  # fmt: skip


def check(rows: list[Row]) -> list[str]:
    """What fell below its floor, or was measured on other gold than the floors were. Empty if all is well."""
    if not BASELINE.is_file():
        return ["there are no floors yet: run `python -m bench --pin`"]
    baseline: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8"))
    faults = [
        f"{name} is not the file that the floors were measured on"
        for name, sha in baseline["gold"].items() if digest(DATA / name) != sha
    ]  # fmt: skip
    for name, value in _ours(rows).items():
        floor = baseline["floors"].get(name)
        lower = name.rpartition("/")[2] in LOWER_IS_BETTER
        if floor is not None and (value > floor if lower else value < floor):
            faults.append(f"{name} is {value:g}, its {'ceiling' if lower else 'floor'} is {floor:g}")
    return faults


def pin(rows: list[Row], *, lower: bool) -> None:
    """Write the floors: figures less a point of noise. A floor sinks only where `lower` allows it."""
    before = json.loads(BASELINE.read_text(encoding="utf-8"))["floors"] if BASELINE.is_file() else {}
    floors = dict(before)
    for name, value in _ours(rows).items():
        section, figure = name.partition("/")[0], name.rpartition("/")[2]
        noise = 0.01 if section in ("pages", "more", "text") else 0.0 if section == "seed" else 1.0
        sinks = figure in LOWER_IS_BETTER
        floor = round(value + noise if sinks else value - noise, 4)
        if lower or name not in before or (floor < before[name] if sinks else floor > before[name]):
            floors[name] = floor
    gold = {name: digest(DATA / name) for name in GOLD}
    text = json.dumps({"gold": gold, "floors": dict(sorted(floors.items()))}, indent=1, ensure_ascii=False)
    BASELINE.write_text(text + "\n", encoding="utf-8")
