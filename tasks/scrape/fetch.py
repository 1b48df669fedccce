"""Polite, bounded fetching: every address ends in a whole response or in one Failure, whatever the server does."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import email.utils
import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self
from urllib.parse import urldefrag, urljoin, urlsplit

import httpcore
import httpx
import tenacity

from tasks.discover.address import MAX_ADDRESS, public
from tasks.discover.records import Fetched
from tasks.scrape.decode import DecodeError, Inflater, OverLimit
from tasks.scrape.network import AddressRefused, GuardedTransport, NameUnknown
from tasks.scrape.robots import MAX_ROBOTS_BYTES, Robots, RobotsState, read_robots
from tasks.scrape.warcs import is_html, is_vague
from tasks.settings import ScrapeSettings
from tasks.tables import Failure, Fate, Reason

log = logging.getLogger(__name__)

MAX_WAIT_S = 120.0
"""A server that asks us to come back later than this is not waited for."""
_REDIRECTS = (301, 302, 303, 307, 308)
_SKIPS = (Reason.ROBOTS_DISALLOW, Reason.NOT_HTML)
_NETWORK = (Reason.CONNECT_FAILED, Reason.TIMEOUT, Reason.DNS_FAILED, Reason.TLS_FAILED, Reason.PROTOCOL_ERROR)
_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class _Fault(Exception):
    """Why one request gave nothing. `passing`: another try may do better; `wait_s`: the server asked for that pause."""

    def __init__(self, reason: Reason, detail: str, *, passing: bool = False, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.passing = passing
        self.wait_s = wait_s
        self.tries = 0


@dataclass(slots=True)
class _Host:
    """The queue of one host: one request at a time, `delay_s` after the one before."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0
    delay_s: float = 0.0
    first_at: float | None = None
    faults: int = 0  # network faults since the last answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """One answer of a server: a redirect (`location`) or a whole body."""

    response: httpx.Response
    raw: bytes
    body: bytes
    ip: str | None
    location: str | None


class WebFetcher:
    """The fetcher of one night. Use as an async context manager; `get` may be called from many tasks at once."""

    def __init__(
        self,
        rules: ScrapeSettings,
        *,
        now_fn: Callable[[], dt.datetime],
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules
        self._now = now_fn
        self._agent = rules.user_agent.split("/")[0].split()[0] if rules.user_agent.strip("/ ") else "nightdesk"
        self._hosts: dict[str, _Host] = {}
        self._robots: dict[str, asyncio.Task[Robots]] = {}
        self._slots = asyncio.Semaphore(rules.concurrency)
        # no proxy, .netrc or cookie of the user's goes out; a cookie that is set is forgotten
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(allow=rules.allow_addresses, hosts=8 * rules.concurrency, verify=verify),
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "User-Agent": rules.user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate",
                "Accept-Language": "*",
            },
            timeout=httpx.Timeout(rules.timeout_s, pool=None),
            follow_redirects=False,
            trust_env=False,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._robots.values():
            task.cancel()
        await asyncio.gather(*self._robots.values(), return_exceptions=True)
        await self._client.aclose()

    async def get(self, url: str, *, pages_only: bool = False) -> Fetched | Failure:
        """The response at the end of the address's redirects, if its status is 200.

        With `pages_only` a response that is no HTML is a skip (NOT_HTML), and its body is not downloaded where the
        header says so; a page over the size limit is a failure. Without it (feeds) the body is cut at the limit.
        """
        try:
            return await self._follow(url, pages_only=pages_only, robots=False)
        except Exception as err:  # the one broad catch of the step: a fault of ours costs one address, not the night
            shown = public(url)
            log.exception("fetching %s", shown)
            detail = f"{type(err).__name__}: {err}"[:500]
            return Failure(ref=shown, url=shown, step="scrape", reason=Reason.INTERNAL_ERROR, detail=detail)

    def robots_state(self, url: str) -> RobotsState | None:
        """What was found of the robots.txt that speaks for an address; None while nobody asked."""
        task = self._robots.get(_origin(url))
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result().state

    # ------------------------------------------------------------------- one address

    async def _follow(self, url: str, *, pages_only: bool, robots: bool) -> Fetched | Failure:
        shown = public(url)
        here, attempts = url, 0
        cookies: dict[tuple[str, str], str] = {}  # by host and name; forgotten at the end of the address
        seen: set[tuple[str, str]] = set()
        try:
            for _ in range(self._rules.max_redirects + 1):
                _check(here)
                sent = _cookies_for(here, cookies)
                if (here, sent) in seen:
                    raise _Fault(Reason.TOO_MANY_REDIRECTS, f"redirects in a circle, back to {here}")
                seen.add((here, sent))
                if not robots:
                    says = await self._robots_of(here)
                    if not says.allows(public(here), self._agent):
                        refusal = says.refusal(shown)
                        return self._skip_or_fail(refusal, attempts or refusal.attempts)
                reply, tries = await self._try(here, cookies=sent, pages_only=pages_only, robots=robots)
                attempts = max(attempts, tries)
                if reply.location is None:
                    return self._fetched(shown, here, reply, attempts)
                _keep_cookies(here, reply.response, cookies)
                here = _redirected(here, reply.location)
            raise _Fault(Reason.TOO_MANY_REDIRECTS, f"more than {self._rules.max_redirects} redirects")
        except _Fault as fault:
            tries = fault.tries or attempts
            via = f" (redirected to {public(here)})" if here != url else ""
            failure = Failure(
                ref=shown, url=shown, step="scrape", reason=fault.reason, detail=(fault.detail + via)[:500],
                attempts=tries,
            )  # fmt: skip
            return self._skip_or_fail(failure, tries)

    @staticmethod
    def _skip_or_fail(failure: Failure, attempts: int) -> Failure:
        fate = Fate.SKIPPED if failure.reason in _SKIPS else Fate.FAILED
        return dataclasses.replace(failure, fate=fate, attempts=attempts)

    def _fetched(self, address: str, url: str, reply: _Reply, attempts: int) -> Fetched:
        response = reply.response
        return Fetched(
            address=address,
            url=public(url),
            status=response.status_code,
            phrase=response.reason_phrase,
            headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw),
            raw=reply.raw,
            body=reply.body,
            request_headers=tuple(
                (k.decode("latin-1"), v.decode("latin-1"))
                for k, v in response.request.headers.raw
                if k.lower() not in (b"authorization", b"cookie")
            ),
            protocol="h2" if response.http_version == "HTTP/2" else "http/1.1",
            ip=reply.ip,
            fetched_at=self._now(),
            attempts=attempts,
        )

    # ------------------------------------------------------------------- robots.txt

    async def _robots_of(self, url: str) -> Robots:
        origin = _origin(url)
        if origin not in self._robots:
            self._robots[origin] = asyncio.create_task(self._ask_robots(origin))
        return await asyncio.shield(self._robots[origin])

    async def _ask_robots(self, origin: str) -> Robots:
        got = await self._follow(f"{origin}/robots.txt", pages_only=False, robots=True)
        robots = read_robots(got.body if isinstance(got, Fetched) else got)
        host = self._host(origin)
        host.delay_s = max(host.delay_s, robots.delay_s(self._agent))
        host.next_at = max(host.next_at, asyncio.get_running_loop().time() + host.delay_s)
        return robots

    # ------------------------------------------------------------------- one request

    def _host(self, url: str) -> _Host:
        parts = urlsplit(url)
        standard = parts.port is None or parts.port == {"http": 80, "https": 443}.get(parts.scheme)
        key = (parts.hostname or "") if standard else f"{parts.hostname}:{parts.port}"
        return self._hosts.setdefault(key, _Host(delay_s=self._rules.delay_s))

    async def _try(self, url: str, *, cookies: str, pages_only: bool, robots: bool) -> tuple[_Reply, int]:
        """The server's answer and the number of tries it took; the _Fault of the last try carries its number too."""
        host = self._host(url)
        tries = 0
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._rules.attempts),
            retry=tenacity.retry_if_exception(lambda e: isinstance(e, _Fault) and e.passing),
            wait=self._pause,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    tries += 1
                    reply = await self._in_turn(host, url, cookies=cookies, pages_only=pages_only, robots=robots)
        except _Fault as fault:
            fault.tries = tries
            if fault.reason in _NETWORK:
                host.faults += 1
            raise
        host.faults = 0
        return reply, tries

    def _pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, _Fault) else None
        backoff = self._rules.retry_wait_s * 2.0 ** (state.attempt_number - 1)
        return max(asked or 0.0, min(backoff, MAX_WAIT_S) * random.uniform(0.8, 1.2))

    async def _in_turn(self, host: _Host, url: str, *, cookies: str, pages_only: bool, robots: bool) -> _Reply:
        """One request when it is the address's turn at its host."""
        loop = asyncio.get_running_loop()
        async with host.lock:
            if host.faults >= self._rules.host_faults:
                raise _Fault(
                    Reason.CONNECT_FAILED, f"the host gave no answer {host.faults} times running: not asked again"
                )
            host.first_at = loop.time() if host.first_at is None else host.first_at
            wait = max(0.0, host.next_at - loop.time())
            if loop.time() + wait - host.first_at > self._rules.host_time_s:
                raise _Fault(
                    Reason.TIMEOUT, f"the host's time for one night ({self._rules.host_time_s:.0f} s) is used up: "
                    f"its pause is {host.delay_s:.1f} s"
                )  # fmt: skip
            await asyncio.sleep(wait)
            try:
                async with self._slots:
                    return await self._ask(url, cookies=cookies, pages_only=pages_only, robots=robots)
            except _Fault as fault:
                if fault.wait_s is not None and fault.passing:
                    host.next_at = loop.time() + fault.wait_s
                raise
            finally:
                host.next_at = max(host.next_at, loop.time() + host.delay_s)

    async def _ask(self, url: str, *, cookies: str, pages_only: bool, robots: bool) -> _Reply:
        try:
            async with asyncio.timeout(self._rules.total_timeout_s):
                request = self._client.build_request("GET", url, headers={"Cookie": cookies} if cookies else None)
                response = await self._client.send(request, stream=True)
                try:
                    return await self._read(response, pages_only=pages_only, robots=robots)
                finally:
                    await response.aclose()
        except (TimeoutError, httpcore.TimeoutException) as err:
            raise _Fault(Reason.TIMEOUT, _timeout_text(err, self._rules), passing=True) from err
        except AddressRefused as err:
            raise _Fault(Reason.ADDRESS_REFUSED, str(err)) from err
        except NameUnknown as err:
            raise _Fault(Reason.DNS_FAILED, str(err), passing=err.passing) from err
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol) as err:
            raise _Fault(Reason.ADDRESS_REFUSED, f"not a web address: {err}") from err
        except httpcore.ConnectError as err:
            if _caused_by(err, ssl.SSLError):
                raise _Fault(Reason.TLS_FAILED, f"no secure connection: {err}") from err
            raise _Fault(Reason.CONNECT_FAILED, f"no connection: {err}", passing=True) from err
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError, ssl.SSLError, OSError) as err:
            text = f"{type(err).__name__}: {err}"
            raise _Fault(Reason.PROTOCOL_ERROR, f"the answer broke off or is no HTTP: {text}", passing=True) from err

    async def _read(self, response: httpx.Response, *, pages_only: bool, robots: bool) -> _Reply:
        """The body within its limits. Raises _Fault for a status that gives no page, and for a body over the limits."""
        status = response.status_code
        location = response.headers.get("location")
        stream = response.extensions.get("network_stream")
        server = stream.get_extra_info("server_addr") if stream is not None else None
        ip = str(server[0]) if server else None
        if status in _REDIRECTS and location:
            return _Reply(response=response, raw=b"", body=b"", ip=ip, location=location)
        if status != 200:
            raise _status_fault(status, response.headers.get("retry-after"), self._now())
        stated = response.headers.get("content-type", "")
        if pages_only and not is_html(stated, b"") and not is_vague(stated):
            raise _Fault(Reason.NOT_HTML, f"content type {stated[:100]}")
        # robots.txt and feeds are read as far as the limit goes, a page whole or not at all
        cut = MAX_ROBOTS_BYTES if robots else None if pages_only else self._rules.max_bytes
        raw, body = await _bounded_body(response, limit=2 * cut if cut else self._rules.max_bytes, cut=cut)
        if pages_only and not is_html(stated, body):
            raise _Fault(Reason.NOT_HTML, f"content type {stated[:100] or 'not given'}")
        return _Reply(response=response, raw=raw, body=body, ip=ip, location=None)


async def _bounded_body(response: httpx.Response, *, limit: int, cut: int | None) -> tuple[bytes, bytes]:
    """(the body as sent, the body decoded). A body over `limit` bytes is a _Fault; with `cut` it ends there instead."""
    stated = response.headers.get("content-length", "")
    if cut is None and stated.isdigit() and int(stated[:18]) > limit:
        raise _Fault(Reason.TOO_LARGE, f"{stated[:18]} bytes, over the limit of {limit}")
    encoding = response.headers.get("content-encoding", "").strip().lower()
    inflater = Inflater("deflate" if encoding == "deflate" else "gzip", limit=limit) if _zipped(encoding) else None
    raw, body = bytearray(), bytearray()
    try:
        async for part in response.aiter_raw():
            raw += part
            body += inflater.feed(part) if inflater else part
            if cut is not None and len(body) >= cut:
                return bytes(raw), bytes(body[:cut])
            if max(len(raw), len(body)) > limit:
                raise _Fault(Reason.TOO_LARGE, f"over the limit of {limit} bytes")
    except OverLimit as err:
        if cut is not None:
            return bytes(raw), bytes(body[:cut])
        raise _Fault(Reason.TOO_LARGE, str(err)) from err
    except DecodeError as err:
        raise _Fault(Reason.PROTOCOL_ERROR, str(err)) from err
    if inflater is not None and not inflater.whole:
        raise _Fault(Reason.PROTOCOL_ERROR, "the compressed content is cut off", passing=True)
    return bytes(raw), bytes(body)


def _zipped(encoding: str) -> bool:
    if encoding in ("", "identity", "none"):
        return False
    if encoding in ("gzip", "x-gzip", "deflate"):
        return True
    raise _Fault(Reason.PROTOCOL_ERROR, f"content encoding {encoding[:40]!r}, which was not asked for")


def _check(url: str) -> None:
    """Raises _Fault for what is no http(s) address."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= MAX_ADDRESS
        good = good and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise _Fault(Reason.ADDRESS_REFUSED, f"not an address of the web: {public(url)[:200]}")


def _redirected(url: str, location: str) -> str:
    """Where a Location header leads: in ASCII, without a fragment, and without a user name, which is the server's."""
    try:
        return public(str(httpx.URL(urldefrag(urljoin(url, location)).url)))
    except (ValueError, httpx.InvalidURL) as err:
        raise _Fault(Reason.ADDRESS_REFUSED, f"redirected to what is no address: {location[:200]!r}") from err


def _cookies_for(url: str, cookies: dict[tuple[str, str], str]) -> str:
    host = urlsplit(url).hostname or ""
    return "; ".join(f"{name}={value}" for (owner, name), value in cookies.items() if owner == host)


def _keep_cookies(url: str, response: httpx.Response, cookies: dict[tuple[str, str], str]) -> None:
    """Cookies set with a redirect, for the rest of its chain: many sites lead in a circle who does not keep them."""
    host = urlsplit(url).hostname or ""
    for header in response.headers.get_list("set-cookie")[:20]:
        name, equals, value = header.partition(";")[0].partition("=")
        if equals and len(name) + len(value) < 4096 and len(cookies) < 50 and (name + value).isascii():
            cookies[host, name.strip()] = value.strip()


def _origin(url: str) -> str:
    parts = urlsplit(public(url))
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False


def _timeout_text(error: Exception, rules: ScrapeSettings) -> str:
    if isinstance(error, httpcore.ConnectTimeout):
        return f"no connection within {rules.timeout_s:g} s"
    if isinstance(error, httpcore.TimeoutException):
        return f"nothing came for {rules.timeout_s:g} s"
    return f"not done within {rules.total_timeout_s:g} s"


def _status_fault(status: int, retry_after: str | None, now: dt.datetime) -> _Fault:
    detail = f"HTTP status {status}"
    if status in (404, 410):
        return _Fault(Reason.HTTP_GONE, detail)
    passing = status in (408, 425, 429, 500, 502, 503, 504)
    wait_s = _seconds(retry_after, now) if passing else None
    if wait_s is not None and wait_s > MAX_WAIT_S:
        passing = False
        detail += f", come back in {wait_s:.0f} s"
    if 400 <= status < 500:
        return _Fault(Reason.HTTP_REFUSED, detail, passing=passing, wait_s=wait_s)
    if status >= 500:
        return _Fault(Reason.HTTP_SERVER_ERROR, detail, passing=passing, wait_s=wait_s)
    return _Fault(Reason.HTTP_OTHER_STATUS, detail)


def _seconds(retry_after: str | None, now: dt.datetime) -> float | None:
    """A Retry-After header, seconds or a date (RFC 9110 section 10.2.3), as seconds from now."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after.strip()[:9])
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
    return max(0.0, (when - now).total_seconds())
