"""`nightdesk backfill FROM TO`: published nights made again with today's code."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from flows.backfill import Outcome


def backfill(
    first: Annotated[str, typer.Argument(metavar="FROM", help="First night, YYYY-MM-DD.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="Last night, included.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the tables.", show_default=False)] = None,
    raw: Annotated[Path | None, typer.Option("--raw", help="Folder of the raw archive.", show_default=False)] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes for the CPU work.", show_default=False)
    ] = None,
    settings: Annotated[Path | None, typer.Option("--settings", help="Settings file.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")] = False,
) -> None:
    """Make the nights FROM to TO again from the raw archive, with today's code and settings.

    Each night is replaced at once. Nights made by this code and these settings already are passed over, so the same
    command goes on after a kill. A night whose raw files are gone or were written over is named and stays as it is.
    Files of an ingest are looked for where they were given: run it from the same folder.
    """
    from flows.backfill import Request
    from flows.backfill import backfill as backfill_flow
    from flows.cli import SOME_FAILED, WRONG_USE, _fail, _guarded, _night, _settings
    from flows.progress import progress

    rules = _settings(settings, out, raw, workers)
    start, end = _night(first), _night(last)
    if start > end:
        _fail(f"the range ends before it begins: {first} to {last}", WRONG_USE)
    console = Console(soft_wrap=True)

    def tell(outcome: Outcome) -> None:
        if not as_json:
            for line in told(outcome):
                console.print(line, highlight=False, markup=False)

    request = Request(first=start, last=end, root=Path(rules.processed), raw=Path(rules.raw), settings=rules)
    outcomes = _guarded(lambda: backfill_flow(request, progress(quiet=as_json), tell))
    if as_json:
        typer.echo(json.dumps([asdict(o) for o in outcomes], default=str))
    else:
        made, left = sum(o.remade is not None for o in outcomes), sum(o.left is not None for o in outcomes)
        console.print(
            f"{made} made again, {len(outcomes) - made - left} were up to date, {left} left as they were",
            highlight=False,
        )
    raise typer.Exit(SOME_FAILED if any(o.left for o in outcomes) else 0)


def told(outcome: Outcome) -> list[str]:
    """One night for a person: rows before and after by table."""
    if outcome.left:
        return [f"{outcome.night}: left as it was: {outcome.left}"]
    if outcome.remade is None:
        return [f"{outcome.night}: up to date"]
    r = outcome.remade
    lines = [f"{outcome.night}: made again"]
    for table, before in r.before.items():
        after, kept = r.after[table], r.kept[table]
        lines.append(f"  {table:<9} {before:>8,} -> {after:>8,}   {kept:,} kept their id")
    return lines
