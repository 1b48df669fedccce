"""A small press on loopback: one port an outlet, so that hosts, robots.txt and listings are apart as in real life."""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import jinja2

from flows.press.content import FIRST_NIGHT, HERE, Outlet, Piece, outlets, pieces

MONTHS_ES = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
LISTINGS = {
    "rss": ("/feeds/all.rss", "application/rss+xml", "rss.xml"),
    "atom": ("/atom.xml", "application/atom+xml", "atom.xml"),
    "sitemap": ("/news-sitemap.xml", "application/xml", "sitemap.xml"),
    "front": ("/", "text/html; charset=utf-8", "index.html"),
}
QUIET = frozenset({"atom", "front"})  # outlets whose pages carry nothing that changes from day to day: they get an ETag


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The truth about one address of the press at a visit.

    `kind`: article, copy, paywalled, undated, disallowed (by robots.txt), not_article, missing (404). `change` against
    the first visit: same, new, body, cosmetic. `paragraphs` is the true body, empty where there is no article.
    """

    url: str
    outlet: str
    title: str
    paragraphs: tuple[str, ...]
    authors: tuple[str, ...]
    published: dt.datetime | None
    precision: str
    language: str
    kind: str
    change: str
    agency: str | None = None
    copy_of: str | None = None
    story: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request that the press answered."""

    outlet: str
    path: str
    status: int
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent for one path."""

    status: int
    content_type: str = "text/html; charset=utf-8"
    body: bytes = b""
    etag: bool = False
    location: str | None = None
    modified: dt.datetime | None = None


class Press:
    """Context manager: serves the press as it stands at a visit (1, 2, …; nothing new comes after the second).

    `port` 0 takes free ports; else outlet number i listens on port + i. Raises OSError if a port is taken.
    """

    def __init__(self, visit: int = 1, port: int = 0) -> None:
        if visit < 1:
            raise ValueError(f"visits are counted from 1, not {visit}")
        self.visit = visit
        self.night = FIRST_NIGHT + dt.timedelta(days=visit - 1)
        self.log: list[Seen] = []
        self._port = port
        self._servers: dict[str, ThreadingHTTPServer] = {}

    def __enter__(self) -> Self:
        try:
            for i, outlet in enumerate(outlets()):
                address = ("127.0.0.1", self._port + i if self._port else 0)
                server = ThreadingHTTPServer(address, _handler(self, outlet))
                server.daemon_threads = True
                self._servers[outlet.domain] = server
        except OSError:
            self._close()
            raise
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        for server in self._servers.values():
            server.shutdown()
        self._close()

    def _close(self) -> None:
        for server in self._servers.values():
            server.server_close()
        self._servers.clear()

    def base(self, domain: str) -> str:
        """`http://127.0.0.1:PORT` of an outlet."""
        return f"http://127.0.0.1:{self._servers[domain].server_address[1]}"

    def outlets_toml(self, path: Path) -> Path:
        """Write the list of outlets as `nightdesk run --outlets` reads it."""
        rows = []
        for o in outlets():
            url = self.base(o.domain) + LISTINGS[o.listing][0]
            key = {"rss": "feeds", "atom": "feeds", "sitemap": "sitemaps", "front": "pages"}[o.listing]
            lists = {name: [url] if name == key else [] for name in ("feeds", "sitemaps", "pages")}
            rows.append(
                f'[[outlet]]\nname = "{o.name}"\ndomain = "{o.domain}"\n'
                + "".join(f"{name} = {str(urls).replace(chr(39), chr(34))}\n" for name, urls in lists.items())
                + f'country = "{o.country}"\nlanguage = "{o.language}"\n'
            )
        path.write_text("\n".join(rows), encoding="utf-8")
        return path

    def expected(self) -> list[Expected]:
        """The truth: one row for each address that an article, a listed page or a dead link has at this visit."""
        before = {(p.outlet.domain, p.slug): p for p in pieces(1)}
        rows = [self._expect(p, before.get((p.outlet.domain, p.slug))) for p in pieces(self.visit)]
        for o in outlets():
            others = [(path, "missing") for path in o.missing]
            others += [(path, "not_article") for path in ("/", *(f"/section/{s}" for s in o.sections), *o.others)]
            rows += [
                Expected(
                    url=self.base(o.domain) + path, outlet=o.domain, title="", paragraphs=(), authors=(),
                    published=None, precision="", language=o.language, kind=kind, change="same",
                )
                for path, kind in others
            ]  # fmt: skip
        return rows

    def _expect(self, piece: Piece, before: Piece | None) -> Expected:
        change = "new"
        if before is not None:
            same_words = _words(piece.paragraphs) == _words(before.paragraphs)
            change = "same" if before.blocks == piece.blocks else "cosmetic" if same_words else "body"
        return Expected(
            url=self.base(piece.outlet.domain) + piece.path,
            outlet=piece.outlet.domain,
            title=piece.title,
            paragraphs=piece.paragraphs,
            authors=piece.authors,
            published=piece.published and piece.published.astimezone(dt.UTC),
            precision=piece.precision,
            language=piece.language,
            kind=piece.kind,
            change=change,
            agency=piece.agency,
            copy_of=piece.copy_of,
            story=piece.story,
        )

    def answer(self, outlet: Outlet, path: str) -> Answer:
        """What the outlet answers for a path: a listing, a page, a redirect or 404."""
        own = [p for p in pieces(self.visit) if p.outlet is outlet]
        quiet = outlet.listing in QUIET
        shared = {"outlet": outlet, "base": self.base(outlet.domain), "night": self.night, "own": own}
        listing, content_type, template = LISTINGS[outlet.listing]
        if path == "/robots.txt":
            return Answer(status=200, content_type="text/plain", body=self._robots(outlet).encode())
        if path == listing and outlet.listing != "front":
            return Answer(status=200, content_type=content_type, body=_render(template, **shared), etag=True)
        for piece in own:
            if path == piece.path:
                related = [p for p in own if p.section == piece.section and p is not piece][:4]
                body = _render(outlet.template, piece=piece, related=related, visit=self.visit, **shared)
                return Answer(status=200, body=body, etag=quiet, modified=piece.modified or piece.published)
            if path == piece.alias:
                return Answer(status=301, location=piece.path)
        return self._other(outlet, path, shared)

    def _other(self, outlet: Outlet, path: str, shared: dict[str, Any]) -> Answer:
        own: list[Piece] = shared["own"]
        if path == "/":
            return Answer(status=200, body=_render("index.html", kind="front", shown=own, **shared))
        if path.startswith("/section/") and (section := path.removeprefix("/section/")) in outlet.sections:
            shown = [p for p in own if p.section == section]
            return Answer(status=200, body=_render("index.html", kind=section, shown=shown, **shared))
        if path in outlet.others:
            return Answer(status=200, body=_render("index.html", kind=outlet.others[path], shown=own[:6], **shared))
        return Answer(status=404, body=_render("index.html", kind="404", shown=[], **shared))

    def _robots(self, outlet: Outlet) -> str:
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in outlet.disallow)]
        if outlet.listing == "sitemap":
            lines += ["", f"Sitemap: {self.base(outlet.domain)}{LISTINGS['sitemap'][0]}"]
        return "\n".join(lines) + "\n"


def _words(paragraphs: tuple[str, ...]) -> Counter[str]:
    """Letters and digits of the words alone: what is left the same by a cosmetic change."""
    bare = ("".join(c for c in w if c.isalnum()).lower() for p in paragraphs for w in p.split())
    return Counter(w for w in bare if w)


def _render(template: str, **values: Any) -> bytes:
    return ENV.get_template(template).render(**values).encode("utf-8")


def _spanish(day: dt.date) -> str:
    return f"{day.day} de {MONTHS_ES[day.month - 1]} de {day.year}"


def _american(moment: dt.datetime) -> str:
    hour = moment.strftime("%I:%M").lstrip("0")
    return f"{moment:%B} {moment.day}, {moment.year}, {hour} {'a.m.' if moment.hour < 12 else 'p.m.'} ET"


def _environment() -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Callable[..., str]] = {
        "spanish": _spanish,
        "american": _american,
        "rfc822": email.utils.format_datetime,
    }
    env.filters.update(filters)
    return env


ENV = _environment()


def _handler(press: Press, outlet: Outlet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(with_body=True)

        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def log_message(self, format: str, *args: Any) -> None:  # the base class writes to stderr
            pass

        def _send(self, *, with_body: bool) -> None:
            path = urlsplit(self.path).path
            answer = press.answer(outlet, path)
            etag = f'"{hashlib.sha256(answer.body).hexdigest()[:20]}"' if answer.etag else None
            status = 304 if etag and self.headers.get("If-None-Match") == etag else answer.status
            agent = self.headers.get("User-Agent", "")
            press.log.append(Seen(outlet=outlet.domain, path=path, status=status, user_agent=agent))
            self.send_response(status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", "0" if status == 304 else str(len(answer.body)))
            if etag:
                self.send_header("ETag", etag)
            if answer.modified:
                self.send_header("Last-Modified", email.utils.format_datetime(answer.modified.astimezone(dt.UTC), True))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            if with_body and status != 304:
                self.wfile.write(answer.body)

    return Handler
