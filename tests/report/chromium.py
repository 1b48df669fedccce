"""A real Chromium for tests: what a page does wrong is written down, and axe judges it.

The browser is the system's own (Debian's package chromium), driven by Playwright, which downloads none.
"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE, DESK = (390, 844), (1280, 900)


def found() -> str | None:
    """Where the system's Chromium lies, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=found(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """A web application on a free port of loopback, in a thread of its own; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@dataclass
class Visit:
    """A page, and all that went wrong on it since it was opened."""

    page: Any
    faults: list[str] = field(default_factory=list)


@contextmanager
def visit(chromium: Any, *, dark: bool = False, size: tuple[int, int] = DESK) -> Iterator[Visit]:
    """A fresh page; at its end there must have been no console error, no dialog and no request off the machine."""
    width, height = size
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(15_000)
    seen = Visit(context.new_page())
    page, faults = seen.page, seen.faults
    page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda err: faults.append(f"script: {err}"))
    page.on("dialog", lambda d: (faults.append(f"dialog: {d.message}"), d.dismiss()))
    local = ("file:", "data:", "http://127.0.0.1:")
    page.on("request", lambda r: None if r.url.startswith(local) else faults.append(f"asked: {r.url}"))
    try:
        yield seen
    finally:
        context.close()
    assert faults == []


def judged(page: Any) -> list[str]:
    """What axe finds of serious or critical faults, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{v['impact']} {v['id']}: {n['html'][:200]}"
        for v in found if v["impact"] in ("serious", "critical") for n in v["nodes"]
    ]  # fmt: skip


def fits(page: Any) -> bool:
    """Whether the page as a whole need not be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
