"""A small local web page over the tables: search, follow a link into the reader, take what is shown along as a file.

It only reads. Each request opens the tables anew, so a night that is published meanwhile is seen by the next one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyarrow.parquet as pq
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tasks.publish.cells import guarded
from tasks.publish.store import Store, StoreError
from tasks.report import views
from tasks.report.reader import Links, render_reader, script_hash, templates
from tasks.report.reading import look_up, opened, reason_words, rows_of

HOSTS = ["localhost", "127.0.0.1", "[::1]"]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src '{script}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
LINKS = Links(
    home=("/", "nightdesk"),
    article=lambda i: f"/article/{quote(i)}",
    source=lambda i: f"/source/{quote(i)}",
    story=lambda i: f"/story/{quote(i)}",
)
HOME_ROWS = 12
_HOME = """
select night, flow, n_inputs, n_article, n_revision, n_copy, n_unchanged, n_skipped, n_failed from runs
order by night desc, started_at desc limit 14
"""
# Nights without a quote are shown as such, and where outlets fell short, so that a gap is not taken for silence.
_OVER_TIME = """
with said as (
    select q.dt as night, count(*) as n, count(distinct a.outlet) as outlets
    from quotes q join articles a on a.article_id = q.article_id and a.dt = q.dt
    where q.source_id = $source group by q.dt
), short as (select dt as night, count(*) as short from coverage where not usable_for_trends group by dt)
select r.night, coalesce(n, 0) as n, coalesce(outlets, 0) as outlets, coalesce(short, 0) as short
from (select distinct dt as night from runs) r left join said using (night) left join short using (night)
where r.night between (select min(night) from said) and (select max(night) from said)
order by r.night desc limit 365
"""
_SOURCE = "select * from source_index where source_id = $source"
_STORY = "select * from stories where story_id = $story"
_STORY_ARTICLES = """
select article_id, outlet, title, published_at, is_original, copy_group, dt as night from articles
where story_id = $story
order by published_at nulls last, article_id limit 200
"""


def explore_app(root: Path, *, hosts: list[str] | None = None) -> Starlette:
    """The web application over the tables at `root`. `hosts` are the names it answers to; default: loopback's."""
    pages = _Pages(root)
    return Starlette(
        routes=[
            Route("/", pages.home),
            Route("/article/{wanted:path}", pages.article),
            Route("/source/{source}", pages.source),
            Route("/story/{story}", pages.story),
            Route("/download/{view}.{form}", pages.download),
            Mount("/reports", StaticFiles(directory=root / "reports", check_dir=False)),
            Route("/{view}", pages.rows),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts or HOSTS, www_redirect=False),
            Middleware(BaseHTTPMiddleware, dispatch=safe_headers),
        ],
        exception_handlers={HTTPException: _told, StoreError: _no_store, views.FilterError: _wrong_filter},
    )


async def safe_headers(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
    """Middleware: what a browser may do with our pages, which is little."""
    response = await following(request)
    for name, value in HEADERS.items():
        response.headers[name] = value.replace("{script}", script_hash())
    return response


def _page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    shown = {"views": views.VIEWS, "heads": views.HEADS, "here": None} | values
    return HTMLResponse(templates().get_template(template).render(**shown), status)


def _told(request: Request, err: Exception) -> Response:
    status = err.status_code if isinstance(err, HTTPException) else 500
    words = err.detail if isinstance(err, HTTPException) else str(err)
    return _page("explore_message.html.j2", status, words=words)


def _no_store(request: Request, err: Exception) -> Response:
    return _page("explore_message.html.j2", 503, words=str(err))


def _wrong_filter(request: Request, err: Exception) -> Response:
    return _page("explore_message.html.j2", 400, words=str(err))


class _Pages:
    """The pages of one folder of tables."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def _tables(self, *names: str) -> Iterator[Any]:
        store = Store.open(self._root)
        with opened(store, names) as db:
            yield db

    def _ask(self, sql: str, *tables: str, **values: Any) -> list[dict[str, Any]]:
        with self._tables(*tables) as db:
            return rows_of(db, sql, **values)

    async def home(self, request: Request) -> Response:
        return await run_in_threadpool(self._home)

    def _home(self) -> Response:
        with self._tables("runs", *views.VIEWS["stories"].tables, *views.VIEWS["sources"].tables) as db:
            runs = rows_of(db, _HOME)
            stories, sources = (views.page(db, views.VIEWS[v], {}, 0)[:HOME_ROWS] for v in ("stories", "sources"))
        reports = (self._root / "reports" / "index.html").is_file()
        return _page("explore_home.html.j2", runs=runs, stories=stories, sources=sources, reports=reports,
                     here="home")  # fmt: skip

    def _rows(self, name: str, asked: dict[str, str], number: int) -> tuple[int, list[dict[str, Any]]]:
        view = views.VIEWS[name]
        with self._tables(*view.tables) as db:
            return views.count(db, view, asked), views.page(db, view, asked, number)

    async def rows(self, request: Request) -> Response:
        name = request.path_params["view"]
        if name not in views.VIEWS:
            raise HTTPException(404, f"There is no page {name}. There are {', '.join(views.VIEWS)}.")
        asked = _asked(request, name)
        number = _number(request)
        total, rows = await run_in_threadpool(self._rows, name, asked, number)
        return _page(
            "explore_rows.html.j2", view=views.VIEWS[name], asked=asked, rows=rows, total=total, number=number,
            size=views.PAGE_ROWS, query=urlencode(asked), here=name,
        )  # fmt: skip

    async def source(self, request: Request) -> Response:
        source = request.path_params["source"]
        found = await run_in_threadpool(self._ask, _SOURCE, "source_index", source=source)
        nights = await run_in_threadpool(self._ask, _OVER_TIME, "quotes", "articles", "runs", "coverage", source=source)
        if not nights and not found:
            raise HTTPException(404, f"The tables know no source {source}.")
        total, quotes = await run_in_threadpool(self._rows, "quotes", {"source": source}, 0)
        return _page("explore_source.html.j2", source=source, index=found[0] if found else None, nights=nights,
                     quotes=quotes, total=total)  # fmt: skip

    async def story(self, request: Request) -> Response:
        story = request.path_params["story"]
        found = await run_in_threadpool(self._ask, _STORY, "stories", story=story)
        if not found:
            raise HTTPException(404, f"The tables know no story {story}.")
        articles = await run_in_threadpool(self._ask, _STORY_ARTICLES, "articles", story=story)
        total, events = await run_in_threadpool(self._rows, "events", {"story": story}, 0)
        return _page("explore_story.html.j2", story=found[0], articles=articles, events=events, total=total)

    async def article(self, request: Request) -> Response:
        wanted = request.path_params["wanted"]
        answer = await run_in_threadpool(lambda: look_up(Store.open(self._root), wanted))
        reading = answer.reading
        if reading is not None:
            return HTMLResponse(render_reader(reading, LINKS))
        if not answer.inputs:
            raise HTTPException(404, f"The tables know nothing of {wanted[:200]}.")
        if len(answer.inputs) > 1:
            return RedirectResponse("/inputs?" + urlencode({"q": wanted}))
        return _page("explore_input.html.j2", row=answer.inputs[0], words=reason_words())

    async def download(self, request: Request) -> Response:
        name, form = request.path_params["view"], request.path_params["form"]
        if name not in views.VIEWS or form not in ("csv", "parquet"):
            raise HTTPException(404, "Downloads are /download/<view>.csv and .parquet.")
        asked = _asked(request, name)
        views.query(views.VIEWS[name], asked)  # a wrong filter is said before the download begins
        if form == "parquet":
            file = await run_in_threadpool(self._parquet, name, asked)
            return Response(file, media_type="application/vnd.apache.parquet", headers=_attachment(name, form))
        return StreamingResponse(self._csv(name, asked), media_type="text/csv", headers=_attachment(name, form))

    def _csv(self, name: str, asked: dict[str, str]) -> Iterator[str]:
        view = views.VIEWS[name]
        with self._tables(*view.tables) as db:
            head = True
            for batch in views.batches(db, view, asked):
                out = io.StringIO()
                writer = csv.writer(out)
                if head:
                    writer.writerow(batch.schema.names)
                    head = False
                for row in batch.to_pylist():
                    writer.writerow([_cell(v) for v in row.values()])
                yield out.getvalue()

    def _parquet(self, name: str, asked: dict[str, str]) -> bytes:
        view = views.VIEWS[name]
        sink = io.BytesIO()
        with self._tables(*view.tables) as db:
            writer = None
            for batch in views.batches(db, view, asked):
                writer = writer or pq.ParquetWriter(sink, batch.schema, compression="zstd")
                writer.write_batch(batch)
            if writer is None:
                sql, values = views.query(view, asked)
                pq.write_table(db.sql(sql, params=values or None).to_arrow_table(), sink)
            else:
                writer.close()
        return sink.getvalue()


def _cell(value: Any) -> Any:
    """One cell of a CSV file: lists joined, a text harmless for spreadsheets."""
    if isinstance(value, list):
        value = "; ".join(str(v.get("name", v) if isinstance(v, dict) else v) for v in value)
    return guarded(value) if isinstance(value, str) else value


def _attachment(name: str, form: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="nightdesk-{name}.{form}"'}


def _asked(request: Request, name: str) -> dict[str, str]:
    filters = views.VIEWS[name].filters
    return {k: v[:1000] for k, v in request.query_params.items() if k in filters and v.strip()}


def _number(request: Request) -> int:
    text = request.query_params.get("page", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
