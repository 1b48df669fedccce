"""`nightdesk prune`: raw files past their time, by the setting retention.raw_days."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def prune(
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the tables.", show_default=False)] = None,
    raw: Annotated[Path | None, typer.Option("--raw", help="Folder of the raw archive.", show_default=False)] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, help="Days kept, in place of retention.raw_days.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be deleted.")] = False,
    settings: Annotated[Path | None, typer.Option("--settings", help="Settings file.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")] = False,
) -> None:
    """Delete raw files of nights older than retention.raw_days; by default that is not set, and nothing goes.

    A night of which something is not in the tables is never deleted, nor what an ingest was given. Nights by `run`
    do this at their end where the setting is there.
    """
    from flows import pipeline
    from flows.cli import _guarded, _settings
    from tasks.publish.retention import RawNight, delete_raw, told
    from tasks.publish.store import Store

    rules = _settings(settings, out, raw)
    keep = days or rules.retention.raw_days

    def body() -> list[RawNight]:
        store = Store.open(Path(rules.processed))
        today = pipeline.now().date()
        if dry_run:
            return delete_raw(store, Path(rules.raw), keep, today, dry_run=True)
        with store.lock():
            return delete_raw(store, Path(rules.raw), keep, today, dry_run=False)

    found = _guarded(body)
    if as_json:
        typer.echo(json.dumps([asdict(n) for n in found], default=str))
        return
    console = Console(soft_wrap=True)
    if keep is None:
        console.print("retention.raw_days is not set: raw files are kept for ever", highlight=False)
    for night in found:
        if night.kept:
            console.print(f"kept {night.night}: {night.kept}", highlight=False, markup=False)
    gone = [n for n in found if not n.kept]
    if gone:
        console.print(f"{'would delete' if dry_run else 'deleted'} {told(gone)}", highlight=False)
    elif keep is not None:
        console.print("nothing to delete", highlight=False)
