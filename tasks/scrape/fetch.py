"""Polite, bounded fetching: every address ends in a whole response or in one Failure, whatever the server does."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import logging
import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpcore
import httpx
import tenacity

from tasks.discover.address import public
from tasks.discover.records import Fetched, Validators
from tasks.scrape.answers import (
    BUSY,
    LARGE_BODIES,
    MAX_QUIET_S,
    MAX_WAIT_S,
    PERMANENT,
    REDIRECTS,
    Cookies,
    Fault,
    bounded_body,
    check_address,
    redirected,
    status_fault,
)
from tasks.scrape.network import AddressRefused, GuardedTransport, NameUnknown
from tasks.scrape.pace import Host, host_key
from tasks.scrape.rights import TDMREP_PATH, reserved_in_body, reserved_in_headers, reserved_in_tdmrep
from tasks.scrape.robots import MAX_ROBOTS_BYTES, Robots, RobotsState, read_robots
from tasks.scrape.warcs import is_html, is_vague
from tasks.settings import ScrapeSettings
from tasks.tables import Failure, Fate, Reason

log = logging.getLogger(__name__)

MOST_STRIKES = 2
"""Answers 429 or 503 running after which a long Retry-After is taken to speak for the whole host, not for a page."""
HEAVY_ROBOTS_BYTES = 20_000
"""From here on a robots.txt is parsed and asked in a thread."""
ROBOTS_REDIRECTS = 5
"""Followed for a robots.txt at the least (RFC 9309 section 2.3.1.2)."""
_SKIPS = (Reason.ROBOTS_DISALLOW, Reason.NOT_HTML, Reason.RIGHTS_RESERVED)
_NETWORK = (Reason.CONNECT_FAILED, Reason.TIMEOUT, Reason.DNS_FAILED, Reason.TLS_FAILED, Reason.PROTOCOL_ERROR)
_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """How an address is asked for. `pages_only`: what is no HTML is a skip. `robots`: it is a robots.txt itself."""

    pages_only: bool
    robots: bool = False
    known: Validators | None = None


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
        quiet: Mapping[str, dt.datetime] | None = None,
    ) -> None:
        """`quiet`: hosts that asked, in an earlier night, to be left alone until then."""
        self._rules = rules
        self._now = now_fn
        self._agent = rules.user_agent.split("/")[0].split()[0] if rules.user_agent.strip("/ ") else "nightdesk"
        self._hosts: dict[str, Host] = {}
        self._quiet = dict(quiet or {})
        self._robots: dict[str, asyncio.Task[Robots]] = {}
        self._tdmrep: dict[str, asyncio.Task[Fetched | Failure]] = {}
        self._slots = asyncio.Semaphore(rules.concurrency)
        self._large = asyncio.Semaphore(LARGE_BODIES)
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
        tasks = [*self._robots.values(), *self._tdmrep.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def get(
        self, url: str, *, pages_only: bool = False, known: Validators | None = None, at: str | None = None
    ) -> Fetched | Failure:
        """The response at the end of the address's redirects, if its status is 200, or 304 where `known` was given.

        With `pages_only` a response that is no HTML is a skip (NOT_HTML), and its body is not downloaded where the
        header says so; a page over the size limit is a failure. Without it (feeds) the body is cut at the limit.
        `at` is where the address is known to have moved to for good.
        """
        try:
            return await self._follow(url, at or url, _Wanted(pages_only=pages_only, known=known))
        except Exception as err:  # the one broad catch of the step: a fault of ours costs one address, not the night
            shown = public(url)
            log.exception("fetching %s", shown)
            detail = f"{type(err).__name__}: {err}"[:500]
            return Failure(ref=shown, url=shown, step="scrape", reason=Reason.INTERNAL_ERROR, detail=detail)

    def quiet_hosts(self) -> dict[str, dt.datetime]:
        """Hosts that asked to be left alone, and until when."""
        asked = {key: host.quiet_until for key, host in self._hosts.items() if host.quiet_until is not None}
        return {key: until for key, until in (self._quiet | asked).items() if until > self._now()}

    def robots_state(self, url: str) -> RobotsState | None:
        """What was found of the robots.txt that speaks for an address; None while nobody asked."""
        task = self._robots.get(_origin(url))
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result().state

    # ------------------------------------------------------------------- one address

    async def _follow(self, url: str, start: str, wanted: _Wanted) -> Fetched | Failure:
        shown = public(url)
        here, attempts, moved = start, 0, True
        cookies = Cookies()  # forgotten at the end of the address
        seen: set[tuple[str, str]] = set()
        most = self._rules.max_redirects if not wanted.robots else max(self._rules.max_redirects, ROBOTS_REDIRECTS)
        try:
            for _ in range(most + 1):
                check_address(here)
                sent = cookies.sent_to(here)
                if (here, sent) in seen:
                    raise Fault(Reason.TOO_MANY_REDIRECTS, f"redirects in a circle, back to {public(here)}")
                seen.add((here, sent))
                if not wanted.robots:
                    says = await self._robots_of(here)
                    if not await self._allows(says, public(here)):
                        refusal = says.refusal(shown)
                        return self._skip_or_fail(refusal, attempts or refusal.attempts)
                if wanted.pages_only and "tdm" in self._rules.obey_rights:
                    await self._check_tdmrep(here)
                reply, tries = await self._try(here, wanted, cookies=sent)
                attempts = max(attempts, tries)
                if reply.location is None:
                    return self._fetched(shown, here, reply, attempts, moved=moved and public(here) != shown)
                cookies.keep(here, reply.response)
                moved = moved and reply.response.status_code in PERMANENT
                here = redirected(here, reply.location)
            raise Fault(Reason.TOO_MANY_REDIRECTS, f"more than {most} redirects")
        except Fault as fault:
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

    def _fetched(self, address: str, url: str, reply: _Reply, attempts: int, *, moved: bool) -> Fetched:
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
            moved=moved,
        )

    # ------------------------------------------------------------------- robots.txt

    async def _robots_of(self, url: str) -> Robots:
        origin = _origin(url)
        if origin not in self._robots:
            self._robots[origin] = asyncio.create_task(self._ask_robots(origin))
        return await asyncio.shield(self._robots[origin])

    async def _ask_robots(self, origin: str) -> Robots:
        where = f"{origin}/robots.txt"
        got = await self._follow(where, where, _Wanted(pages_only=False, robots=True))
        if isinstance(got, Fetched) and len(got.body) > HEAVY_ROBOTS_BYTES:
            robots = await asyncio.to_thread(read_robots, got.body)
        else:
            robots = read_robots(got.body if isinstance(got, Fetched) else got)
        host = self._host(origin)
        host.floor_s = max(host.floor_s, robots.delay_s(self._agent))
        host.next_at = max(host.next_at, asyncio.get_running_loop().time() + host.delay_s)
        return robots

    async def _check_tdmrep(self, url: str) -> None:
        """Raises Fault where the site's tdmrep.json reserves the page. Without one, nothing is reserved."""
        origin = _origin(url)
        if origin not in self._tdmrep:
            where = f"{origin}{TDMREP_PATH}"
            self._tdmrep[origin] = asyncio.create_task(self._follow(where, where, _Wanted(pages_only=False)))
        got = await asyncio.shield(self._tdmrep[origin])
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if isinstance(got, Fetched) and reserved_in_tdmrep(got.body, path):
            raise Fault(Reason.RIGHTS_RESERVED, f"{TDMREP_PATH} reserves text and data mining", asked=False)

    async def _allows(self, robots: Robots, url: str) -> bool:
        """A robots.txt of thousands of wildcards must not hold up the other hosts."""
        if robots.size > HEAVY_ROBOTS_BYTES:
            return await asyncio.to_thread(robots.allows, url, self._agent)
        return robots.allows(url, self._agent)

    # ------------------------------------------------------------------- one request

    def _host(self, url: str) -> Host:
        key = host_key(url)
        host = self._hosts.get(key)
        if host is None:
            host = Host(floor_s=self._rules.delay_s, most_s=self._rules.max_delay_s, quiet_until=self._quiet.get(key))
            self._hosts[key] = host
        return host

    async def _try(self, url: str, wanted: _Wanted, *, cookies: str) -> tuple[_Reply, int]:
        """The server's answer and the number of tries it took; the Fault of the last try carries its number too."""
        host = self._host(url)
        tries = 0
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._rules.attempts),
            retry=tenacity.retry_if_exception(lambda e: isinstance(e, Fault) and e.passing),
            wait=self._pause,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    tries += 1
                    reply = await self._in_turn(host, url, wanted, cookies=cookies)
        except Fault as fault:
            fault.tries = tries if fault.asked else tries - 1
            if fault.asked and fault.reason in _NETWORK:
                host.faults += 1
            raise
        host.faults = 0
        return reply, tries

    def _pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, Fault) else None
        backoff = self._rules.retry_wait_s * 2.0 ** (state.attempt_number - 1)
        return max(asked or 0.0, min(backoff, MAX_WAIT_S) * random.uniform(0.8, 1.2))

    async def _in_turn(self, host: Host, url: str, wanted: _Wanted, *, cookies: str) -> _Reply:
        """One request when it is the address's turn at its host."""
        loop = asyncio.get_running_loop()
        async with host.lock:
            self._check_host(host)
            host.first_at = loop.time() if host.first_at is None else host.first_at
            wait = max(0.0, host.next_at - loop.time())
            if loop.time() + wait - host.first_at > self._rules.host_time_s:
                raise Fault(
                    Reason.TIMEOUT, f"the host's time for one night ({self._rules.host_time_s:.0f} s) is used up: "
                    f"its pause is {host.delay_s:.1f} s", asked=False,
                )  # fmt: skip
            await asyncio.sleep(wait)
            try:
                queued_at = loop.time()
                async with self._slots:
                    host.first_at += loop.time() - queued_at  # the others' time, not the host's
                    return await self._ask(host, url, wanted, cookies=cookies)
            except Fault as fault:
                if fault.busy:
                    host.refused()
                if fault.wait_s is not None and fault.passing:
                    host.next_at = loop.time() + fault.wait_s
                elif fault.wait_s is not None and host.strikes >= MOST_STRIKES:
                    host.quiet_until = self._now() + dt.timedelta(seconds=min(fault.wait_s, MAX_QUIET_S))
                raise
            finally:
                host.next_at = max(host.next_at, loop.time() + host.delay_s)

    def _check_host(self, host: Host) -> None:
        """Raises Fault where the host is not to be asked any more."""
        if host.faults >= self._rules.host_faults:
            raise Fault(Reason.CONNECT_FAILED, f"the host gave no answer {host.faults} times running: not asked again")
        if host.quiet_until is not None and self._now() < host.quiet_until:
            raise Fault(
                Reason.HTTP_REFUSED, f"the host asked to be left alone until {host.quiet_until:%Y-%m-%d %H:%M} UTC",
                asked=False,
            )  # fmt: skip

    async def _ask(self, host: Host, url: str, wanted: _Wanted, *, cookies: str) -> _Reply:
        headers = {"Cookie": cookies} if cookies else {}
        if wanted.known is not None and wanted.known.etag:
            headers["If-None-Match"] = wanted.known.etag
        if wanted.known is not None and wanted.known.last_modified:
            headers["If-Modified-Since"] = wanted.known.last_modified
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._rules.total_timeout_s):
                request = self._client.build_request("GET", url, headers=headers)
                asked_at = loop.time()
                response = await self._client.send(request, stream=True)
                if response.status_code not in BUSY:
                    host.answered(loop.time() - asked_at)
                try:
                    return await self._read(response, wanted)
                finally:
                    await response.aclose()
        except (TimeoutError, httpcore.TimeoutException) as err:
            raise Fault(Reason.TIMEOUT, _timeout_text(err, self._rules), passing=True) from err
        except AddressRefused as err:
            raise Fault(Reason.ADDRESS_REFUSED, str(err)) from err
        except NameUnknown as err:
            raise Fault(Reason.DNS_FAILED, str(err), passing=err.passing) from err
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol) as err:
            raise Fault(Reason.ADDRESS_REFUSED, f"not a web address: {err}") from err
        except httpcore.ConnectError as err:
            if _caused_by(err, ssl.SSLError):
                raise Fault(Reason.TLS_FAILED, f"no secure connection: {err}") from err
            raise Fault(Reason.CONNECT_FAILED, f"no connection: {err}", passing=True) from err
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError, ssl.SSLError, OSError) as err:
            text = f"{type(err).__name__}: {err}"
            raise Fault(Reason.PROTOCOL_ERROR, f"the answer broke off or is no HTTP: {text}", passing=True) from err

    async def _read(self, response: httpx.Response, wanted: _Wanted) -> _Reply:
        """The body within its limits. Raises Fault for a status that gives no page, and for a body over the limits."""
        status = response.status_code
        location = response.headers.get("location")
        stream = response.extensions.get("network_stream")
        server = stream.get_extra_info("server_addr") if stream is not None else None
        ip = str(server[0]) if server else None
        if status in REDIRECTS and location:
            return _Reply(response=response, raw=b"", body=b"", ip=ip, location=location)
        if status == 304 and wanted.known is not None:
            return _Reply(response=response, raw=b"", body=b"", ip=ip, location=None)
        if status != 200:
            raise status_fault(status, response.headers.get("retry-after"), self._now())
        stated = response.headers.get("content-type", "")
        if wanted.pages_only and not is_html(stated, b"") and not is_vague(stated):
            raise Fault(Reason.NOT_HTML, f"content type {stated[:100]}")
        obeyed = frozenset(self._rules.obey_rights) if wanted.pages_only else frozenset()
        _check_rights(reserved_in_headers(response.headers.multi_items(), self._agent) & obeyed)
        # robots.txt and feeds are read as far as the limit goes, a page whole or not at all
        most = self._rules.max_bytes
        cut = MAX_ROBOTS_BYTES if wanted.robots else None if wanted.pages_only else most
        raw, body = await bounded_body(response, limit=2 * cut if cut else most, cut=cut, large=self._large)
        if wanted.pages_only and not is_html(stated, body):
            raise Fault(Reason.NOT_HTML, f"content type {stated[:100] or 'not given'}")
        if obeyed:
            _check_rights(reserved_in_body(body, self._agent) & obeyed)
        return _Reply(response=response, raw=raw, body=body, ip=ip, location=None)


def _check_rights(reserved: frozenset[str]) -> None:
    """Raises Fault for a page that reserves what the settings obey."""
    if reserved:
        raise Fault(Reason.RIGHTS_RESERVED, f"the page states {', '.join(sorted(reserved))}")


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
