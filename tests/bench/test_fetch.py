"""The fetch bench in small: all pages are archived, and the server's log knows of no host asked faster than its delay."""

from __future__ import annotations

from pathlib import Path

from bench.fetch import fetch_crowd


def test_crowd_is_fetched_whole_and_no_host_faster_than_its_delay(tmp_path: Path) -> None:
    got = fetch_crowd(tmp_path, hosts=12, pages=6, latency_s=0.05, delay_s=0.15)
    assert got.archived == got.wanted == 72
    assert got.shortest_gap_s >= 0.15
    # one host after the other would take 12 times as long as one host
    assert got.seconds < 72 * 0.2
