"""How far a run is: a live bar a step on a terminal, plain lines elsewhere, nothing where a script wants silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Rich

from flows.engine import Advance, Progress

LINE_EVERY_S = 30.0
"""On a log, a step that takes longer says so this often."""


class Bars:
    """Rich bars on standard error."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open: Rich | None = None  # a step within a step adds its bar to the outer one's

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Advance]:
        if self._open is not None:
            yield self._bar(self._open, name, total)
            return
        columns: list[Any] = [TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn()]
        columns += [TimeElapsedColumn(), TimeRemainingColumn()]
        with Rich(*columns, console=self._console) as bars:
            self._open = bars
            try:
                yield self._bar(bars, name, total)
            finally:
                self._open = None

    def _bar(self, bars: Rich, name: str, total: int) -> Advance:
        bar = bars.add_task(name, total=total)

        def advance(n: int, total: int | None = None) -> None:
            if total is not None:
                bars.update(bar, total=total)
            bars.update(bar, advance=n)

        return advance


class Lines:
    """One line when a step ends, and one now and then while it lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Advance]:
        begun = last = time.monotonic()
        done, wanted = 0, total

        def advance(n: int, total: int | None = None) -> None:
            nonlocal done, last, wanted
            done += n
            wanted = total or wanted
            if time.monotonic() - last > LINE_EVERY_S:
                last = time.monotonic()
                self._say(f"{name}: {done} of {wanted} after {last - begun:.0f} s")

        yield advance
        self._say(f"{name}: {done} of {wanted} in {time.monotonic() - begun:.1f} s")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class Silence:
    """Shows nothing."""

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Advance]:
        yield lambda n, total=None: None


def progress(*, quiet: bool = False) -> Progress:
    """Bars where standard error is a terminal, else lines; nothing if quiet."""
    if quiet:
        return Silence()
    console = Console(stderr=True)
    return Bars(console) if sys.stderr.isatty() else Lines(console)
