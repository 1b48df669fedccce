"""What the raw archive holds: valid for warcio's checker and other readers, revisits too, and no credentials."""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from tasks.discover.records import Fetched
from tasks.scrape.archive import RawArchive
from tasks.scrape.inputs import InputOptions, plan_shards, read_shard
from tasks.scrape.records import RawPage
from tasks.tables import Failure, Fate, Reason

AT = dt.datetime(2026, 11, 24, 2, 0, 1, 500_000, tzinfo=dt.UTC)
BODY = "<html><body><p>Die Fähre fährt wieder.</p></body></html>".encode()


def response(path: str, status: int = 200, body: bytes = BODY, **more: object) -> Fetched:
    url = f"https://post.example{path}"
    headers = (("Content-Type", "text/html"), ("ETag", '"1"'), ("Transfer-Encoding", "chunked"), ("X-Odd", "a\xffb"))
    fields = {
        "address": url, "url": url, "status": status, "phrase": "OK", "headers": headers, "raw": body, "body": body,
        "request_headers": (("Host", "post.example"), ("User-Agent", "nightdesk")), "protocol": "h2", "ip": "192.0.2.1",
        "fetched_at": AT,
    }  # fmt: skip
    return Fetched(**(fields | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def warc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    with RawArchive(folder, "r1", records_per_warc=50, agent="nightdesk") as archive:
        archive.add(response("/a", attempts=3), outlet="post.example")
        archive.add(response("/caf%C3%A9", address="https://post.example/b?x=1", moved=True), outlet="post.example")
        same = ("https://post.example/a", "2026-11-23T02:00:00Z", "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ")
        archive.add_repeated(response("/c", 304, b""), outlet="post.example", same_as=same)
        archive.add_repeated(response("/d"), outlet="post.example", same_as=same)
    return archive.files()[0]


def test_warcio_check_finds_no_fault(warc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checker = Checker(argparse.Namespace(inputs=[str(warc)], verbose=True))
    checker.process_all()
    said = capsys.readouterr().out
    assert checker.exit_value == 0, said
    assert "digest pass" in said


def test_records_are_those_of_the_standard(warc: Path) -> None:
    with warc.open("rb") as file:
        records = [(r.rec_type, r.rec_headers, r.content_stream().read()) for r in ArchiveIterator(file)]
    assert [kind for kind, _, _ in records] == [
        "warcinfo", "response", "request", "response", "request", "revisit", "request", "revisit", "request",
    ]  # fmt: skip
    profiles = [h.get_header("WARC-Profile") for kind, h, _ in records if kind == "revisit"]
    assert [p.rpartition("/")[2] for p in profiles] == ["server-not-modified", "identical-payload-digest"]
    by_id = {h.get_header("WARC-Record-ID") for _, h, _ in records}
    assert len(by_id) == len(records)
    for kind, headers, body in records:
        if kind == "request":
            assert headers.get_header("WARC-Concurrent-To") in by_id
        if kind == "response":
            assert body == BODY
        if kind == "revisit":
            assert body == b""
            assert headers.get_header("WARC-Refers-To-Target-URI") == "https://post.example/a"


def test_another_reader_finds_the_same(warc: Path) -> None:
    kinds = []
    with warc.open("rb") as file:
        for record in FastIterator(file, parse_http=False):
            kinds.append(record.record_type)
            assert record.verify_block_digest()
    assert kinds.count(WarcRecordType.response) == kinds.count(WarcRecordType.revisit) == 2


def test_own_reader_gives_pages_with_their_tries_and_revisits_as_unchanged(warc: Path) -> None:
    (shard,) = plan_shards([warc], InputOptions(root=str(warc.parent.parent)), records=100, max_bytes=10**7)
    got = list(read_shard(shard))
    pages = [p for p in got if isinstance(p, RawPage)]
    assert [(p.attempts, p.body) for p in pages] == [(3, BODY), (1, BODY)]
    assert {p.file for p in pages} == {f"{warc.parent.name}/{warc.name}"}
    rest = [f for f in got if isinstance(f, Failure)]
    assert [(f.fate, f.reason) for f in rest] == [(Fate.UNCHANGED, Reason.NOT_MODIFIED)] * 2
    assert all(f.ref.startswith(f"{warc.parent.name}/{warc.name}#") for f in rest)


def test_shards_are_the_same_wherever_the_archive_is_named_from(warc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = InputOptions(root=str(warc.parent))
    (there,) = plan_shards([warc], options, records=100, max_bytes=10**7)
    monkeypatch.chdir(warc.parent)
    (here,) = plan_shards([Path(warc.name)], InputOptions(root="."), records=100, max_bytes=10**7)
    assert here.shard_id == there.shard_id
    assert [p.ref for p in read_shard(here)] == [p.ref for p in read_shard(there)]


def test_no_line_break_of_a_hostile_header_begins_a_record_field(tmp_path: Path) -> None:
    bad = response(
        "/a", headers=(("X-A", "1\r\nWARC-Type: metadata\r\n\r\nWARC/1.1"), ("Bad\r\nName", "x")), phrase="O\r\nK"
    )
    with RawArchive(tmp_path, "r1", records_per_warc=50, agent="a\r\nb") as archive:
        archive.add(bad, outlet="post.example\r\nWARC-Type: metadata")
    text = gzip.decompress(archive.files()[0].read_bytes()).decode()
    assert text.split("\r\n").count("WARC/1.1") == 3
    assert [line for line in text.split("\r\n") if line.startswith("WARC-Type")] == [
        "WARC-Type: warcinfo", "WARC-Type: response", "WARC-Type: request",
    ]  # fmt: skip
