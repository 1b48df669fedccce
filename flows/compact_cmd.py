"""`nightdesk compact`: old nights written anew so that years of them are read fast and whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from tasks.publish.compact import Compacted


def compact(
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the tables.", show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    settings: Annotated[Path | None, typer.Option("--settings", help="Settings file.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")] = False,
) -> None:
    """Write old nights anew in today's columns and whole row groups, and put small state files together.

    No row changes: each new file is compared with the old one before it takes its place. Tables keep one file a night.
    May be killed and given again.
    """
    from flows.cli import _guarded, _settings
    from tasks.publish.compact import compact as compact_tables

    rules = _settings(settings, out)
    console = Console(soft_wrap=True)
    done: list[Compacted] = []

    def body() -> None:
        for found in compact_tables(Path(rules.processed), dry_run=dry_run):
            done.append(found)
            if not as_json:
                console.print(_line(found), highlight=False, markup=False)

    _guarded(body)
    if as_json:
        typer.echo(json.dumps([asdict(c) for c in done], default=str))
    else:
        before, after = sum(c.files for c in done), sum(c.into for c in done)
        verb = "would be" if dry_run else "were"
        console.print(f"{before} files {verb} written anew as {after}" if done else "nothing to do", highlight=False)


def _line(c: Compacted) -> str:
    size = f"{c.bytes_before / 1e6:.1f} MB" + (f" -> {c.bytes_after / 1e6:.1f} MB" if c.bytes_after is not None else "")
    when = f"{c.night:%Y-%m}" if c.files > 1 else str(c.night)
    return f"{when}  {c.what:<14} {c.files:>4} -> {c.into} files  {c.rows:>10,} rows  {size}"
