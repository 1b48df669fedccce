"""The web page over the tables, served until interrupted."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from tasks.report.check_page import check_app
from tasks.report.explore import explore_app

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ExploreError(Exception):
    """The page cannot be served; the message says why and what to do."""


def serve_pages(root: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the tables at `root` on `host` and `port` (0: a free one). Raises ExploreError if the port is taken."""
    with _listening(host, port) as (listener, where):
        say(f"{_address(listener, where)} shows the tables at {root}; Ctrl-C ends it")
        if not where.is_loopback:
            say("Everyone who can reach this address can read the tables: there is no login.")
        _serve(explore_app(root, hosts=None if where.is_loopback else ["*"]), listener)


def serve_check(root: Path, check: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the labelling page of a check on loopback. Raises ExploreError if the port is taken."""
    with _listening("127.0.0.1", port) as (listener, where):
        say(f"{_address(listener, where)} asks for your verdicts; each is kept at once. Ctrl-C ends it")
        _serve(check_app(root, check), listener)


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, Address]]:
    try:
        where = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise ExploreError(
            f"--host {host!r} is no address: give 127.0.0.1, or 0.0.0.0 to open it to the network"
        ) from None
    with socket.socket(socket.AF_INET6 if where.version == 6 else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((str(where), port))
        except OSError as err:
            raise ExploreError(
                f"cannot listen on {where} port {port} ({err.strerror}): give another with --port"
            ) from err
        yield listener, where


def _address(listener: socket.socket, where: Address) -> str:
    shown = f"[{where}]" if where.version == 6 else str(where)
    return f"http://{shown}:{listener.getsockname()[1]}/"


def _serve(app: Starlette, listener: socket.socket) -> None:
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])
