"""The labelling page of a check: one row after the other in its article, and a person's verdict on each."""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tasks.publish.store import Store
from tasks.report.explore import HOSTS, safe_headers
from tasks.report.precision import EXISTS, FIELDS, Drawn, Label, by_confidence, keep, load, precision
from tasks.report.reader import COUNTS, Links, render_reader, templates
from tasks.report.reading import Reading, Row, lines, look_up, pieces, range_words

_PARTS = {
    "quotes": ("cue", "speaker"),
    "events": ("trigger", "actor", "recipient", "place"),
}
ID = {"quotes": "quote_id", "events": "event_id", "articles": "article_id"}


def check_app(root: Path, check: str) -> Starlette:
    """The web application of one check. Verdicts are kept as soon as they are given; it may be ended at any time."""
    pages = _Pages(root, check)
    return Starlette(
        routes=[
            Route("/", pages.next),
            Route("/row/{number:int}", pages.row, methods=["GET"]),
            Route("/row/{number:int}", pages.judge, methods=["POST"]),
            Route("/article/{article}", pages.article),
            Route("/results", pages.results),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
            Middleware(BaseHTTPMiddleware, dispatch=safe_headers),
        ],
    )


def facts(table: str, row: Row, names: dict[str, str]) -> list[tuple[str, str, str]]:
    """(field, what it asks, what the row says) for every field that is to be judged."""
    said: dict[str, Any]
    if table == "quotes":
        who = names.get(row["source_id"]) or row["speaker_text"]
        said = {"text": row["text"], "cue": row["cue"], "speaker": who, "kind": row["kind"], "stance": row["stance"]}
    elif table == "sources":
        said = {k: row[k] for k in ("name", "kind", "role", "affiliation")} | {"named": "yes" if row["named"] else "no"}
    elif table == "events":
        counts = [
            f"{f}: {range_words((row[f + '_min'], row[f + '_max']))}" for f in COUNTS
            if row[f"{f}_min"] is not None or row[f"{f}_max"] is not None
        ]  # fmt: skip
        said = {
            "type": row["type"] + (f", {row['mode']}" if row["mode"] else ""),
            "modality": row["modality"] + (f", by {row['attributed_to']}" if row["attributed_to"] else ""),
            "actor": row["actor_text"], "recipient": row["recipient_text"],
            "place": ", ".join(x for x in (row["place_name"], row["place_country"]) if x),
            "date": " to ".join(dict.fromkeys(str(d) for d in (row["date_start"], row["date_end"]) if d)),
            "counts": "; ".join(counts),
        }  # fmt: skip
    else:
        at = row["published_at"]
        said = {
            "text": f"{row['word_count']} words", "title": row["title"], "authors": ", ".join(row["authors"]),
            "published_at": f"{at:%Y-%m-%d %H:%M}, to the {row['published_precision']}" if at else None,
        }  # fmt: skip
    return [(field, asks, str(said.get(field) or "none")) for field, asks in FIELDS[table].items() if field != EXISTS]


def _own_marks(table: str, row: Row) -> list[tuple[int, int, str]]:
    if table == "sources":
        return [(m["start"], m["end"], "source") for m in row["mentions"]]
    if table == "articles":
        return []
    spans = row.get("parts") or [row]
    whole = "quote" if table == "quotes" else "evidence"
    return [(s["start"], s["end"], whole) for s in spans] + [
        (row[f"{p}_start"], row[f"{p}_end"], p) for p in _PARTS[table] if row[f"{p}_start"] is not None
    ]


def _row_of(reading: Reading, table: str, drawn: Drawn) -> Row | None:
    if table == "articles":
        return reading.article
    if table == "sources":
        return next((s for s in reading.sources if s["source_id"] + s["article_id"] == drawn.id), None)
    rows = reading.quotes if table == "quotes" else reading.events
    return next((r for r in rows if r[ID[table]] == drawn.id), None)


class _Pages:
    def __init__(self, root: Path, check: str) -> None:
        self._root, self._check = root, check
        self._token = secrets.token_urlsafe(16)  # other pages of the browser cannot know it

    def _load(self) -> tuple[Any, dict[str, Label]]:
        return load(self._root, self._check)

    async def next(self, request: Request) -> Response:
        sample, labels = await run_in_threadpool(self._load)
        for i, row in enumerate(sample.rows):
            if row.id not in labels:
                return RedirectResponse(f"/row/{i}#here", 303)
        return RedirectResponse("/results", 303)

    async def row(self, request: Request) -> Response:
        number = request.path_params["number"]
        sample, labels = await run_in_threadpool(self._load)
        if number >= len(sample.rows):
            raise HTTPException(404, "The sample has no such row.")
        return await run_in_threadpool(self._show, sample, labels, number)

    def _show(self, sample: Any, labels: dict[str, Label], number: int) -> Response:
        drawn = sample.rows[number]
        reading = look_up(Store.open(self._root), drawn.article_id).reading
        row = _row_of(reading, sample.table, drawn) if reading else None
        if reading is None or row is None:
            keep(self._root, self._check, Label(id=drawn.id, right=None, wrong=[], at=_now()))
            return RedirectResponse("/", 303)  # a newer run replaced it: nothing can be said of it any more
        names = {s["source_id"]: s["name"] for s in reading.sources}
        html = templates().get_template("check_row.html.j2").render(
            sample=sample, number=number, done=len(labels), label=labels.get(drawn.id), token=self._token,
            article=reading.article, asks=FIELDS[sample.table][EXISTS], facts=facts(sample.table, row, names),
            lines=list(lines(pieces(reading.article["text"], _own_marks(sample.table, row)))),
        )  # fmt: skip
        return HTMLResponse(html)

    async def judge(self, request: Request) -> Response:
        number = request.path_params["number"]
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        sample, _ = await run_in_threadpool(self._load)
        if not secrets.compare_digest(form.get("token", [""])[0].encode(), self._token.encode()):
            raise HTTPException(403, "This form is of an earlier page: go back, load it anew, and judge the row again.")
        if number >= len(sample.rows):
            raise HTTPException(404, "The sample has no such row.")
        verdict = form.get("verdict", [""])[0]
        if verdict not in ("right", "wrong", "unclear"):
            raise HTTPException(400, "Say right, wrong, or cannot say.")
        fields = FIELDS[sample.table]
        wrong = [f for f in fields if f in form.get("wrong", [])] if verdict == "wrong" else []
        label = Label(
            id=sample.rows[number].id, right={"right": True, "wrong": False}.get(verdict),
            wrong=(wrong or [EXISTS]) if verdict == "wrong" else [], at=_now(),
        )  # fmt: skip
        await run_in_threadpool(keep, self._root, self._check, label)
        return RedirectResponse("/", 303)

    async def article(self, request: Request) -> Response:
        wanted = request.path_params["article"]
        reading = await run_in_threadpool(lambda: look_up(Store.open(self._root), wanted).reading)
        if reading is None:
            raise HTTPException(404, "The tables know no such article.")
        return HTMLResponse(render_reader(reading, Links(home=("/", "the check"))))

    async def results(self, request: Request) -> Response:
        sample, labels = await run_in_threadpool(self._load)
        html = templates().get_template("check_results.html.j2").render(
            sample=sample, judged=len(labels), fields=FIELDS[sample.table], rows=precision(sample, labels),
            bands=list(by_confidence(sample, labels)),
        )  # fmt: skip
        return HTMLResponse(html)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
