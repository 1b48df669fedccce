"""The web page over the tables, served until interrupted."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from tasks.report.explore import explore_app


class ExploreError(Exception):
    """The page cannot be served; the message says why and what to do."""


def serve_pages(root: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the tables at `root` on `host` and `port` (0: a free one). Raises ExploreError if the port is taken."""
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
        shown = f"[{where}]" if where.version == 6 else str(where)
        say(f"http://{shown}:{listener.getsockname()[1]}/ shows the tables at {root}; Ctrl-C ends it")
        if not where.is_loopback:
            say("Everyone who can reach this address can read the tables: there is no login.")
        app = explore_app(root, hosts=None if where.is_loopback else ["*"])
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
