"""A hostile press on loopback: a table of misbehaviours, each an outlet on an address of its own, and good outlets.

usage: python -m tests.scrape.hostile FOLDER    writes FOLDER/outlets.toml, prints "ready", serves until it is ended

A misbehaviour says where it stands (`at`): in the page that a good feed lists, in the feed, in robots.txt, or in the
connection itself; and `ends`: the reasons that the address may have in `inputs`, None for a page that is fetched and
is what it should be. Python sockets only, no HTTP library: most of this no library would send.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import ssl
import sys
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HOSTILE_NET, GOOD_NET = "127.77.1.", "127.77.2."
GOOD_OUTLETS, GOOD_PAGES = 5, 5
LONGEST_S = 150.0
"""No handler goes on for longer, whatever the client does."""


class Talk:
    """One connection after its request head was read."""

    def __init__(self, path: str, headers: dict[str, str], writer: asyncio.StreamWriter, base: str) -> None:
        self.path = path
        self.headers = headers
        self.writer = writer
        self.base = base

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status: str, body: bytes = b"", *, length: int | None = None, **headers: str) -> None:
        lines = {"Content-Type": "text/html", "Content-Length": str(len(body) if length is None else length)}
        lines |= {k.replace("_", "-"): v for k, v in headers.items()}
        head = "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        await self.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + body)


Handler = Callable[[Talk], Awaitable[None]]
Where = Literal["page", "feed", "robots", "sitemap", "front", "wire", "tls", "listed"]


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    name: str
    at: Where
    ends: tuple[str | None, ...]
    serve: Handler | None = None
    listed: str | None = None  # for at="listed": the address that a good feed lists


TABLE: list[Misbehaviour] = []


def hostile(name: str, at: Where, *ends: str | None) -> Callable[[Handler], Handler]:
    def keep(handler: Handler) -> Handler:
        TABLE.append(Misbehaviour(name, at, ends, handler))
        return handler

    return keep


def says(name: str, at: Where, ends: tuple[str | None, ...], raw: bytes) -> None:
    """A misbehaviour that is only bytes."""

    async def serve(talk: Talk) -> None:
        await talk.send(raw)
        talk.writer.close()

    TABLE.append(Misbehaviour(name, at, ends, serve))


def leads(name: str, location: str, *ends: str | None) -> None:
    async def serve(talk: Talk) -> None:
        await talk.answer("302 Found", Location=location.replace("{base}", talk.base))

    TABLE.append(Misbehaviour(name, "page", ends, serve))


def article(town: str, number: int) -> bytes:
    """A page that is an article, with a text of its own."""
    words = f"The council of {town} voted on Monday to rebuild bridge number {number} over the river, its mayor said."
    more = [
        f"“The bridge in {town} was closed for {number + 3} months and nobody could reach the hospital,” said Ana Ruiz, "
        "who runs the bakery beside it. She had sold bread from a boat in the meantime, and half the town had come.",
        f"The work costs {number + 2} million euros and begins in spring. Engineers found rust in the piers last year, "
        f"and lorries of more than {number + 7} tonnes were sent round by the northern road until the money was found.",
        f"Opponents in {town} wanted a ferry instead, because a ferry would have been ready within weeks of the vote.",
    ]
    body = "".join(f"<p>{p}</p>" for p in (words, *more))
    title = f"{town} rebuilds bridge {number}"
    return f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}</article></body></html>".encode()


def feed(*links: str) -> bytes:
    rows = "".join(f"<item><title>{link}</title><link>{link}</link></item>" for link in links)
    return f"<rss version='2.0'><channel>{rows}</channel></rss>".encode()


PAGE = article("Hostville", 1)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


# ------------------------------------------------------------------ the wire


@hostile("hangs up at once", "page", "protocol_error")
async def _(talk: Talk) -> None:
    talk.writer.close()


@hostile("never answers", "page", "timeout")
async def _(talk: Talk) -> None:
    await asyncio.sleep(LONGEST_S)


@hostile("slow loris in the head", "page", "timeout")
async def _(talk: Talk) -> None:
    await talk.send(OK)
    for _n in range(int(LONGEST_S * 5)):
        await talk.send(b"X")
        await asyncio.sleep(0.2)


@hostile("slow loris in the body", "page", "timeout")
async def _(talk: Talk) -> None:
    await talk.send(OK + b"\r\n")
    for _n in range(int(LONGEST_S * 5)):
        await talk.send(b"x")
        await asyncio.sleep(0.2)


@hostile("endless body", "page", "too_large", "timeout")
async def _(talk: Talk) -> None:
    await talk.send(OK + b"\r\n")
    while True:
        await talk.send(b"<p>more of it</p>" * 4000)


@hostile("endless head", "page", "protocol_error")
async def _(talk: Talk) -> None:
    await talk.send(OK)
    for n in itertools.count():
        await talk.send(b"X-%d: %s\r\n" % (n, b"y" * 900))


@hostile("one header without an end", "page", "protocol_error")
async def _(talk: Talk) -> None:
    await talk.send(OK + b"X-Long: ")
    while True:
        await talk.send(b"y" * 60_000)


@hostile("interim answers without end", "page", "protocol_error", "timeout")
async def _(talk: Talk) -> None:
    while True:
        await talk.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        await asyncio.sleep(0.01)


@hostile("crumbs without end", "page", "protocol_error")
async def _(talk: Talk) -> None:
    await talk.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        await talk.send(b"1\r\nx\r\n" * 5000)


@hostile("chunk extensions without end", "page", "protocol_error", "timeout")
async def _(talk: Talk) -> None:
    await talk.send(OK + b"Transfer-Encoding: chunked\r\n\r\n1;a=")
    while True:
        await talk.send(b"b" * 60_000)


@hostile("trailers without end", "page", "protocol_error", "timeout")
async def _(talk: Talk) -> None:
    await talk.send(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
    while True:
        await talk.send(b"X-T: %s\r\n" % (b"y" * 900))


@hostile("an answer more than was asked for", "page", None)
async def _(talk: Talk) -> None:
    await talk.answer("200 OK", PAGE)
    await talk.answer("200 OK", b"<html><body>smuggled</body></html>")


says("no HTTP", "page", ("protocol_error",), b"\x00\x01\x02 garbage\r\n\r\n")
says("HTTP 0.9", "page", ("protocol_error",), PAGE)
says("status that is no number", "page", ("protocol_error",), b"HTTP/1.1 abc Fine\r\n\r\n")
says("status 999", "page", ("protocol_error", "http_other_status", "http_server_error"), b"HTTP/1.1 999 No\r\n\r\n")
says("header without a name", "page", ("protocol_error",), OK + b": x\r\nContent-Length: 1\r\n\r\nx")
says("NUL in a header", "page", ("protocol_error",), OK + b"X-A: a\x00b\r\nContent-Length: 1\r\n\r\nx")
says("body shorter than its length", "page", ("protocol_error",), OK + b"Content-Length: 90000\r\n\r\n" + PAGE)
says(
    "body longer than its length", "page", (None,), OK + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE + b"x" * 9999
)
says("two lengths", "page", ("protocol_error",), OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n123456789")
says("length below zero", "page", ("protocol_error",), OK + b"Content-Length: -5\r\n\r\nx")
says("length of an exabyte", "page", ("too_large",), OK + b"Content-Length: 1000000000000000000\r\n\r\nx")
says("chunk size that is none", "page", ("protocol_error",), OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n")
says("length and chunks", "page", ("protocol_error", None), OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
     + b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE), PAGE))  # fmt: skip
says("unknown transfer coding", "page", ("protocol_error",), OK + b"Transfer-Encoding: rot13\r\n\r\nx")


# ------------------------------------------------------------------ content


def _packed(name: str, ends: str, encoding: str, body: bytes) -> None:
    head = b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding.encode(), len(body))
    says(name, "page", (ends,), OK + head + body)


_packed("gzip bomb", "too_large", "gzip", gzip.compress(b"<p>0</p>" * 40_000_000, 1))
_packed("deflate bomb", "too_large", "deflate", zlib.compress(b"0" * 200_000_000, 1))
_packed("gzip in gzip", "protocol_error", "gzip, gzip", gzip.compress(gzip.compress(b"0" * 50_000_000, 1)))
_packed("gzip cut off", "protocol_error", "gzip", gzip.compress(PAGE)[:-40])
_packed("gzip that is none", "protocol_error", "gzip", PAGE)
_packed("brotli unasked", "protocol_error", "br", b"\x8b\x02\x80")
says(
    "charset that lies",
    "page",
    (None, "undecodable"),
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-16\r\n\r\n" + PAGE,
)
says(
    "charset of nowhere",
    "page",
    (None,),
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x-klingon\r\n\r\n" + PAGE,
)
says(
    "picture called a page",
    "page",
    ("undecodable", "not_article"),
    OK + b"\r\n\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400,
)
says("page called a picture", "page", ("not_html",), b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + PAGE)
says(
    "tags without end",
    "page",
    ("too_large", "not_article", "no_text", "too_short", "time_limit"),
    OK + b"\r\n" + b"<div><b>" * 200_000,
)
says("attributes without end", "page", ("too_short", "no_text", "not_article", "too_large"),
     OK + b"\r\n<html><body " + b"a=b " * 300_000 + b">x</body></html>")  # fmt: skip
says("partial content unasked", "page", ("http_other_status",), b"HTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\nx")
says("not modified unasked", "page", ("http_other_status",), b"HTTP/1.1 304 Not Modified\r\n\r\n")
says("no content", "page", ("http_other_status",), b"HTTP/1.1 204 No Content\r\n\r\n")


@hostile("busy for ever", "page", "http_refused")
async def _(talk: Talk) -> None:
    await talk.answer("429 Too Many Requests", Retry_After="1")


@hostile("come back next year", "page", "http_server_error")
async def _(talk: Talk) -> None:
    await talk.answer("503 Service Unavailable", Retry_After="31536000")


@hostile("retry after no number", "page", "http_server_error")
async def _(talk: Talk) -> None:
    await talk.answer("503 Service Unavailable", Retry_After="9" * 500)


# ------------------------------------------------------------------ redirects

leads("redirect to itself", "{base}/page", "too_many_redirects")
leads("redirect to loopback", "http://127.0.0.1:1/", "address_refused")
leads("redirect to loopback by number", "http://2130706433/", "address_refused", "dns_failed")
leads("redirect to loopback by name", "http://localhost:1/", "address_refused")
leads("redirect to IPv6 loopback", "http://[::1]:1/", "address_refused")
leads("redirect to mapped loopback", "http://[::ffff:127.0.0.1]:1/", "address_refused")
leads("redirect to the cloud's secrets", "http://169.254.169.254/latest/meta-data/", "address_refused")
leads("redirect to a private network", "http://10.0.0.1/", "address_refused")
leads("redirect to a file", "file:///etc/passwd", "address_refused")
leads("redirect to a script", "javascript:alert(1)", "address_refused")
leads("redirect to another protocol", "gopher://example.org/", "address_refused")
leads("redirect to nonsense", "http://[oops", "address_refused")
leads("redirect to port 0", "http://127.77.1.1:0/", "address_refused")
leads("redirect to a very long address", "/" + "a" * 9000, "address_refused")


@hostile("redirects without end", "page", "too_many_redirects")
async def _(talk: Talk) -> None:
    await talk.answer("302 Found", Location=talk.path + "/page")


@hostile("cookie wall", "page", "too_many_redirects")
async def _(talk: Talk) -> None:
    n = int((talk.headers.get("cookie") or "=0").rpartition("=")[2])
    await talk.answer("302 Found", Location="/page", Set_Cookie=f"wall={n + 1}")


# ------------------------------------------------------------------ feeds, sitemaps, front pages


@hostile("feed with a million items", "feed", "address_refused")
async def _(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n<rss version='2.0'><channel>")
    for n in range(10_000):
        links = "".join(f"<item><link>http://127.0.0.1:1/{n}-{i}</link></item>" for i in range(100))
        await talk.send(links.encode())


_LAUGHS = "".join(f"<!ENTITY l{i} '{f'&l{i - 1};' * 10}'>" for i in range(1, 12))
_XML = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n"
says(
    "entity bomb in a feed",
    "feed",
    ("feed_unreadable",),
    _XML
    + f"<!DOCTYPE r [<!ENTITY l0 'ha'>{_LAUGHS}]><rss version='2.0'><channel><item><link>http://x.invalid/&l11;</link></item></channel></rss>".encode(),
)
says(
    "entity bomb in a sitemap",
    "sitemap",
    ("feed_unreadable", None),
    _XML + f"<!DOCTYPE r [<!ENTITY l0 'ha'>{_LAUGHS}]><urlset><url><loc>&l11;</loc></url></urlset>".encode(),
)
says(
    "file read by a sitemap",
    "sitemap",
    ("feed_unreadable", "dns_failed"),
    _XML
    + b"<!DOCTYPE r [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><urlset><url><loc>http://x.invalid/&f;</loc></url></urlset>",
)
says(
    "feed of a million levels",
    "feed",
    ("feed_unreadable", None),
    _XML + b"<rss version='2.0'><channel>" + b"<a>" * 1_000_000,
)
says("feed that is a page", "feed", ("feed_unreadable",), OK + b"\r\n" + PAGE)
says("feed that is empty", "feed", ("feed_unreadable",), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
says("feed of NULs", "feed", ("feed_unreadable",), _XML + bytes(2_000_000))
says("JSON without end of depth", "feed", ("feed_unreadable",), _XML + b'{"items":' + b"[" * 500_000)


@hostile("endless feed", "feed", "feed_unreadable", "timeout")
async def _(talk: Talk) -> None:
    await talk.send(_XML + b"<rss version='2.0'><channel>")
    while True:
        await talk.send(b"<!-- nothing -->" * 4000)


@hostile("sitemap index of itself", "sitemap", None)
async def _(talk: Talk) -> None:
    rows = "".join(f"<sitemap><loc>{talk.base}/sitemap.xml?{i}</loc></sitemap>" for i in range(3))
    await talk.send(_XML + f"<sitemapindex>{rows}</sitemapindex>".encode())
    talk.writer.close()


@hostile("infinite calendar", "front", "not_article", "no_text", "too_short", "duplicate_input", "timeout")
async def _(talk: Talk) -> None:
    days = "".join(
        f"<a href='{talk.path.rstrip('/')}/{2000 + i}/01/02/what-was-on-this-day'>day</a>" for i in range(20_000)
    )
    await talk.answer("200 OK", f"<html><body>{days}</body></html>".encode())


# ------------------------------------------------------------------ robots.txt


@hostile("robots.txt of 50 MB", "robots", None)
async def _(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\n")
    for n in range(2_000):
        await talk.send(b"".join(b"Disallow: /x%d/%d\n" % (n, i) for i in range(1_500)))
    talk.writer.close()


@hostile("robots.txt slow loris", "robots", "robots_unreachable")
async def _(talk: Talk) -> None:
    await talk.send(OK + b"\r\n")
    for _n in range(int(LONGEST_S * 5)):
        await talk.send(b"#")
        await asyncio.sleep(0.2)


@hostile("robots.txt with a fault", "robots", "robots_unreachable")
async def _(talk: Talk) -> None:
    await talk.answer("500 Oops")


@hostile("robots.txt that hangs up", "robots", "robots_unreachable")
async def _(talk: Talk) -> None:
    talk.writer.close()


@hostile("robots.txt in a circle", "robots", None)
async def _(talk: Talk) -> None:
    await talk.answer("301 Moved", Location="/robots.txt")


@hostile("robots.txt behind loopback", "robots", "address_refused")
async def _(talk: Talk) -> None:
    await talk.answer("301 Moved", Location="http://127.0.0.1:1/robots.txt")


@hostile("robots.txt of wildcards", "robots", None)
async def _(talk: Talk) -> None:
    await talk.answer("200 OK", b"User-agent: *\n" + b"Disallow: /*a*a*a*a*a*a*a*a*a*b\n" * 3_000)


@hostile("crawl delay of years", "robots", "timeout")
async def _(talk: Talk) -> None:
    await talk.answer("200 OK", b"User-agent: *\nCrawl-delay: 99999999\n")


@hostile("crawl delay that is no number", "robots", None)
async def _(talk: Talk) -> None:
    await talk.answer("200 OK", b"User-agent: *\nCrawl-delay: nan\nCrawl-delay: inf\nCrawl-delay: -1\n")


# ------------------------------------------------------------------ TLS, and addresses that lead nowhere


@hostile("TLS port that speaks none", "tls", "tls_failed", "connect_failed", "protocol_error")
async def _(talk: Talk) -> None:
    await talk.answer("400 Bad Request", b"plain")
    talk.writer.close()


@hostile("TLS that never ends its greeting", "tls", "robots_unreachable")
async def _(talk: Talk) -> None:
    await talk.send(b"\x16\x03\x03\x00\x7a\x02")
    await asyncio.sleep(LONGEST_S)


@hostile("TLS that hangs up", "tls", "tls_failed", "connect_failed")
async def _(talk: Talk) -> None:
    talk.writer.close()


@hostile("TLS that sends an alert", "tls", "tls_failed")
async def _(talk: Talk) -> None:
    await talk.send(b"\x15\x03\x03\x00\x02\x02\x28")
    talk.writer.close()


TABLE.append(Misbehaviour("closed port", "listed", ("connect_failed",), listed="http://127.77.1.250:1/page"))
TABLE.append(Misbehaviour("name of nowhere", "listed", ("dns_failed",), listed="http://nobody.invalid/page"))
TABLE.append(
    Misbehaviour(
        "credentials in an address", "listed", ("connect_failed",), listed="http://u:geheim@127.77.1.251:1/page"
    )
)
TABLE.append(
    Misbehaviour("private address in a feed", "listed", ("address_refused",), listed="http://192.168.0.1/page")
)


# ------------------------------------------------------------------ the server


def address_of(number: int) -> str:
    return f"{HOSTILE_NET}{number + 1}"


class HostilePress:
    """`port` is the same on every address."""

    def __init__(self) -> None:
        self.port = 0
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        hosts = [f"{GOOD_NET}{i + 1}" for i in range(GOOD_OUTLETS)] + [address_of(i) for i in range(len(TABLE))]
        for host in hosts:
            server = await asyncio.start_server(self._serve, host, self.port, limit=1 << 16, backlog=64)
            self.port = self.port or server.sockets[0].getsockname()[1]
            self._servers.append(server)

    def outlets_toml(self) -> str:
        rows = []
        for i in range(GOOD_OUTLETS):
            rows.append(self._row(f"good{i}.example", "feeds", f"http://{GOOD_NET}{i + 1}:{self.port}/rss"))
        for i, m in enumerate(TABLE):
            base = f"http://{address_of(i)}:{self.port}"
            key, path = {"sitemap": ("sitemaps", "/sitemap.xml"), "front": ("pages", "/")}.get(m.at, ("feeds", "/rss"))
            if m.at in ("tls", "listed"):
                base, path = f"http://{GOOD_NET}1:{self.port}", f"/list/{i}"
            rows.append(self._row(f"hostile{i}.example", key, base + path))
        return "\n".join(rows)

    @staticmethod
    def _row(domain: str, key: str, url: str) -> str:
        return f'[[outlet]]\ndomain = "{domain}"\n{key} = ["{url}"]\n'

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            async with asyncio.timeout(LONGEST_S):
                if host.startswith(GOOD_NET):
                    await self._good(host, reader, writer)
                else:
                    await self._bad(int(host.rpartition(".")[2]) - 1, host, reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            pass
        finally:
            with contextlib.suppress(ConnectionError, TimeoutError):
                writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> Talk:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        return Talk(head[0].split(" ")[1], headers, writer, f"http://{host}:{self.port}")

    async def _good(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = int(host.rpartition(".")[2])
        while True:
            talk = await self._request(reader, writer, host)
            if talk.path == "/rss":
                links = [f"{talk.base}/story-{i}" for i in range(GOOD_PAGES)]
                await talk.answer("200 OK", feed(*links), Content_Type="application/rss+xml")
            elif talk.path.startswith("/list/"):
                m = TABLE[i := int(talk.path.rpartition("/")[2])]
                link = m.listed or f"https://{address_of(i)}:{self.port}/page"
                await talk.answer("200 OK", feed(link), Content_Type="application/rss+xml")
            elif talk.path.startswith("/story-"):
                i = int(talk.path.rpartition("-")[2])
                await talk.answer("200 OK", article(f"Good{chr(64 + number)}ham", 10 * number + i))
            else:
                await talk.answer("404 Not Found")

    async def _bad(self, number: int, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        m = TABLE[number]
        assert m.serve is not None
        if m.at == "tls":
            await reader.read(100)
            await m.serve(Talk("", {}, writer, ""))
            return
        while not writer.is_closing():
            talk = await self._request(reader, writer, host)
            place = {"/robots.txt": "robots", "/rss": "feed", "/page": "page"}.get(talk.path.partition("?")[0], "")
            if place == m.at or (m.at in ("page", "sitemap", "front") and place == ""):
                await m.serve(talk)
            elif place == "robots":
                await talk.answer("404 Not Found")
            elif place == "feed":
                await talk.answer("200 OK", feed(f"{talk.base}/page"), Content_Type="application/rss+xml")
            elif place == "page":
                await talk.answer("200 OK", PAGE)


async def main(folder: Path) -> None:
    press = HostilePress()
    await press.start()
    (folder / "outlets.toml").write_text(press.outlets_toml(), encoding="utf-8")
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
