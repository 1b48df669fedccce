"""Nights in a row over one small outlet: what is asked again, what is not, and what losing the state costs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows import nightly, pipeline
from flows.progress import Silence
from tasks.report.summary import Summary
from tasks.scrape.archive import archived_addresses
from tasks.scrape.state import State
from tasks.settings import Settings
from tests.scrape.press import Press, serving, versioned

FIRST = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
STREETS = ("Harbour Street", "Mill Lane", "Castle Road")


def story(i: int, toll: int = 3, extra: str = "") -> bytes:
    street = STREETS[i]
    paragraphs = [
        f"Gunmen killed {toll} people in an attack on a market in {street} on Monday night, the police of the town said. "
        "They came in two cars shortly before midnight and fled towards the river when the first officers arrived.",
        f"“We heard a bang and then everybody ran,” said Maria Okoye, who lives at number {i + 4} in {street} with her "
        "two children. Neighbours took in forty residents, and a school hall was opened for the others until morning.",
        f"The police in {street} have closed the quarter between the market and the river. {extra}",
    ]
    body = "".join(f"<p>{p}</p>" for p in paragraphs)
    title = f"Attack in {street} kills {toll}"
    return f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}</article></body></html>".encode()


def feed(base: str, *paths: str, updated: str = "") -> bytes:
    rows = "".join(
        f"<item><title>{p}</title><link>{base}{p}</link>{f'<atom:updated>{updated}</atom:updated>' if updated else ''}</item>"
        for p in paths
    )
    return f"<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel>{rows}</channel></rss>".encode()


class Desk:
    """Nights of one outlet in one folder; the clock is ours."""

    def __init__(self, folder: Path, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.press = press
        self.at = FIRST
        monkeypatch.setattr(pipeline, "now", lambda: self.at)
        monkeypatch.setenv("NIGHTDESK__ENGINE__RUNNER", "inline")
        outlets = folder / "outlets.toml"
        outlets.write_text(f'[[outlet]]\ndomain = "post.example"\nfeeds = ["{press.base}/rss"]\n', encoding="utf-8")
        rules = Settings.load(processed=str(folder / "out"), raw=str(folder / "raw"))
        quick: dict[str, Any] = {"delay_s": 0.0, "retry_wait_s": 0.01, "allow_addresses": ["127.0.0.0/8"]}
        self.rules = rules.model_copy(update={"scrape": rules.scrape.model_copy(update=quick)})
        press.answers |= {f"/{i}": versioned(story(i)) for i in range(3)}
        press.answers["/rss"] = versioned(feed(press.base, "/0", "/1", "/2"), "application/rss+xml")

    def night(self, *, hours: float = 0.0) -> Summary:
        self.at += dt.timedelta(hours=hours)
        self.press.log.clear()
        return nightly.run_night(
            nightly.Request(
                outlets=self.folder / "outlets.toml",
                night=self.at.date(),
                root=self.folder / "out",
                raw=self.folder / "raw",
                settings=self.rules,
            ),
            Silence(),
        )

    def asked(self) -> list[str]:
        return sorted(p.removeprefix("/") for p in self.press.paths() if p != "/robots.txt")

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "out" / name)

    def fates(self, summary: Summary) -> dict[str, tuple[str, str | None]]:
        rows = self.table("inputs")
        rows = rows[rows.run_id == summary.run_id]
        return {
            r.url.removeprefix(self.press.base): (r.fate, None if pd.isna(r.reason) else r.reason)
            for r in rows.itertuples()
            if r.url
        }  # fmt: skip

    @property
    def state(self) -> Path:
        return self.folder / "out" / ".state" / "visits.sqlite"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with serving({}) as press:
        yield Desk(tmp_path, press, monkeypatch)


def test_second_night_with_nothing_new_fetches_no_article(desk: Desk) -> None:
    first = desk.night()
    before = desk.table("articles")
    assert (first.fates["article"], len(before)) == (3, 3)
    second = desk.night(hours=0.5)
    assert desk.asked() == ["rss"]
    assert "if-none-match" in next(headers for path, _, headers in desk.press.log if path == "/rss")
    assert set(desk.fates(second).values()) == {("unchanged", "not_due")}
    pd.testing.assert_frame_equal(before, desk.table("articles"))


def test_articles_are_visited_again_on_a_falling_schedule(desk: Desk) -> None:
    desk.night()
    counts = []
    for hours in (7, 17, 24, 24, 24 * 5, 24 * 8):
        summary = desk.night(hours=hours)
        counts.append(len([a for a in desk.asked() if a != "rss"]))
        assert summary.inputs == 3
    assert counts == [3, 3, 0, 0, 3, 0]  # after 7 h, a day, a week; then no more
    assert desk.table("articles").shape[0] == 3


def test_unchanged_visit_leaves_a_revisit_record(desk: Desk) -> None:
    desk.night()
    summary = desk.night(hours=24)
    assert set(desk.fates(summary).values()) == {("unchanged", "not_modified")}
    warc = max((desk.folder / "raw").rglob("*.warc.gz"))
    assert len(list(archived_addresses(warc))) == 3
    desk.press.answers["/1"] = story(1)  # no ETag any more: the same bytes make a revisit record too
    again = desk.night(hours=24 * 6)
    assert desk.fates(again)["/1"] == ("unchanged", "not_modified")


def test_edited_article_becomes_a_revision_and_begins_its_schedule_anew(desk: Desk) -> None:
    desk.night()
    desk.press.answers["/1"] = versioned(story(1, toll=5, extra="Two more people died in hospital, a doctor said."))
    summary = desk.night(hours=24)
    assert desk.fates(summary)["/1"] == ("revision", None)
    rows = desk.table("articles")
    assert sorted(rows[rows.url.str.endswith("/1")].revision) == [1, 2]
    desk.night(hours=7)
    assert desk.asked() == ["1", "rss"]


def test_article_is_visited_when_its_feed_says_that_it_changed(desk: Desk) -> None:
    desk.night()
    desk.at += dt.timedelta(minutes=30)
    changed = feed(desk.press.base, "/0", "/1", "/2", updated="2026-11-24T02:20:00Z")
    desk.press.answers["/rss"] = versioned(changed, "application/rss+xml")
    desk.night()
    assert desk.asked() == ["0", "1", "2", "rss"]
    desk.night(hours=0.5)
    assert desk.asked() == ["rss"]


def test_article_that_left_its_feed_is_visited_when_due(desk: Desk) -> None:
    desk.night()
    desk.press.answers["/rss"] = versioned(feed(desk.press.base, "/2"), "application/rss+xml")
    summary = desk.night(hours=24)
    assert desk.asked() == ["0", "1", "2", "rss"]
    assert summary.inputs == 3


def test_lost_state_is_learnt_again_from_the_tables(desk: Desk) -> None:
    desk.night()
    with State.open(desk.state) as state:
        before = state.pages([f"{desk.press.base}/{i}" for i in range(3)])
    desk.state.unlink()
    desk.night(hours=0.5)
    assert desk.asked() == ["rss"]
    with State.open(desk.state) as state:
        assert state.pages(before) == before


def test_article_of_an_unpublished_night_is_not_known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "process", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.night()
    desk.press.answers["/0"] = versioned(story(0))
    summary = desk.night(hours=24)
    assert summary.fates["article"] == 3
    assert desk.asked() == ["0", "1", "2", "rss"]


def test_gone_page_is_asked_ever_less_often(desk: Desk) -> None:
    desk.press.answers["/2"] = (410, {}, b"")
    asked = []
    for _ in range(9):
        summary = desk.night(hours=24)
        asked.append("2" in desk.asked())
        assert desk.fates(summary)["/2"] == ("failed", "http_gone")
    assert asked == [True, True, True, False, False, False, False, False, False]


def test_page_of_a_passing_fault_is_fetched_in_the_next_night(desk: Desk) -> None:
    desk.press.answers["/2"] = (503, {}, b"")
    first = desk.night()
    assert desk.fates(first)["/2"] == ("failed", "http_server_error")
    rows = desk.table("inputs")
    assert rows[rows.reason == "http_server_error"].attempts.tolist() == [3]
    desk.press.answers["/2"] = versioned(story(2))
    desk.press.answers["/rss"] = versioned(feed(desk.press.base, "/0"), "application/rss+xml")  # it left the feed
    second = desk.night(hours=1)
    assert desk.fates(second)["/2"] == ("article", None)


def test_page_that_moved_for_good_is_asked_where_it_is(desk: Desk) -> None:
    desk.press.answers["/1"] = (301, {"Location": "/new/1"}, b"")
    desk.press.answers["/new/1"] = versioned(story(1))
    desk.night()
    assert desk.asked() == ["0", "1", "2", "new/1", "rss"]
    desk.night(hours=24)
    assert desk.asked() == ["0", "2", "new/1", "rss"]


def test_dead_feed_is_asked_less_often_and_noticed_when_it_answers(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    listed = desk.press.answers["/rss"]
    desk.press.answers["/rss"] = (404, {}, b"")
    asked = []
    for _ in range(8):
        summary = desk.night(hours=24)
        asked.append("rss" in desk.asked())
        assert desk.fates(summary)["/rss"] == ("failed", "http_gone")
    assert asked == [True, True, True, True, False, True, False, False]
    desk.press.answers["/rss"] = listed
    for _ in range(8):
        desk.night(hours=24)
    assert "answers again" in caplog.text
    assert len(desk.table("articles")) == 3


def test_feed_that_moved_without_a_word_is_found_again(desk: Desk) -> None:
    desk.night()
    head = "<link rel='alternate' type='application/rss+xml' href='/new.xml'>"
    desk.press.answers["/"] = f"<html><head>{head}</head><body>Post</body></html>".encode()
    now = desk.at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    moved = feed(desk.press.base, "/0", "/1", "/2", "/3").replace(b"<link>", f"<pubDate>{now}</pubDate><link>".encode())
    desk.press.answers |= {"/rss": (404, {}, b""), "/new.xml": (200, {"Content-Type": "text/xml"}, moved)}
    desk.press.answers["/3"] = versioned(story(0, toll=9).replace(b"Harbour Street", b"Quay Road"))
    for _ in range(2):
        assert desk.night(hours=24).fates["article"] == 0
    third = desk.night(hours=24)
    assert third.fates["article"] == 1
    rows = desk.table("inputs")
    (detail,) = rows[(rows.run_id == third.run_id) & (rows.step == "discover")].detail
    assert f"read instead: {desk.press.base}/new.xml" in detail
    desk.night(hours=2)  # the dead one is not asked, what stands in for it is
    assert "new.xml" in desk.asked()
    assert "rss" not in desk.asked()
