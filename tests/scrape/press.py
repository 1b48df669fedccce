"""A small press on loopback for the tests: a server in a thread whose answers are a table of functions."""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None] | tuple[int, dict[str, str], bytes] | bytes

PAGE = b"<!doctype html><html><head><title>Ferry back</title></head><body><p>The ferry is back.</p></body></html>"


class Press:
    """`answers` by path; `log` holds (path, time, headers) of every request."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.log: list[tuple[str, float, dict[str, str]]] = []
        press = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                press.log.append((self.path, time.monotonic(), {k.lower(): v for k, v in self.headers.items()}))
                answer = press.answers.get(self.path, (404, {}, b"gone"))
                with contextlib.suppress(ConnectionError):
                    if callable(answer):
                        answer(self)
                        return
                    status, headers, body = (200, {}, answer) if isinstance(answer, bytes) else answer
                    reply(self, status, {"Content-Type": "text/html", **headers}, body)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, *args: Any) -> None:
                pass  # clients that hang up are what the tests are about

        self.server = Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.log]


def reply(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextlib.contextmanager
def serving(answers: dict[str, Answer]) -> Iterator[Press]:
    press = Press(answers)
    thread = threading.Thread(target=press.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield press
    finally:
        press.server.shutdown()
        press.server.server_close()


def versioned(body: bytes, content_type: str = "text/html") -> Answer:
    """A body that is sent with an ETag, and not again to who has it."""
    tag = f'"{zlib.crc32(body):x}"'

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == tag:
            reply(handler, 304, {"ETag": tag}, b"")
        else:
            reply(handler, 200, {"Content-Type": content_type, "ETag": tag}, body)

    return answer
