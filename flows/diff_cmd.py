"""`nightdesk diff ARTICLE`: what changed between the revisions of an article."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from tasks.publish.changes import RowChange
    from tasks.report.changes import Side
    from tasks.report.revisions import RevisionChanges

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "altered": ("~", "yellow")}


def diff(
    wanted: Annotated[
        str, typer.Argument(metavar="ARTICLE", help="article_id, article_key, id of the corpus, or address.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the tables.", show_default=False)] = None,
    settings: Annotated[Path | None, typer.Option("--settings", help="Settings file.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")] = False,
) -> None:
    """Show what changed from revision to revision of an article: title, text, quotes and events."""
    from flows.cli import WRONG_USE, _fail, _guarded, _settings
    from tasks.publish.store import Store
    from tasks.report.revisions import revision_changes

    rules = _settings(settings, out)
    steps = _guarded(lambda: revision_changes(Store.open(Path(rules.processed)), wanted))
    if steps is None:
        _fail(f"the tables at {rules.processed} hold no article {wanted!r}", WRONG_USE)
    if as_json:
        typer.echo(json.dumps([_as_json(s) for s in steps], ensure_ascii=False, default=str))
        return
    console = Console()
    if not steps:
        console.print("there is one revision of it", highlight=False)
    for step in steps:
        _show(step, console)


def _as_json(step: RevisionChanges) -> dict[str, Any]:
    def text(side: Side | None) -> str | None:
        return None if side is None else "".join(s for s, _ in side.stretches)

    def rows(found: list[RowChange], keys: tuple[str, ...]) -> list[dict[str, Any]]:
        out = []
        for r in found:
            row = r.new or r.old or {}
            fields = {name: {"old": old, "new": new} for name, (old, new) in r.fields.items()}
            out.append({"change": r.change, **{k: row.get(k) for k in keys}, "fields": fields})
        return out

    return {
        "article_key": step.new["article_key"],
        "revision": step.new["revision"],
        "change": step.new["change"],
        "old_article_id": step.old["article_id"],
        "new_article_id": step.new["article_id"],
        "valid_from": step.new["valid_from"],
        "title": {"old": step.title[0], "new": step.title[1]} if step.title else None,
        "paragraphs": [{"old": text(p.old), "new": text(p.new)} for p in step.paragraphs],
        "quotes": rows(step.quotes, ("quote_id", "text", "speaker")),
        "events": rows(step.events, ("event_id", "type", "evidence")),
    }


def _show(step: RevisionChanges, console: Console) -> None:
    when = f"{step.new['valid_from']:%Y-%m-%d %H:%M}" if step.new["valid_from"] else "undated"
    console.print(
        Text(f"revision {step.new['revision']} of {step.new['article_key']}: {step.new['change']}, {when} UTC", "bold")
    )
    if step.title:
        console.print(Text(f"- {step.title[0]}", "red"))
        console.print(Text(f"+ {step.title[1]}", "green"))
    for paragraph in step.paragraphs:
        _side("- ", paragraph.old, "red", console)
        _side("+ ", paragraph.new, "green", console)
    for name, rows in (("quotes", step.quotes), ("events", step.events)):
        if rows:
            console.print(Text(name, "bold"))
        for row in rows:
            _row(row, console)
    console.print()


def _side(sign: str, side: Side | None, colour: str, console: Console) -> None:
    if side is None:
        return
    line = Text(sign, colour)
    for stretch, changed in side.stretches:
        line.append(stretch, f"{colour} bold" if changed else "")
    console.print(line)


def _row(row: RowChange, console: Console) -> None:
    sign, colour = _SIGNS[row.change]
    shown = row.new or row.old or {}
    what = shown.get("text") or f"{shown.get('type')}: {shown.get('evidence')}"
    who = f" ({shown['speaker']})" if shown.get("speaker") else ""
    console.print(Text(f"  {sign} {row.change}: {what}{who}", colour))
    for name, (old, new) in row.fields.items():
        console.print(Text(f"      {name}: {old} → {new}"))
