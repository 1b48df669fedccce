"""`nightdesk outlets` and `nightdesk state`: what is read every night, and what is remembered of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tasks.discover.autodiscover import FoundOutlet
    from tasks.discover.records import OutletConfig
    from tasks.settings import Settings

T = TypeVar("T")

outlets_app = typer.Typer(no_args_is_help=True, help="The list of outlets: add one by its domain, see how they do.")
state_app = typer.Typer(no_args_is_help=True, help="What is remembered of sites between nights.")

SettingsFile = Annotated[Path | None, typer.Option("--settings", help="Settings file.", show_default=False)]
Outlets = Annotated[
    Path | None, typer.Option("--outlets", help="The list of outlets. Default: outlets.toml.", show_default=False)
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of the tables.", show_default=False)]
Raw = Annotated[Path | None, typer.Option("--raw", help="Folder of the raw archive.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]


def _rules(
    file: Path | None, *, out: Path | None = None, raw: Path | None = None, allow: list[str] | None = None
) -> Settings:
    from flows.cli import _cidrs, _settings

    rules = _settings(file, out, raw)
    if not allow:
        return rules
    opened = [*rules.scrape.allow_addresses, *_cidrs(allow)]
    return rules.model_copy(update={"scrape": rules.scrape.model_copy(update={"allow_addresses": opened})})


def _guarded(body: Callable[[], T]) -> T:
    from flows.cli import _guarded as guarded

    return guarded(body)


@outlets_app.command("add")
def add(
    domains: Annotated[list[str], typer.Argument(help="Domains, such as example.org.", show_default=False)],
    outlets: Outlets = None,
    name: Annotated[str | None, typer.Option("--name", help="Its name; with one domain.", show_default=False)] = None,
    country: Annotated[str | None, typer.Option("--country", help="ISO code, such as GB.", show_default=False)] = None,
    language: Annotated[str | None, typer.Option("--language", help="Code such as en.", show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what was found; write nothing.")] = False,
    allow_address: Annotated[
        list[str] | None, typer.Option("--allow-address", metavar="CIDR", help="A private network that may be read.")
    ] = None,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """Find the feeds and sitemaps of outlets by their domains, show them, and write the best into outlets.toml."""
    from tasks.discover.write_outlets import add_outlet

    rules = _rules(settings, allow=allow_address)
    path = outlets or Path(rules.outlets)
    console = Console()
    missed = False
    for found in _find(domains, rules):
        config = _config(found, name if len(domains) == 1 else None, country, language)
        if as_json:
            typer.echo(json.dumps(_as_json(found, config), ensure_ascii=False))
        else:
            _show(found, config, console)
        if config is None:
            missed = True
        elif not dry_run:
            _guarded(functools.partial(add_outlet, path, config))
            if not as_json:
                console.print(f"written to {path}", highlight=False, markup=False)
    raise typer.Exit(1 if missed else 0)


def _find(domains: list[str], rules: Settings) -> list[FoundOutlet]:
    from tasks.discover.autodiscover import bare_domain, find_outlet
    from tasks.scrape.fetch import WebFetcher

    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    async def all_of_them() -> list[FoundOutlet]:
        async with WebFetcher(rules.scrape, now_fn=now) as fetcher:
            wanted = dict.fromkeys(bare_domain(d) for d in domains)
            return list(await asyncio.gather(*(find_outlet(d, fetcher=fetcher, now=now()) for d in wanted)))

    return asyncio.run(all_of_them())


def _config(found: FoundOutlet, name: str | None, country: str | None, language: str | None) -> OutletConfig | None:
    """The outlet as it would be written; None where there is nothing to find it by."""
    from tasks.discover.records import OutletConfig

    feeds, sitemaps = found.taken("feed"), found.taken("news sitemap", "sitemap")
    pages = found.taken("page")
    if not (feeds or sitemaps or pages):
        return None
    return OutletConfig(
        name=name or found.name or found.domain,
        domain=found.domain,
        feeds=tuple(feeds),
        sitemaps=tuple(sitemaps),
        pages=tuple(pages),
        country=country or found.country,
        language=language or found.language,
    )


def _as_json(found: FoundOutlet, config: OutletConfig | None) -> dict[str, Any]:
    rows = [
        {"url": c.url, "kind": c.kind, "named_in": c.named_in, "entries": c.entries,
         "newest": c.newest.isoformat() if c.newest else None, "taken": c.why is None, "why_not": c.why}
        for c in found.candidates
    ]  # fmt: skip
    failure = found.failure
    return {
        "domain": found.domain,
        "name": config.name if config else found.name,
        "country": config.country if config else found.country,
        "language": config.language if config else found.language,
        "candidates": rows,
        "failure": {"reason": failure.reason, "detail": failure.detail} if failure else None,
    }


def _show(found: FoundOutlet, config: OutletConfig | None, console: Console) -> None:
    if found.failure is not None:
        console.print(
            f"{found.domain}: {found.failure.reason.value}: {found.failure.detail}", highlight=False, markup=False
        )
        return
    table = Table(title=f"{config.name if config else found.domain} ({found.domain})", title_justify="left")
    for column in ("", "what", "address", "entries", "newest", "why not"):
        table.add_column(column, overflow="fold", justify="right" if column == "entries" else "left")
    for c in found.candidates:
        mark = "+" if c.why is None else ""
        newest = f"{c.newest:%Y-%m-%d}" if c.newest else ""
        table.add_row(mark, c.kind, c.url, str(c.entries), newest, c.why or "")
    console.print(table, markup=False)
    if config is None:
        console.print(
            f"{found.domain}: nothing that articles can be found by. Look for a feed on the site, and write it into "
            "outlets.toml yourself",
            highlight=False,
            markup=False,
        )


@outlets_app.command("list")
def listed(outlets: Outlets = None, out: Out = None, settings: SettingsFile = None, as_json: Json = False) -> None:
    """Every source of every outlet: when it last answered, how often it brings something new, what is wrong with it."""
    from flows.nightly import state_place
    from tasks.discover.outlets import load_outlets
    from tasks.scrape.state import State

    rules = _rules(settings, out=out)
    configs = _guarded(lambda: load_outlets(outlets or Path(rules.outlets)))
    place = state_place(Path(rules.processed), rules)
    known = {}
    if "://" in place or Path(place).is_file():  # to look must not make one
        with _guarded(lambda: State.open(place)) as state:
            known = {s.url: s for s in state.sources()}
    rows = []
    for config in configs:
        for url in config.sources:
            s = known.get(url)
            rows.append(
                {
                    "outlet": config.domain,
                    "source": url,
                    "answered": s.answered_at.isoformat(timespec="minutes") if s and s.answered_at else None,
                    "new_every_h": round(s.gap_s / 3600, 1) if s and s.gap_s else None,
                    "entries": len(s.entries) if s else None,
                    "state": _condition(s),
                    "moved_to": s.location if s and s.moved else None,
                }
            )
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table()
    for column in ("outlet", "source", "answered", "new every h", "entries", "state"):
        table.add_column(column, overflow="fold")
    for row in rows:
        moved = f", moved to {row['moved_to']}" if row["moved_to"] else ""
        cells = (row["outlet"], row["source"], row["answered"], row["new_every_h"], row["entries"])
        table.add_row(*("" if c is None else str(c) for c in cells), f"{row['state']}{moved}")
    Console().print(table, markup=False)


def _condition(source: Any) -> str:
    if source is None:
        return "not asked yet"
    if source.dead:
        instead = f"; read instead: {source.stand_in}" if source.stand_in else ""
        return f"dead: {source.fails} failures running, {source.reason}{instead}"
    return f"failing: {source.reason}" if source.fails else "ok"


@state_app.command("show")
def state_show(out: Out = None, settings: SettingsFile = None, as_json: Json = False) -> None:
    """Where the state lies and what is in it."""
    from flows.nightly import state_place
    from tasks.discover.address import public
    from tasks.scrape.state import State

    rules = _rules(settings, out=out)
    place = state_place(Path(rules.processed), rules)
    if "://" not in place and not Path(place).is_file():
        typer.echo(f"{place}: there is none yet; the first night makes it")
        raise typer.Exit(1)
    with _guarded(lambda: State.open(place)) as state:
        counts = state.counts()
    if as_json:
        typer.echo(json.dumps({"place": public(place), **counts}))
        return
    said = ", ".join(f"{n} {name}" for name, n in counts.items())
    typer.echo(f"{public(place)}: {said}")


@state_app.command("rebuild")
def state_rebuild(out: Out = None, raw: Raw = None, settings: SettingsFile = None) -> None:
    """Forget what is known of articles' addresses and learn it again from the tables and the raw archive."""
    from flows.nightly import learn_of_tables
    from tasks.publish.store import Store

    rules = _rules(settings, out=out, raw=raw)

    def rebuild() -> int:
        store = Store.open(Path(rules.processed), write=True)
        with store.lock():
            return learn_of_tables(store, rules, Path(rules.raw), anew=True)

    typer.echo(f"learnt of {_guarded(rebuild)} runs")
