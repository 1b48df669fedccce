"""Nights in a row over a small press that has outages, moves its feed and edits its articles."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows import nightly, pipeline
from flows.progress import Silence
from tasks.settings import Settings
from tests.scrape.press import Press, serving, versioned

FIRST = dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.UTC)
TOWNS = "Aston Barrow Calder Derwent Exmoor Farley Garton Halton Ilkley Jarrow Kendal Larkhill Morley Norton".split()
A_NIGHT = 3
"""New articles of each outlet in one night."""


@dataclass
class Outlet:
    """One outlet of the press: what it has published, with the version of each article, and where its feed is."""

    name: str
    feed: str
    stories: dict[int, int] = field(default_factory=dict)  # number -> version

    def path(self, number: int) -> str:
        return f"/{self.name}/story-{number}"

    def page(self, number: int) -> bytes:
        rng = random.Random(f"{self.name}{number}")
        a, b = rng.sample(TOWNS, 2)
        toll = 2 + self.stories[number]
        paragraphs = [
            f"Gunmen killed {toll} people in an attack on a bus near {a} on its way to {b}, route {number}, on Sunday, "
            "the police said. The bus had left the station an hour late because of snow on the northern pass.",
            f"“They stopped us at bridge {number} and asked for the driver by name,” said Ana {b}son, who sat in the "
            f"third row with her brother. The road from {a} stayed closed until the next morning, and soldiers came.",
            f"The governor of {a} promised {number + 40} more officers for the road to {b} before the end of the year.",
        ]
        title = f"Attack on bus {number} near {a} kills {toll}"
        body = "".join(f"<p>{p}</p>" for p in paragraphs)
        html = f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}</article></body></html>"
        return html.encode()

    def listing(self, base: str) -> bytes:
        rows = "".join(
            f"<item><title>{n}</title><link>{base}{self.path(n)}</link></item>" for n in sorted(self.stories)[-12:]
        )
        return f"<rss version='2.0'><channel>{rows}</channel></rss>".encode()


class Calendar:
    """The press night by night, and the truth of it: what was edited, and which outlet was out."""

    def __init__(self, press: Press, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.press = press
        self.folder = folder
        self.at = FIRST
        self.outlets = [Outlet(name, f"/{name}/rss") for name in ("post", "herald", "star")]
        self.edited: set[str] = set()
        self.out: list[tuple[dt.date, str]] = []
        monkeypatch.setattr(pipeline, "now", lambda: self.at)
        monkeypatch.setenv("NIGHTDESK__ENGINE__RUNNER", "inline")
        rows = [f'[[outlet]]\ndomain = "{o.name}.example"\nfeeds = ["{press.base}{o.feed}"]\n' for o in self.outlets]
        (folder / "outlets.toml").write_text("\n".join(rows), encoding="utf-8")
        rules = Settings.load(processed=str(folder / "out"), raw=str(folder / "raw"))
        quick: dict[str, Any] = {"delay_s": 0.0, "retry_wait_s": 0.001, "allow_addresses": ["127.0.0.0/8"]}
        self.rules = rules.model_copy(update={"scrape": rules.scrape.model_copy(update=quick)})

    def night(self, number: int, *, out: str | None = None, moves: str | None = None, edits: int | None = None) -> Any:
        """One night: every outlet prints A_NIGHT articles; one may be out, move its feed, or edit the newest of yesterday."""
        self.at = FIRST + dt.timedelta(days=number)
        for o in self.outlets:
            if edits is not None and o.name == "post" and o.stories:
                newest = max(o.stories)
                o.stories[newest] += 3
                self.edited.add(f"{self.press.base}{o.path(newest)}")
            for n in range(A_NIGHT):
                o.stories[number * 10 + n] = 1
            if moves == o.name:
                old, o.feed = o.feed, f"/{o.name}/feeds/{number}"
                self.press.answers[old] = (301, {"Location": o.feed}, b"")
            down = out == o.name
            for n in o.stories:
                self.press.answers[o.path(n)] = (503, {}, b"") if down else versioned(o.page(n))
            self.press.answers[o.feed] = (503, {}, b"") if down else versioned(o.listing(self.press.base), "text/xml")
        if out:
            self.out.append((self.at.date(), f"{out}.example"))
        return nightly.run_night(
            nightly.Request(
                outlets=self.folder / "outlets.toml", night=self.at.date(), root=self.folder / "out",
                raw=self.folder / "raw", settings=self.rules,
            ),
            Silence(),
        )  # fmt: skip

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "out" / name)


def _nights(calendar: Calendar, nights: int) -> None:
    for number in range(nights):
        summary = calendar.night(
            number,
            out="herald" if number % 7 == 4 else "star" if number % 11 == 8 else None,
            moves="star" if number % 9 == 5 else None,
            edits=number if number % 3 == 2 else None,
        )
        assert sum(summary.fates.values()) == summary.inputs


def _check(calendar: Calendar, nights: int) -> None:
    articles, coverage, runs = (calendar.table(t) for t in ("articles", "coverage", "runs"))
    # every article once, also those that were printed while their outlet was out
    back = nights - 1 - max((n for n in range(nights) if n % 7 == 4 or n % 11 == 8), default=0)
    assert back >= 1, "the last night must not be one of an outage"
    first = articles[articles.revision == 1]
    assert sorted(first.url) == sorted(
        f"{calendar.press.base}{o.path(n)}" for o in calendar.outlets for n in o.stories
    )  # fmt: skip
    # every edit a revision, and nothing else
    assert set(articles[articles.revision > 1].url) == calendar.edited
    # every outage in coverage, and no other night of an outlet that has printed
    status = {(r.night, r.outlet): r.status for r in coverage.itertuples()}
    assert len(status) == 3 * nights
    for key, how in status.items():
        assert (how == "ok") is (key not in calendar.out), (key, how)
    assert (coverage.usable_for_trends == (coverage.status == "ok")).all()
    parts = ["n_article", "n_revision", "n_unchanged", "n_copy", "n_skipped", "n_failed"]
    assert (runs[parts].sum(axis=1) == runs.n_inputs).all()


@pytest.mark.slow
def test_six_nights_leave_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as press:
        calendar = Calendar(press, tmp_path, monkeypatch)
        _nights(calendar, 6)
        _check(calendar, 6)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_thirty_nights_leave_no_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as press:
        calendar = Calendar(press, tmp_path, monkeypatch)
        _nights(calendar, 30)
        _check(calendar, 30)
