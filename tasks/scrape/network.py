"""Connections that lead only where they may: the address is checked when connecting, on the number it resolved to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpcore
import httpx

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_TRIES = 3
"""Addresses of one host that are tried, one after the other."""


class AddressRefused(Exception):
    """The host leads to an address that may not be fetched from."""


class NameUnknown(Exception):
    """The host's name leads to no address. `passing` says that the resolver may know it later."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


def _inner(ip: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip


def permitted(ip: IpAddress, allow: Sequence[IpNetwork]) -> bool:
    """Whether an address may be fetched from: a public one, or one that the settings open by its network."""
    inner = _inner(ip)
    if any(a in net for a in (ip, inner) for net in allow if a.version == net.version):
        return True
    return ip.is_global and inner.is_global and not ip.is_multicast and not inner.is_multicast and not inner.is_reserved


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a host once, checks every address it got, and connects to a checked address, not to the name.

    So a name that resolves differently a moment later, or a redirect to one, leads nowhere else.
    """

    def __init__(self, allow: Iterable[str]) -> None:
        self._allow = [ipaddress.ip_network(cidr) for cidr in allow]
        self._connect = httpcore.AnyIOBackend()
        self._resolver = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port, timeout)
        good = [a for a in addresses if permitted(a, self._allow)]
        if not good:
            raise AddressRefused(
                f"{host} leads to {addresses[0]}, an address that is not public; --allow-address opens its network"
            )
        for last, address in enumerate(good[:_TRIES], start=1 - min(len(good), _TRIES)):
            try:
                return await self._connect.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last == 0:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _resolve(self, host: str, port: int, timeout: float | None) -> list[IpAddress]:
        try:
            return [ipaddress.ip_address(host.strip("[]"))]
        except ValueError:
            pass  # a name
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                found = await loop.run_in_executor(
                    self._resolver, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                )
        except TimeoutError as err:
            raise NameUnknown(f"the name {host} was not resolved in {timeout} s", passing=True) from err
        except socket.gaierror as err:
            passing = err.errno == socket.EAI_AGAIN
            raise NameUnknown(f"the name {host} cannot be resolved: {err.strerror}", passing=passing) from err
        except (UnicodeError, ValueError) as err:
            raise NameUnknown(f"{host[:100]!r} is not a host name", passing=False) from err
        return [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("a socket file is not fetched from")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def close(self) -> None:
        self._resolver.shutdown(wait=False, cancel_futures=True)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts: AsyncIterable[bytes] = self._stream
        async for part in parts:
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx over connections of a GuardedBackend, HTTP/1.1 or 2. httpcore's exceptions come through as they are."""

    def __init__(self, *, allow: Iterable[str], hosts: int, verify: ssl.SSLContext | None = None) -> None:
        self._backend = GuardedBackend(allow)
        self._verify = verify or httpx.create_ssl_context(trust_env=False)
        self._most = hosts
        self._pools: OrderedDict[tuple[bytes, bytes, int | None], httpcore.AsyncConnectionPool] = OrderedDict()

    async def _pool(self, url: httpx.URL) -> httpcore.AsyncConnectionPool:
        """The connections of one origin. One pool for all would look through every connection at every request, and
        close those of the other hosts to stay within its number."""
        key = (url.raw_scheme, url.raw_host, url.port)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = httpcore.AsyncConnectionPool(
                ssl_context=self._verify, max_connections=4, keepalive_expiry=30, http1=True, http2=True,
                network_backend=self._backend,
            )  # fmt: skip
        self._pools.move_to_end(key)
        if len(self._pools) > self._most:
            idle = next((k for k, p in self._pools.items() if all(c.is_idle() for c in p.connections)), key)
            if idle != key:
                await self._pools.pop(idle).aclose()
        return pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        assert isinstance(request.stream, httpx.AsyncByteStream)
        pool = await self._pool(url)
        response = await pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()
        self._backend.close()
