"""Summaries, tables and checks on a terminal."""

from __future__ import annotations

import textwrap
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from flows.doctor import Check
from flows.progress import duration, rate
from tasks import tables
from tasks.publish.store import Store
from tasks.remote.mirror import address_of
from tasks.report.precision import FIELDS, Label, Sample, precision
from tasks.report.summary import Summary

FATE_WORDS = {
    "article": "new articles",
    "revision": "changed articles, kept as revisions",
    "unchanged": "already in the tables",
    "copy": "copies of another article",
    "skipped": "skipped",
    "failed": "failed",
}
WIDTH = 100


def _line(console: Console, text: str = "") -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def show_summary(summary: Summary, console: Console) -> None:
    """What came in and what became of it, a few rows, and where everything lies."""
    _line(console)
    speed = f" ({rate(summary.inputs, summary.seconds)})" if summary.inputs else ""
    _line(console, f"Night {summary.night}: {summary.inputs:,} inputs in {duration(summary.seconds)}{speed}")
    for fate, words in FATE_WORDS.items():
        if summary.fates[fate]:
            reasons = ", ".join(f"{n} {r.replace('_', ' ')}" for r, n in summary.reasons.get(fate, {}).items())
            _line(console, f"  {summary.fates[fate]:>6,}  {words}" + (f": {reasons}" if reasons else ""))
    shown = [f"{summary.rows.get(t, 0):,} {t}" for t in ("articles", "quotes", "sources", "events")]
    _line(console)
    _line(console, f"In the tables of this night: {', '.join(shown)}, {summary.stories:,} stories")
    if summary.quotes:
        _line(console, "\nSome of its quotes")
        for q in summary.quotes:
            _line(console, _bullet(f"{q.speaker} ({q.cue}): {q.text}"))
    if summary.events:
        _line(console, "\nSome of its events")
        for e in summary.events:
            _line(console, _bullet(f"{e.type}, {e.place}, {e.date} ({e.modality}): {e.what}"))
    for i, line in enumerate(summary.short_lines()):
        _line(console, ("" if i else "\n") + line)
    for i, line in enumerate(summary.raw_lines()):
        _line(console, ("" if i else "\n") + line)
    _line(console, f"\nTables  {summary.tables}")
    _line(console, f"Report  {summary.report}")
    _line(console, f"Search  nightdesk explore --out {summary.tables}")


def _bullet(text: str) -> str:
    flat = " ".join(text.split())
    return textwrap.fill(
        textwrap.shorten(flat, 3 * WIDTH, placeholder=" …"), WIDTH, initial_indent="  - ", subsequent_indent="    "
    )


def table_list(store: Store) -> list[dict[str, Any]]:
    """Name, rows, nights, bytes and folder of every table."""
    out = []
    for table in tables.TABLES:
        files = store.files(table)
        nights = store.nights(table)
        out.append(
            {
                "table": table,
                "rows": sum(pq.read_metadata(f).num_rows for f in files),
                "nights": len(nights),
                "first": nights[0] if nights else None,
                "last": nights[-1] if nights else None,
                "bytes": sum(f.stat().st_size for f in files),
                "folder": str(store.root / table),
            }
        )
    return out


def show_tables(listed: list[dict[str, Any]], store: Store, console: Console) -> None:
    grid = Table(box=None, pad_edge=False)
    for head, right in (
        ("table", False),
        ("rows", True),
        ("nights", True),
        ("last night", False),
        ("MB", True),
        ("folder", False),
    ):
        grid.add_column(head, justify="right" if right else "left", overflow="fold")
    for t in listed:
        grid.add_row(
            t["table"], f"{t['rows']:,}", str(t["nights"]), str(t["last"] or ""), f"{t['bytes'] / 1e6:.1f}", t["folder"]
        )
    console.print(grid)
    place = address_of(store.root) or store.root
    _line(console, f'\npd.read_parquet("{place}/quotes") loads one; nightdesk tables quotes tells its columns.')


def show_columns(table: str, console: Console) -> None:
    _line(console, f"{table}: {(tables.TABLES[table].__doc__ or '').strip()}")
    grid = Table(box=None, pad_edge=False)
    for head in ("column", "type", "meaning"):
        grid.add_column(head, overflow="fold")
    for field in tables.schema(table):
        col = tables.columns(table)[field.name]
        grid.add_row(field.name, str(field.type), col.meaning + (f" ({col.unit})" if col.unit else ""))
    console.print(grid)


def show_check(check: Check, console: Console) -> None:
    _line(console, f"{'ok  ' if check.good else 'FAIL'}  {check.what}: {check.found}")
    if check.advice:
        _line(console, f"      {check.advice}")


def show_precision(checks: list[tuple[Sample, dict[str, Label]]], console: Console) -> None:
    """Precision by field of every check that has verdicts."""
    told = False
    for sample, labels in checks:
        rows = precision(sample, labels)
        if not rows:
            continue
        told = True
        of = f" of the night {sample.night}" if sample.night else ""
        _line(
            console, f"\n{sample.table}{of}, drawn {sample.drawn_at}: {len(labels)} of {len(sample.rows)} rows judged"
        )
        for r in rows:
            words = FIELDS[sample.table].get(r.field, r.field)
            _line(console, f"  {r.share:6.1%}  ({r.low:.0%} to {r.high:.0%}, {r.n} judged)  {words}")
    if not told:
        _line(console, "No check has verdicts yet: nightdesk check draws a sample.")
