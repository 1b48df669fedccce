"""`nightdesk merges`: which sources were taken for one, and taking that back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from tasks.settings import Settings

T = TypeVar("T")

merges_app = typer.Typer(no_args_is_help=True, help="Sources that were taken for one, and taking that back.")

SettingsFile = Annotated[Path | None, typer.Option("--settings", help="Settings file.", show_default=False)]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of the tables.", show_default=False)]


def _rules(settings: Path | None, out: Path | None) -> Settings:
    from flows.cli import _settings

    return _settings(settings, out)


def _guarded(body: Callable[[], T]) -> T:
    from flows.cli import _guarded as guarded

    return guarded(body)


@merges_app.command("show")
def show_merges(
    words: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only merges of or into names with this in them.")
    ] = None,
    out: Out = None,
    settings: SettingsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")] = False,
) -> None:
    """List the merges: the source, whom it was taken for, why, and in which night and article."""
    from tasks.publish.apart import merges
    from tasks.publish.store import Store

    rules = _rules(settings, out)
    found = _guarded(lambda: list(merges(Store.open(Path(rules.processed)))))
    wanted = (words or "").lower()
    found = [e for e in found if wanted in f"{e['name']}\n{e['into_name']}\n{e['source_id']}".lower()]
    columns = ("source_id", "name", "into_name", "into", "reason", "likeness", "night", "article_id")
    if as_json:
        typer.echo(json.dumps([{c: e[c] for c in columns} for e in found], default=str, ensure_ascii=False))
        return
    table = Table(*columns, box=None)
    for e in found:
        table.add_row(*(str(e[c]) for c in columns))
    Console(soft_wrap=True).print(table)


@merges_app.command("undo")
def undo(
    source_ids: Annotated[
        list[str], typer.Argument(metavar="SOURCE_ID…", help="The merged source's own id, as `merges show` lists it.")
    ],
    out: Out = None,
    settings: SettingsFile = None,
) -> None:
    """Take merges back: in the tables of every night, and for the nights to come."""
    from tasks.publish.apart import undo_merges

    rules = _rules(settings, out)
    taken = _guarded(lambda: undo_merges(Path(rules.processed), frozenset(source_ids)))
    for e in taken:
        typer.echo(f"{e['night']} {e['article_id']}: {e['name']} ({e['source_id']}) is no longer {e['into_name']}")
    nights = ", ".join(sorted({str(e["night"]) for e in taken}))
    typer.echo(
        f"{len(taken)} taken back"
        + (f"; `nightdesk report --night` makes the reports of {nights} anew" if taken else "")
    )
