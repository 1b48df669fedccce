"""What one answer of a server means: its status, its pauses, where it leads, and its body within limits."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.utils
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx

from tasks.discover.address import MAX_ADDRESS, public
from tasks.scrape.decode import DecodeError, Inflater, OverLimit
from tasks.tables import Reason

MAX_WAIT_S = 120.0
"""A server that asks us to come back later than this is not waited for."""
MAX_QUIET_S = 2 * 86400.0
"""A host is left alone for so long at most, whatever it asks for."""
LARGE_BYTES = 1_000_000
LARGE_BODIES = 8
"""Bodies over so many bytes that are read at one time: few pages are, and only so much memory is there."""
MAX_PARTS, CRUMB_BYTES = 5_000, 64
"""So many chunks of less than so many bytes each are an attack on our time: every one costs as much as a large one."""
REDIRECTS = (301, 302, 303, 307, 308)
PERMANENT = (301, 308)
BUSY = (429, 503)


class Fault(Exception):
    """Why one request gave nothing. `passing`: another try may do better; `wait_s`: the server asked for that pause;
    `busy`: it said that it has enough of us; `asked`: whether the server was asked at all."""

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        passing: bool = False,
        wait_s: float | None = None,
        busy: bool = False,
        asked: bool = True,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.passing = passing
        self.wait_s = wait_s
        self.busy = busy
        self.asked = asked
        self.tries = 0


def status_fault(status: int, retry_after: str | None, now: dt.datetime) -> Fault:
    """The fault of a status that gives no page."""
    detail = f"HTTP status {status}"
    if status in (404, 410):
        return Fault(Reason.HTTP_GONE, detail)
    passing = status in (408, 425, 429, 500, 502, 503, 504)
    wait_s = seconds(retry_after, now) if passing else None
    if wait_s is not None and wait_s > MAX_WAIT_S:
        passing = False
        detail += f", come back in {wait_s:.0f} s"
    busy = status in BUSY
    if 400 <= status < 500:
        return Fault(Reason.HTTP_REFUSED, detail, passing=passing, wait_s=wait_s, busy=busy)
    if status >= 500:
        return Fault(Reason.HTTP_SERVER_ERROR, detail, passing=passing, wait_s=wait_s, busy=busy)
    return Fault(Reason.HTTP_OTHER_STATUS, detail)


def seconds(retry_after: str | None, now: dt.datetime) -> float | None:
    """A Retry-After header, seconds or a date (RFC 9110 section 10.2.3), as seconds from now."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal() and retry_after.strip().isascii():
        return float(retry_after.strip()[:9])
    try:
        when = email.utils.parsedate_to_datetime(retry_after[:100])
    except (ValueError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
    return max(0.0, (when - now).total_seconds())


def check_address(url: str) -> None:
    """Raises Fault for what is no http(s) address."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= MAX_ADDRESS
        good = good and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Fault(Reason.ADDRESS_REFUSED, f"not an address of the web: {public(url)[:200]}")


def redirected(url: str, location: str) -> str:
    """Where a Location header leads: in ASCII, without a fragment, and without a user name, which is the server's."""
    try:
        return public(str(httpx.URL(urldefrag(urljoin(url, location)).url)))
    except (ValueError, httpx.InvalidURL) as err:
        shown = public(location[:200])
        raise Fault(Reason.ADDRESS_REFUSED, f"redirected to what is no address: {shown!r}") from err


class Cookies:
    """Cookies set with a redirect, for the rest of its chain: many sites lead in a circle who does not keep them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], str] = {}  # by host and name

    def sent_to(self, url: str) -> str:
        host = urlsplit(url).hostname or ""
        return "; ".join(f"{name}={value}" for (owner, name), value in self._kept.items() if owner == host)

    def keep(self, url: str, response: httpx.Response) -> None:
        host = urlsplit(url).hostname or ""
        for header in response.headers.get_list("set-cookie")[:20]:
            name, equals, value = header.partition(";")[0].partition("=")
            small = len(name) + len(value) < 4096 and len(self._kept) < 50
            if equals and small and (name + value).isascii() and (name + value).isprintable():
                self._kept[host, name.strip()] = value.strip()


async def bounded_body(
    response: httpx.Response, *, limit: int, cut: int | None, large: asyncio.Semaphore
) -> tuple[bytes, bytes]:
    """(the body as sent, the body decoded). A body over `limit` bytes is a Fault; with `cut` it ends there instead.

    Without a content encoding both are one object. What is over LARGE_BYTES is read on under `large`, so that a hundred
    hosts that all send what the limit allows fit in memory.
    """
    stated = response.headers.get("content-length", "")
    if cut is None and stated.isdigit() and int(stated[:18]) > limit:
        raise Fault(Reason.TOO_LARGE, f"{stated[:18]} bytes, over the limit of {limit}")
    encoding = response.headers.get("content-encoding", "").strip().lower()
    inflater = Inflater("deflate" if encoding == "deflate" else "gzip", limit=limit) if _zipped(encoding) else None
    raw: list[bytes] = []
    body: list[bytes] = []
    sent = size = 0
    small = True
    async with contextlib.AsyncExitStack() as held:
        try:
            async for part in response.aiter_raw():
                raw.append(part)
                sent += len(part)
                if inflater is not None:
                    part = inflater.feed(part)
                    body.append(part)
                size += len(part)
                if len(raw) > MAX_PARTS and sent < CRUMB_BYTES * len(raw):
                    raise Fault(Reason.PROTOCOL_ERROR, f"the body comes in crumbs: {sent} bytes in {len(raw)} chunks")
                if cut is not None and size >= cut:
                    return _joined(raw, body, inflater, cut)
                if small and max(sent, size) > LARGE_BYTES:
                    small = False
                    await held.enter_async_context(large)
                if max(sent, size) > limit:
                    raise Fault(Reason.TOO_LARGE, f"over the limit of {limit} bytes")
        except OverLimit as err:
            if cut is not None:
                return _joined(raw, body, inflater, cut)
            raise Fault(Reason.TOO_LARGE, str(err)) from err
        except DecodeError as err:
            raise Fault(Reason.PROTOCOL_ERROR, str(err)) from err
    if inflater is not None and not inflater.whole:
        raise Fault(Reason.PROTOCOL_ERROR, "the compressed content is cut off", passing=True)
    return _joined(raw, body, inflater, None)


def _joined(raw: list[bytes], body: list[bytes], inflater: Inflater | None, cut: int | None) -> tuple[bytes, bytes]:
    whole = b"".join(raw)
    if inflater is None:
        return whole, whole if cut is None else whole[:cut]
    raw.clear()
    decoded = b"".join(body)
    return whole, decoded if cut is None else decoded[:cut]


def _zipped(encoding: str) -> bool:
    if encoding in ("", "identity", "none"):
        return False
    if encoding in ("gzip", "x-gzip", "deflate"):
        return True
    raise Fault(Reason.PROTOCOL_ERROR, f"content encoding {encoding[:40]!r}, which was not asked for")
