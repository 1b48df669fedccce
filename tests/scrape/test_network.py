"""Which addresses may be fetched from, and that the address that was checked is the one connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from tasks.discover.records import Fetched
from tasks.scrape.network import permitted
from tasks.tables import Failure, Reason
from tests.scrape.press import PAGE, serving
from tests.scrape.test_fetch import failed, fetched, get


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("0.0.0.0", False), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("192.0.2.1", False),
        ("224.0.0.1", False), ("240.0.0.1", False), ("255.255.255.255", False), ("::", False), ("::1", False),
        ("fe80::1", False), ("fc00::1", False), ("fd12:3456::1", False), ("ff02::1", False), ("2001:db8::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
    ],
)  # fmt: skip
def test_permitted_opens_public_addresses_only(address: str, expected: bool) -> None:
    assert permitted(ipaddress.ip_address(address), []) is expected


@pytest.mark.parametrize(
    ("address", "network", "expected"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.1", "127.0.0.1/32", True),
        ("127.0.0.2", "127.0.0.1/32", False),
        ("::1", "127.0.0.0/8", False),
        ("::1", "::1/128", True),
        ("::ffff:127.0.0.1", "127.0.0.0/8", True),
        ("10.0.0.1", "127.0.0.0/8", False),
    ],
)
def test_permitted_opens_the_very_network_of_the_setting(address: str, network: str, expected: bool) -> None:
    assert permitted(ipaddress.ip_address(address), [ipaddress.ip_network(network)]) is expected


class Resolver:
    """Stands for the system's: each call gives the next of its answers, the last one again and again."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.calls = 0

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        answer = self.answers[min(self.calls, len(self.answers) - 1)]
        self.calls += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answer]


def ask(monkeypatch: pytest.MonkeyPatch, resolver: Resolver, port: int, *allow: str) -> Fetched | Failure:
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    try:
        return get(f"http://post.example:{port}/a", allow_addresses=list(allow), attempts=1)[0]
    finally:
        monkeypatch.undo()


def test_get_connects_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/a": PAGE}) as press:
        port = press.server.server_port
        resolver = Resolver(["127.0.0.1"])
        got = fetched(ask(monkeypatch, resolver, port, "127.0.0.1/32"))
        assert (got.ip, got.url) == ("127.0.0.1", f"http://post.example:{port}/a")
        assert press.log[0][2]["host"] == f"post.example:{port}"
        press.log.clear()
        # a name that changes its mind: public when it is checked, loopback a moment later
        changing = Resolver(["127.0.0.2"], ["127.0.0.1"])
        assert failed(ask(monkeypatch, changing, port, "127.0.0.2/32")).reason == Reason.CONNECT_FAILED
        assert press.log == []


def test_get_leaves_out_the_private_ones_of_a_hosts_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/a": PAGE}) as press:
        port = press.server.server_port
        both = Resolver(["169.254.169.254", "10.0.0.1", "127.0.0.1"])
        assert fetched(ask(monkeypatch, both, port, "127.0.0.1/32")).ip == "127.0.0.1"
        got = failed(ask(monkeypatch, Resolver(["10.0.0.1", "169.254.169.254"]), port, "127.0.0.1/32"))
    assert got.reason == Reason.ADDRESS_REFUSED
    assert "10.0.0.1" in got.detail


def test_get_tries_the_next_address_when_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/a": PAGE}) as press:
        got = ask(monkeypatch, Resolver(["127.0.0.9", "127.0.0.1"]), press.server.server_port, "127.0.0.0/8")
    assert fetched(got).ip == "127.0.0.1"


def test_get_ends_when_the_resolver_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    def silent(*_: Any, **__: Any) -> list[Any]:
        time.sleep(4)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    started = time.monotonic()
    got = failed(asyncio.run(_one("http://post.example/a")))
    assert got.reason == Reason.DNS_FAILED
    assert time.monotonic() - started < 3.8


async def _one(url: str) -> Fetched | Failure:
    from tasks.scrape.fetch import WebFetcher
    from tests.scrape.test_fetch import NOW, rules

    async with WebFetcher(rules(timeout_s=0.3, attempts=1), now_fn=lambda: NOW) as fetcher:
        return await fetcher.get(url)
