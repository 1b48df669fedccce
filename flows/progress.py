"""How far a run is: a live line a step on a terminal, plain lines elsewhere, nothing where a script wants silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Rich
from rich.text import Text

from flows.engine import Advance, Progress

LINE_EVERY_S = 30.0
"""On a log, a step that takes longer says so this often."""
UNITS = {"discover": "outlets", "fetch": "pages", "plan": "paths", "clean": "inputs", "extract": "articles"}
"""What a step counts; the others are one piece of work, of which only the time is told."""


def rate(done: float, seconds: float) -> str:
    """How fast: 31/s, 2.4/s, and below one a second 14/min."""
    speed = done / seconds if seconds > 0 else 0.0
    if 0 < speed < 1:
        return f"{60 * speed:.2g}/min"
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"


def duration(seconds: float) -> str:
    """4.2 s, 75 s, 12 min, 3 h 20 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def told(name: str, done: int, total: int | None, seconds: float, *, ended: bool) -> str:
    """A step in words: how much, how fast, and while it lasts how long still."""
    unit = UNITS.get(name)
    if unit is None:
        return duration(seconds)
    if ended:
        return f"{done:,} {unit} in {duration(seconds)}" + (f", {rate(done, seconds)}" if done else "")
    parts = [f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}"]
    if done:
        parts.append(rate(done, seconds))
        if total and total > done:
            parts.append(f"about {duration(seconds * (total - done) / done)} left")
    return ", ".join(parts)


class _Told(ProgressColumn):
    """The words beside a bar."""

    def render(self, task: Task) -> Text:
        done, total = int(task.completed), None if task.total is None else int(task.total)
        seconds = task.finished_time if task.finished_time is not None else task.elapsed or 0.0
        return Text(told(task.description, done, total, seconds, ended=task.finished))


class Bars:
    """Rich bars on standard error."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open: Rich | None = None  # a step within a step adds its bar to the outer one's

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Advance]:
        if self._open is not None:
            yield from self._bar(self._open, name, total)
            return
        columns: list[Any] = [SpinnerColumn(finished_text="✓"), TextColumn("{task.description:<9}")]
        columns += [BarColumn(bar_width=24), _Told()]
        with Rich(*columns, console=self._console) as bars:
            self._open = bars
            try:
                yield from self._bar(bars, name, total)
            finally:
                self._open = None

    def _bar(self, bars: Rich, name: str, total: int) -> Iterator[Advance]:
        """One bar: a moving one while it is not known how much there is."""
        bar = bars.add_task(name, total=total if total and name in UNITS else None)

        def advance(n: int, total: int | None = None) -> None:
            if total is not None:
                bars.update(bar, total=total)
            bars.update(bar, advance=n)

        yield advance
        done = next(t.completed for t in bars.tasks if t.id == bar)
        bars.update(bar, total=done or 1, completed=done or (0 if name in UNITS else 1))
        bars.stop_task(bar)


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
                self._say(f"{name}: {told(name, done, wanted, last - begun, ended=False)}")

        yield advance
        self._say(f"{name}: {told(name, done, wanted, time.monotonic() - begun, ended=True)}")

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
