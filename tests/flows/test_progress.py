"""What a run says of how far it is, on a terminal and in a log."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from flows import progress
from flows.engine import Inline
from flows.progress import Bars, Lines, duration, rate, told


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0.0 s"), (4.24, "4.2 s"), (75, "75 s"), (720, "12 min"), (12_000, "3 h 20 min")]
)
def test_duration_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("done", "seconds", "words"),
    [(310, 10, "31/s"), (24, 10, "2.4/s"), (14, 60, "14/min"), (0, 5, "0.0/s"), (5, 0, "0.0/s")],
)
def test_rate_is_told_a_second_or_a_minute(done: int, seconds: float, words: str) -> None:
    assert rate(done, seconds) == words


@pytest.mark.parametrize(
    ("name", "done", "total", "ended", "words"),
    [
        ("fetch", 20, 80, False, "20 of 80 pages, 2.0/s, about 30 s left"),
        ("fetch", 0, 80, False, "0 of 80 pages"),
        ("fetch", 0, None, False, "0 pages"),
        ("fetch", 20, None, False, "20 pages, 2.0/s"),
        ("clean", 1200, 1200, True, "1,200 inputs in 10 s, 120/s"),
        ("clean", 0, 0, True, "0 inputs in 10 s"),
        ("publish", 1, 1, True, "10 s"),
    ],
)
def test_a_step_is_told_with_rate_and_time_left(
    name: str, done: int, total: int | None, ended: bool, words: str
) -> None:
    assert told(name, done, total, 10.0, ended=ended) == words


def test_a_log_has_a_line_for_each_step_and_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    out = io.StringIO()
    sizes = [3, 1]
    found = Inline(Lines(Console(file=out))).map("clean", lambda n: time.sleep(0.01) or n * 2, [(3,), (1,)], sizes)
    assert found == [6, 2]
    first, second, last = out.getvalue().splitlines()
    assert first.startswith("clean: 3 of 4 inputs, ")
    assert "left" in first
    assert second.startswith("clean: 4 of 4 inputs, ")
    assert last.startswith("clean: 4 inputs in ")


def test_a_terminal_has_a_live_line_for_each_step_one_within_another_too() -> None:
    out = io.StringIO()
    bars = Bars(Console(file=out, force_terminal=True, width=100))
    with bars.step("scrape", 1) as whole:
        with bars.step("fetch", 0) as fetched:
            fetched(0, 40)
            fetched(40)
        whole(1)
    seen = out.getvalue()
    assert "40 pages in" in seen
    assert "scrape" in seen
    assert "\x1b[" in seen


def test_a_step_that_fails_leaves_the_terminal_as_it_was() -> None:
    out = io.StringIO()
    bars = Bars(Console(file=out, force_terminal=True, width=100))
    with pytest.raises(ValueError, match="broken"), bars.step("clean", 3):
        raise ValueError("broken")
    with bars.step("extract", 1) as advance:
        advance(1)
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count(
        "\x1b[?25h"
    )  # the cursor is hidden and shown again
