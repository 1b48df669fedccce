"""A night against a loopback press: what is archived, what is not, and going on after a kill."""

from __future__ import annotations

import datetime as dt
import errno
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from tasks.discover.records import Fetched, OutletConfig
from tasks.scrape.archive import RawArchive, archived_addresses
from tasks.scrape.inputs import InputOptions, plan_shards, read_shard
from tasks.scrape.night import ScrapeReport, scrape_night
from tasks.scrape.records import RawPage
from tasks.settings import DiscoverSettings, ScrapeSettings
from tasks.tables import Fate, Reason
from tests.scrape.press import PAGE, Answer, Press, serving

NIGHT = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)


def rss(*paths: str) -> bytes:
    rows = "".join(f"<item><title>{p}</title><link>{p}</link></item>" for p in paths)
    return f"<rss version='2.0'><channel>{rows}</channel></rss>".encode()


def answers(n: int) -> dict[str, Answer]:
    pages: dict[str, Answer] = {f"/{i}": PAGE.replace(b"ferry", b"ferry %d" % i) for i in range(n)}
    return pages | {"/moved": (301, {"Location": "/0?from=1"}, b""), "/0?from=1": PAGE, "/secret": PAGE}


def outlet(press: Press, domain: str = "post.example") -> OutletConfig:
    return OutletConfig(name=domain, domain=domain, feeds=(f"{press.base}/rss",))


def scrape(folder: Path, *outlets: OutletConfig, run: str = "r1", **changes: int) -> ScrapeReport:
    return scrape_night(
        outlets,
        night=NIGHT,
        run_name=run,
        raw_dir=folder,
        rules_discover=DiscoverSettings(),
        rules_scrape=ScrapeSettings(
            delay_s=0, retry_wait_s=0.01, timeout_s=2, allow_addresses=["127.0.0.0/8"], **changes
        ),
        now_fn=lambda: NOW,
    )


def pages(report: ScrapeReport) -> list[RawPage]:
    shards = plan_shards(report.warcs, InputOptions(), records=100, max_bytes=10**7)
    out = [r for s in shards for r in read_shard(s)]
    assert all(isinstance(p, RawPage) for p in out)
    return [p for p in out if isinstance(p, RawPage)]


def test_scrape_night_accounts_for_every_address(tmp_path: Path) -> None:
    with serving(answers(4)) as press:
        paths = [*(f"/{i}" for i in range(4)), "/moved", "/gone", "/secret"]
        press.answers["/rss"] = rss(*(press.base + p for p in paths))
        press.answers["/robots.txt"] = b"User-agent: *\nDisallow: /secret\n"
        report = scrape(
            tmp_path, outlet(press), OutletConfig(name="x", domain="x.example", feeds=(f"{press.base}/none",))
        )
    got = pages(report)
    assert sorted(p.url.removeprefix(press.base) for p in got if p.url) == ["/0", "/0?from=1", "/1", "/2", "/3"]
    assert {p.outlet for p in got} == {"post.example"}
    assert {p.fetched_at for p in got} == {NOW}
    assert [(f.ref.removeprefix(press.base), f.reason, f.fate, f.step, f.outlet) for f in report.failures] == [
        ("/gone", Reason.HTTP_GONE, Fate.FAILED, "scrape", "post.example"),
        ("/secret", Reason.ROBOTS_DISALLOW, Fate.SKIPPED, "scrape", "post.example"),
        ("/none", Reason.HTTP_GONE, Fate.FAILED, "discover", "x.example"),
    ]
    post, other = report.outlets
    assert (post.found, post.fetched, post.failed, post.robots, post.feed_dead) == (7, 5, 2, "ok", False)
    assert (other.found, other.fetched, other.feed_dead, other.feeds) == (0, 0, True, (f"{press.base}/none",))
    assert report.warcs == [tmp_path / "2026-11-24" / "r1-00000.warc.gz"]


def test_scrape_night_writes_warcs_that_others_read(tmp_path: Path) -> None:
    with serving(answers(5)) as press:
        press.answers["/rss"] = rss(*(f"{press.base}/{i}" for i in range(5)))
        report = scrape(tmp_path, outlet(press), records_per_warc=2)
    assert [p.name for p in report.warcs] == [f"r1-0000{i}.warc.gz" for i in range(3)]
    kinds = []
    for path in report.warcs:
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                kinds.append(record.rec_type)
                body = record.content_stream().read()
                if record.rec_type == "response":
                    assert b"ferry" in body
                    assert record.rec_headers.get_header("WARC-IP-Address") == "127.0.0.1"
                    assert record.rec_headers.get_header("WARC-Date") == "2026-11-24T02:00:00.000000Z"
                    assert record.rec_headers.protocol == "WARC/1.1"
    assert (kinds.count("warcinfo"), kinds.count("response"), kinds.count("request")) == (3, 5, 5)


def test_scrape_night_archives_answers_with_strange_bytes(tmp_path: Path) -> None:
    def strange(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 Tr\xe8s bien \xff\r\nContent-Type: text/html\r\n")
        handler.wfile.write(b"X-Strange: caf\xe9; a=\xff\xfe\r\nX-Empty:\r\nSet-Cookie: a=\xe9\r\n")
        handler.wfile.write(b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE)

    def away(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /caf\xc3\xa9?q=\xe9#part\r\nContent-Length: 0\r\n\r\n")

    with serving({"/strange": strange, "/away": away, "/0": PAGE}) as press:
        press.answers["/rss"] = rss(*(press.base + p for p in ("/strange", "/away", "/0")))
        scrape(tmp_path, outlet(press))
        place = next(p for p in press.paths() if p.startswith("/caf"))
        press.answers[place] = PAGE
        report = scrape(tmp_path, outlet(press), run="r2")
    assert place.isascii()
    got = pages(report)
    assert report.failures == []
    assert sorted((p.url or "").removeprefix(press.base) for p in got) == sorted(["/strange", "/0", place])
    for path in report.warcs:
        with path.open("rb") as file:
            assert len(list(ArchiveIterator(file, check_digests="raise"))) == 7


def test_scrape_night_goes_on_when_called_again(tmp_path: Path) -> None:
    with serving(answers(6)) as press:
        press.answers["/rss"] = rss(*(f"{press.base}/{i}" for i in range(3)), press.base + "/moved")
        first = scrape(tmp_path, outlet(press))
        press.answers["/rss"] = rss(*(f"{press.base}/{i}" for i in range(2, 6)))
        press.log.clear()
        second = scrape(tmp_path, outlet(press))
    assert sorted(set(press.paths()) - {"/robots.txt", "/rss"}) == ["/3", "/4", "/5"]
    assert len(pages(first)) == 4
    assert len(pages(second)) == second.outlets[0].found == second.outlets[0].fetched == 7


@pytest.mark.parametrize("lost", [1, 200, 400])
def test_raw_archive_salvages_what_a_killed_scrape_had(tmp_path: Path, lost: int) -> None:
    with serving(answers(4)) as press:
        press.answers["/rss"] = rss(*(f"{press.base}/{i}" for i in range(4)))
        done = scrape(tmp_path, outlet(press)).warcs[0]
        killed = done.with_name(done.name + ".part")
        killed.write_bytes(done.read_bytes()[:-lost])
        done.unlink()
        press.log.clear()
        report = scrape(tmp_path, outlet(press))
    fetched_again = set(press.paths()) - {"/robots.txt", "/rss"}
    assert len(fetched_again) <= 1
    assert len(pages(report)) == 4
    assert not killed.exists()


def test_raw_archive_drops_a_part_without_a_response(tmp_path: Path) -> None:
    (tmp_path / "r1-00000.warc.gz.part").write_bytes(b"\x1f\x8b\x08nothing")
    with RawArchive(tmp_path, "r1", records_per_warc=5, agent="x") as archive:
        assert archive.archived == {}
    assert list(tmp_path.iterdir()) == []


def test_scrape_night_keeps_what_it_has_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = RawArchive.add

    def full(self: RawArchive, got: Fetched, *, outlet: str) -> None:
        if len(self.archived) >= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, got, outlet=outlet)

    with serving(answers(4)) as press:
        press.answers["/rss"] = rss(*(f"{press.base}/{i}" for i in range(4)))
        monkeypatch.setattr(RawArchive, "add", full)
        with pytest.raises(OSError, match="No space left"):
            scrape(tmp_path, outlet(press))
        monkeypatch.undo()
        press.log.clear()
        report = scrape(tmp_path, outlet(press))
    assert len(set(press.paths()) - {"/robots.txt", "/rss"}) == 2
    assert len(pages(report)) == 4


@pytest.mark.parametrize("name", ["../x", "", "a/b", "a b", "x" * 200])
def test_raw_archive_takes_no_run_name_that_is_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="run name"):
        RawArchive(tmp_path, name, records_per_warc=5, agent="x")


def test_scrape_night_gives_an_address_of_two_outlets_to_the_first(tmp_path: Path) -> None:
    with serving(answers(2)) as press:
        press.answers["/rss"] = rss(f"{press.base}/0", f"{press.base}/1")
        report = scrape(tmp_path, outlet(press, "one.example"), outlet(press, "two.example"))
    assert [(v.domain, v.found) for v in report.outlets] == [("one.example", 2), ("two.example", 0)]
    assert {outlet for _, outlet in archived_addresses(report.warcs[0])} == {"one.example"}


def test_scrape_night_writes_no_file_when_there_is_nothing(tmp_path: Path) -> None:
    with serving({"/rss": rss()}) as press:
        report = scrape(tmp_path, outlet(press))
    assert (report.warcs, report.failures, report.outlets[0].feed_dead) == ([], [], False)


def test_scrape_night_costs_one_page_when_we_are_at_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.scrape import fetch

    whole = fetch.is_html

    def breaks(stated: str, body: bytes) -> bool:
        if b"ferry 1 " in body:
            raise RuntimeError("a bug")
        return whole(stated, body)

    monkeypatch.setattr(fetch, "is_html", breaks)
    with serving(answers(3)) as press:
        press.answers["/rss"] = rss(*(f"{press.base}/{i}" for i in range(3)))
        report = scrape(tmp_path, outlet(press))
    assert [(f.reason, f.detail) for f in report.failures] == [(Reason.INTERNAL_ERROR, "RuntimeError: a bug")]
    assert report.outlets[0].fetched == 2
