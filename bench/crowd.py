"""Many outlets on loopback addresses of their own, each answering after a set time, and a log of when they were asked.

usage: python -m bench.crowd HOSTS PAGES LATENCY_S    prints its port, serves until it is ended

`http://127.78.0.1:PORT/log` answers, as JSON, for each host the number of requests and the shortest time between two.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
import zlib

KEEPER = "127.78.0.1"
VARIANTS = 40
WORDS = "council river bridge vote mayor winter market harbour school strike doctor budget train storm coast".split()


def host_of(number: int) -> str:
    return f"127.78.{1 + number // 250}.{1 + number % 250}"


def page(number: int) -> bytes:
    """A page of the size of a newspaper's, some 60 kB of markup, gzipped as it would be sent."""
    rng = random.Random(number)
    menu = "".join(f"<li class='nav-item'><a href='/section/{i}'>Section {i}</a></li>" for i in range(150))
    paragraphs = "".join(f"<p>{' '.join(rng.choices(WORDS, k=80))}.</p>" for _ in range(25))
    teasers = "".join(
        f"<div class='teaser'><a href='/{rng.random()}'><h3>{' '.join(rng.choices(WORDS, k=9))}</h3></a></div>"
        for _ in range(150)
    )
    text = f"<html><head><title>Story {number}</title></head><body><ul>{menu}</ul>{paragraphs}{teasers}</body></html>"
    zipped = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return zipped.compress(text.encode()) + zipped.flush()


class Crowd:
    def __init__(self, hosts: int, pages: int, latency_s: float) -> None:
        self.hosts = hosts
        self.pages = pages
        self.latency_s = latency_s
        self.asked: dict[str, list[float]] = {}
        self._bodies = [page(i) for i in range(VARIANTS)]

    async def start(self) -> int:
        port = 0
        for host in [KEEPER, *(host_of(i) for i in range(self.hosts))]:
            server = await asyncio.start_server(self._serve, host, port, backlog=64)
            port = port or server.sockets[0].getsockname()[1]
        return int(port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode("latin-1")
                if host != KEEPER:
                    self.asked.setdefault(host, []).append(time.monotonic())
                    await asyncio.sleep(self.latency_s)
                writer.write(self._answer(host, path))
                await writer.drain()
        writer.close()

    def _answer(self, host: str, path: str) -> bytes:
        if path == "/log":
            return _response("application/json", json.dumps(self._log()).encode())
        if path == "/rss":
            rows = "".join(f"<item><title>{i}</title><link>/story/{i}</link></item>" for i in range(self.pages))
            return _response("application/rss+xml", f"<rss version='2.0'><channel>{rows}</channel></rss>".encode())
        if path.startswith("/story/"):
            return _response("text/html", self._bodies[int(path[7:]) % VARIANTS], "Content-Encoding: gzip\r\n")
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    def _log(self) -> dict[str, tuple[int, float]]:
        pairs = {host: list(itertools.pairwise(times)) for host, times in self.asked.items()}
        return {host: (len(self.asked[host]), min((b - a for a, b in p), default=9e9)) for host, p in pairs.items()}


def _response(kind: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode("ascii") + body


async def main(hosts: int, pages: int, latency_s: float) -> None:
    print(await Crowd(hosts, pages, latency_s).start(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
