"""The command line."""

from __future__ import annotations

import datetime as dt
import errno
import importlib.metadata
import ipaddress
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from flows.backfill_cmd import backfill
from flows.compact_cmd import compact
from flows.diff_cmd import diff
from flows.merges_cmd import merges_app
from flows.outlets_cmd import outlets_app, state_app
from flows.prune_cmd import prune
from tasks.remote.bucket import RemoteError, is_remote, written
from tasks.settings import Settings, SettingsError

if TYPE_CHECKING:
    from tasks.report.reading import Answer
    from tasks.report.summary import Summary

T = TypeVar("T")
DONE, FAILED, WRONG_USE, SOME_FAILED = 0, 1, 2, 3

app = typer.Typer(
    name="nightdesk",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""News of one night in, trusted tables of quotes, sources and events out.

    Begin with `nightdesk demo`: it runs a whole night over a small invented press, offline. Then point `nightdesk run`
    at your own outlets.toml, or `nightdesk ingest` at WARC files, saved pages or a text corpus.

    Exit codes: 0 done, 1 the run failed, 2 wrong use, 3 done but some inputs failed or an outlet fell
    short (with --strict) or a file was damaged.
    """,
)

app.command("diff")(diff)
app.command("backfill")(backfill)
app.command("compact")(compact)
app.command("prune")(prune)
app.add_typer(outlets_app, name="outlets")
app.add_typer(state_app, name="state")
app.add_typer(merges_app, name="merges")

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", help="Folder of the tables, or s3://bucket/prefix. Default: data/processed.", show_default=False
    ),
]
Raw = Annotated[
    Path | None,
    typer.Option(
        "--raw", help="Folder of the raw archive, or s3://bucket/prefix. Default: data/raw.", show_default=False
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Processes for the CPU work. Default: one a core.", show_default=False),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="Settings file. Default: ./nightdesk.toml if it is there.", show_default=False),
]
Night = Annotated[
    str | None,
    typer.Option("--night", help="The night to write, YYYY-MM-DD. Default: today, UTC.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on standard output, and nothing else.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with code 3 if any input failed or an outlet fell short.")]


def main() -> None:
    """Entry point of the `nightdesk` command."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nightdesk {importlib.metadata.version('nightdesk')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def _fail(message: str, code: int) -> NoReturn:
    Console(stderr=True).print(f"nightdesk: {message}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _settings(
    file: Path | None, out: Path | None = None, raw: Path | None = None, workers: int | None = None, **more: Any
) -> Settings:
    """Settings with what the command line says over them."""
    try:
        rules = Settings.load(file)
    except SettingsError as err:
        _fail(str(err), WRONG_USE)
    changes: dict[str, Any] = {k: written(v) for k, v in (("processed", out), ("raw", raw)) if v is not None} | more
    if workers:
        changes["engine"] = rules.engine.model_copy(update={"workers": workers})
    logging.basicConfig(level=max(logging.WARNING, logging.getLevelName(rules.engine.log_level)))
    changed = rules.model_copy(update=changes)
    if not (is_remote(changed.processed) or is_remote(changed.raw)):
        return changed
    from flows.places import at_hand

    try:
        return at_hand(changed)
    except RemoteError as err:
        _fail(str(err), WRONG_USE)


def _night(value: str | None) -> dt.date:
    if value is None:
        return dt.datetime.now(dt.UTC).date()
    try:
        date = dt.date.fromisoformat(value)
        if date.year < 1990:
            raise ValueError
        return date
    except ValueError:
        _fail(f"--night {value!r} is no date: write it as YYYY-MM-DD, for example 2026-03-02", WRONG_USE)


def _guarded(body: Callable[[], T]) -> T:
    """Run `body`; every error a user can mend becomes one sentence and an exit code."""
    import duckdb
    import pyarrow as pa

    from flows.engine import EngineError
    from tasks.discover.outlets import OutletsError
    from tasks.extract.checks import InvariantError
    from tasks.publish.store import StoreError
    from tasks.scrape.inputs import InputError
    from tasks.scrape.shards import StateError

    try:
        return body()
    except (InputError, OutletsError, RemoteError, StateError, StoreError) as err:
        _fail(str(err), WRONG_USE)
    except EngineError as err:
        _fail(str(err), FAILED)
    except InvariantError as err:
        _fail(f"nothing was published, because a row breaks a promise of the tables: {err}. Please report it.", FAILED)
    except KeyboardInterrupt:
        _fail("stopped; finished shards are kept, the same command goes on from there", FAILED)
    except Exception as err:
        if _disk_full(err):
            _fail(
                "the disk is full. Nothing published was harmed and finished shards are kept: make room, then give the "
                "same command again",
                WRONG_USE,
            )
        if isinstance(err, pa.ArrowInvalid | duckdb.Error):
            _fail(f"a table file is damaged: {err}. Move it away; nothing else was changed", FAILED)
        if type(err).__name__ == "KilledWorker":  # importing Dask for its name would cost every command 2 s
            _fail(
                f"a shard ended three workers in a row, out of memory perhaps: {err}. Finished shards are kept", FAILED
            )
        if isinstance(err, OSError) and "make setup" in str(err):
            _fail(str(err), WRONG_USE)
        if isinstance(err, PermissionError):
            _fail(f"not allowed: {err.filename or err}. Give folders you may write to with --out and --raw", WRONG_USE)
        raise


def _disk_full(err: BaseException) -> bool:
    text = str(err)
    return (
        getattr(err, "errno", None) == errno.ENOSPC or "No space left on device" in text or "errno 28" in text.lower()
    )


def _finish(summary: Summary, *, as_json: bool, strict: bool) -> NoReturn:
    from flows.show import show_summary
    from tasks import tables

    if as_json:
        typer.echo(json.dumps(summary.as_json(), ensure_ascii=False, default=str))
    else:
        show_summary(summary, Console())
    failed = summary.fates["failed"]
    damaged = summary.reasons.get(tables.Fate.FAILED, {}).get(tables.Reason.FILE_DAMAGED, 0)
    if damaged and not as_json:
        Console(stderr=True).print(
            f"nightdesk: {damaged} of the input files ended early or are damaged; what could be read of them is in the "
            "tables. See reason file_damaged in the table inputs, and give the files again once they are whole.",
            highlight=False,
            soft_wrap=True,
        )
    if failed == summary.inputs and failed and not as_json:
        Console(stderr=True).print(
            "nightdesk: every input failed; the reasons stand above and in the table inputs", highlight=False
        )
    raise typer.Exit(
        SOME_FAILED if damaged or failed == summary.inputs > 0 or (strict and (failed or summary.short)) else DONE
    )


@app.command()
def run(
    outlets: Annotated[
        Path | None, typer.Option("--outlets", help="The list of outlets. Default: outlets.toml.", show_default=False)
    ] = None,
    out: Out = None,
    raw: Raw = None,
    workers: Workers = None,
    night: Night = None,
    allow_address: Annotated[
        list[str] | None,
        typer.Option("--allow-address", metavar="CIDR", help="A private or loopback network that may be fetched from."),
    ] = None,
    settings: SettingsFile = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Run one night over the outlets of outlets.toml: discover, scrape, clean, extract, publish, report."""
    rules = _settings(settings, out, raw, workers)
    if allow_address:
        rules = rules.model_copy(
            update={
                "scrape": rules.scrape.model_copy(
                    update={"allow_addresses": [*rules.scrape.allow_addresses, *_cidrs(allow_address)]}
                )
            }
        )
    date = _night(night)
    from flows.nightly import Request, run_and_tell
    from flows.progress import progress

    request = Request(
        outlets=outlets or Path(rules.outlets),
        night=date,
        root=Path(rules.processed),
        raw=Path(rules.raw),
        settings=rules,
    )
    summary = _guarded(lambda: run_and_tell(request, progress(quiet=as_json)))
    _finish(summary, as_json=as_json, strict=strict)


def _cidrs(values: list[str]) -> list[str]:
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError as err:
            _fail(f"--allow-address {value!r}: {err}; write a network such as 127.0.0.0/8", WRONG_USE)
    return values


@app.command()
def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="WARC files, HTML pages, .txt, .jsonl, .csv, .parquet, or folders of them; s3://… too.",
            show_default=False,
        ),
    ],
    out: Out = None,
    raw: Annotated[
        Path | None,
        typer.Option(
            "--raw", help="Taken for symmetry with run: stored inputs stay where they are.", show_default=False
        ),
    ] = None,
    workers: Workers = None,
    already_clean: Annotated[
        bool, typer.Option("--already-clean", help="Keep the corpus's text byte for byte; spans point into it.")
    ] = False,
    text_column: Annotated[
        str | None, typer.Option("--text-column", help="Column that holds the text. Default: text.", show_default=False)
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id-column", help="Column kept as external_id. Default: id.", show_default=False)
    ] = None,
    published: Annotated[
        str | None, typer.Option("--published", metavar="DATE", help="Publication date of inputs that state none.")
    ] = None,
    outlet: Annotated[str | None, typer.Option("--outlet", help="Outlet of inputs that state none.")] = None,
    night: Night = None,
    settings: SettingsFile = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Ingest stored inputs: WARC files, saved pages, text corpora.

    In tables these columns are understood by name: id, text, title, url, outlet, authors, published_at or date,
    language.
    """
    rules = _settings(settings, out, raw, workers)
    date = _night(night)
    _check_published(published)
    from flows.ingest import Request
    from flows.ingest import ingest as ingest_flow
    from flows.places import inputs_at_hand
    from flows.progress import progress
    from tasks.scrape.inputs import InputOptions

    options = InputOptions(
        text_column=text_column, id_column=id_column, published=published, outlet=outlet, already_clean=already_clean
    )

    def body() -> Summary:
        request = Request(
            paths=inputs_at_hand(paths, rules.s3),
            options=options,
            night=date,
            root=Path(rules.processed),
            settings=rules,
        )
        return ingest_flow(request, progress(quiet=as_json))

    summary = _guarded(body)
    _finish(summary, as_json=as_json, strict=strict)


def _check_published(value: str | None) -> None:
    from tasks.clean.dates import parse_moment

    if value is not None and parse_moment(value) is None:
        _fail(f"--published {value!r} is no date: write it as YYYY-MM-DD, for example 2016-10-29", WRONG_USE)


@app.command()
def serve(
    settings: SettingsFile = None,
    show: Annotated[bool, typer.Option("--next", help="Only print when the next nights are due.")] = False,
) -> None:
    """Carry out nights on schedule until interrupted: settings schedule.cron and schedule.timezone.

    Starts Prefect's server on loopback with its web page, unless PREFECT_API_URL names one that runs.
    """
    rules = _settings(settings)
    from flows import schedule

    try:
        due = schedule.next_nights(rules, 3)
    except ValueError as err:
        _fail(str(err), WRONG_USE)
    console = Console(stderr=True)
    console.print(f"Next nights: {', '.join(f'{d:%Y-%m-%d %H:%M %Z}' for d in due)}", highlight=False)
    if show:
        return
    from flows.engine import EngineError
    from tasks.publish.store import StoreError

    try:
        schedule.serve(rules, settings, lambda line: console.print(line, highlight=False))
    except EngineError as err:
        _fail(str(err), FAILED)
    except StoreError as err:
        _fail(str(err), WRONG_USE)
    except KeyboardInterrupt:
        console.print("stopped")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where the demo keeps its files.")] = Path("data/demo"),
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run one night over a small invented press on loopback, offline. Run it again for a second night."""
    from flows.demo import run_demo
    from flows.progress import progress

    rules = _settings(None, folder / "processed", folder / "raw", workers)
    summary = _guarded(lambda: run_demo(folder, rules, progress(quiet=as_json)))
    _finish(summary, as_json=as_json, strict=False)


@app.command()
def report(out: Out = None, night: Night = None, settings: SettingsFile = None) -> None:
    """Make the report of a night anew and print where it lies. Default: the newest night."""
    rules = _settings(settings, out)
    from flows.places import put_back
    from tasks.publish.store import Store
    from tasks.report.nightly import write_report

    store = _guarded(lambda: Store.open(Path(rules.processed)))
    nights = store.nights("runs")
    date = _night(night) if night else (nights[-1] if nights else None)
    if date not in nights:
        known = ", ".join(str(n) for n in nights[-5:]) or "none"
        _fail(f"there is no night {date or ''} in {rules.processed}; the newest nights there: {known}", WRONG_USE)

    def made() -> Path:
        path = write_report(Path(rules.processed), date)
        put_back(Path(rules.processed))
        return path

    typer.echo(_guarded(made))


@app.command()
def why(
    wanted: Annotated[
        str,
        typer.Argument(metavar="ARTICLE", help="article_id, id of the corpus, address, or file name of an input."),
    ],
    out: Out = None,
    settings: SettingsFile = None,
) -> None:
    """Tell what became of an input and why; of an article, show every piece that was cut from it, struck through."""
    from flows.show_article import show_why

    show_why(_answer(wanted, out, settings), Console())


@app.command()
def show(
    wanted: Annotated[
        str, typer.Argument(metavar="ARTICLE", help="article_id, id of the corpus, address, or file name.")
    ],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the article's page here instead.", show_default=False)
    ] = None,
    out: Out = None,
    settings: SettingsFile = None,
) -> None:
    """Show an article with its quotes, sources and events marked in the text, on the terminal or as an HTML page."""
    answer = _answer(wanted, out, settings)
    if answer.reading is None:
        from flows.show_article import show_why

        show_why(answer, Console())
        _fail("no article came of it, or several did: give an article_id", WRONG_USE)
    if html is not None:
        from tasks.report.reader import render_reader

        try:
            html.write_text(render_reader(answer.reading), encoding="utf-8", errors="replace")
        except OSError as err:
            _fail(f"cannot write {html}: {err.strerror}. Give a file in a folder that is there", WRONG_USE)
        typer.echo(html)
        return
    from flows.show_article import show_article

    show_article(answer, Console())


def _answer(wanted: str, out: Path | None, settings: Path | None) -> Answer:
    rules = _settings(settings, out)
    from tasks.publish.store import Store
    from tasks.report.reading import look_up

    answer = _guarded(lambda: look_up(Store.open(Path(rules.processed)), wanted))
    if answer.reading is None and not answer.inputs:
        _fail(
            f"the tables at {rules.processed} know nothing of {wanted!r}: give an article_id, an id of the corpus, an "
            "address as the table inputs has it, or the file name of an input",
            WRONG_USE,
        )
    return answer


@app.command()
def explore(
    out: Out = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8321,
    host: Annotated[
        str, typer.Option("--host", help="Who else may look: an address other than loopback opens it to the network.")
    ] = "127.0.0.1",
    settings: SettingsFile = None,
) -> None:
    """Open the tables as a web page: search quotes, sources, events and stories, read articles, take lists along."""
    rules = _settings(settings, out)
    from flows.explore import ExploreError, serve_pages
    from tasks.publish.store import Store

    store = _guarded(lambda: Store.open(Path(rules.processed)))
    console = Console(stderr=True)
    try:
        serve_pages(store.root, host, port, lambda line: console.print(line, highlight=False, soft_wrap=True))
    except ExploreError as err:
        _fail(str(err), WRONG_USE)


app.command("serve-ui", hidden=True)(explore)  # the other name people look for


@app.command()
def check(
    table: Annotated[str, typer.Option("--table", help="quotes, sources, events or articles.")] = "quotes",
    n: Annotated[int, typer.Option("--n", min=1, max=5000, help="Rows to look at.")] = 50,
    night: Night = None,
    new: Annotated[bool, typer.Option("--new", help="Draw anew, though an earlier check is not finished.")] = False,
    results: Annotated[bool, typer.Option("--results", help="Only print what the checks so far gave.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8322,
    out: Out = None,
    settings: SettingsFile = None,
) -> None:
    """Measure the tables yourself: draw a fair sample of rows, judge each in its article, read the precision.

    The sample is stratified by confidence. Verdicts are kept in checks/ beside the tables; the same command goes on
    where an unfinished check was left. Without --night rows of all nights are drawn.
    """
    rules = _settings(settings, out)
    date = _night(night) if night else None
    from flows.explore import ExploreError, serve_check
    from flows.places import put_back
    from flows.show import show_precision
    from tasks.publish.store import Store
    from tasks.report import precision

    store = _guarded(lambda: Store.open(Path(rules.processed)))
    console = Console(stderr=True)
    try:
        if not results:
            begun = None if new else precision.unfinished(store.root, table, date)
            now = dt.datetime.now(dt.UTC)
            name = begun or precision.draw(store, table, n, night=date, seed=now.isoformat(), at=now).check
            serve_check(store.root, name, port, lambda line: console.print(line, highlight=False, soft_wrap=True))
        show_precision([precision.load(store.root, name) for name in precision.known(store.root)], Console())
    except (ExploreError, precision.CheckError) as err:
        _fail(str(err), WRONG_USE)
    finally:
        _guarded(lambda: put_back(store.root))


@app.command()
def tables(
    name: Annotated[str | None, typer.Argument(help="A table, for its columns.", show_default=False)] = None,
    out: Out = None,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """List the tables: rows, nights, where they lie; with a name, its columns and their meaning."""
    rules = _settings(settings, out)
    from flows.show import show_columns, show_tables, table_list
    from tasks import tables as schemas

    if name is not None:
        if name not in schemas.TABLES:
            _fail(f"there is no table {name}; there are {', '.join(schemas.TABLES)}", WRONG_USE)
        show_columns(name, Console())
        return
    from tasks.publish.store import Store

    store = _guarded(lambda: Store.open(Path(rules.processed)))
    listed = _guarded(lambda: table_list(store))
    if as_json:
        typer.echo(json.dumps(listed, default=str))
    else:
        show_tables(listed, store, Console())


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="Folder to write; it appears whole or not at all.")],
    format: Annotated[
        str, typer.Option("--format", help="csv, jsonl, gdelt (events in GDELT 2.0's columns) or croissant (Parquet).")
    ] = "csv",
    tables: Annotated[
        list[str] | None,
        typer.Option("--tables", help="Tables, by commas. Default: all.", show_default=False),
    ] = None,
    night: Annotated[
        str | None, typer.Option("--night", help="One night, YYYY-MM-DD. Default: all.", show_default=False)
    ] = None,
    without_text: Annotated[
        bool, typer.Option("--without-text", help="Ids, spans and facts, but no words of the articles.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the tables. Default: data/processed.", show_default=False)
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """Write the tables in a format that others expect, with a card that says what they are and how good."""
    rules = _settings(settings, out)
    from flows.export import measured
    from tasks.publish.export import FORMATS, ExportError, Request
    from tasks.publish.export import export as export_tables

    if format not in FORMATS:
        _fail(f"--format {format!r} is not known: take one of {', '.join(FORMATS)}", WRONG_USE)
    root = Path(rules.processed)
    request = Request(
        root=root,
        to=to,
        format=format,
        chosen=tuple(t.strip() for given in tables or () for t in given.split(",") if t.strip()),
        night=_night(night) if night else None,
        without_text=without_text,
        force=force,
        figures=tuple(_guarded(lambda: measured(root))),
    )
    try:
        files = _guarded(lambda: export_tables(request))
    except ExportError as err:
        _fail(str(err), WRONG_USE)
    for file in files:
        typer.echo(f"{file.rows:>10,}  {to / file.name}")
    typer.echo(f"What it is and how good: {to / 'README.md'}")


@app.command()
def doctor(
    settings: SettingsFile = None,
    out: Out = None,
    raw: Raw = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the check that starts Prefect's server.")] = False,
) -> None:
    """Check models, disk, settings, and that Prefect really creates scheduled runs; say what to do about each fault."""
    rules = _settings(settings, out, raw)
    from flows.doctor import examine
    from flows.show import show_check

    console = Console()
    good = True
    for check in examine(rules, quick=quick):
        show_check(check, console)
        good = good and check.good
    raise typer.Exit(DONE if good else FAILED)


if __name__ == "__main__":
    main()
