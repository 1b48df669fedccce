"""Stored inputs: what is planned, what is read, and what wrong use says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import io
import json
import pickle
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tasks.scrape.inputs import InputError, InputOptions, Shard, plan_shards, read_shard
from tasks.scrape.records import RawPage, RawText
from tasks.tables import Failure, Fate, Reason

PAGE = "<!doctype html><html><body><p>The ferry is back.</p></body></html>"


def plan(*paths: Path, records: int = 100, max_bytes: int = 1_000_000, **options: object) -> list[Shard]:
    return plan_shards(list(paths), InputOptions(**options), records=records, max_bytes=max_bytes)  # type: ignore[arg-type]


def read(
    *paths: Path, records: int = 100, max_bytes: int = 1_000_000, **options: object
) -> list[RawPage | RawText | Failure]:
    shards = plan(*paths, records=records, max_bytes=max_bytes, **options)
    out = [list(read_shard(pickle.loads(pickle.dumps(shard)))) for shard in shards]
    assert [len(o) for o in out] == [s.count for s in shards]
    return [record for records in out for record in records]


def texts(records: list[RawPage | RawText | Failure]) -> list[str]:
    return [r.text if isinstance(r, RawText) else getattr(r, "reason", "page") for r in records]


# --------------------------------------------------------------------------- WARC


def warc(
    path: Path,
    entries: list[tuple[str, str, dict[str, str], bytes]],
    *,
    zipped: bool = True,
    extra: dict[str, str] | None = None,
) -> list[int]:
    """Writes (record type, status line, HTTP headers, body) records; gives the offset of each."""
    offsets = []
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=zipped, warc_version="WARC/1.1")
        writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "test"}))
        for i, (kind, status, headers, body) in enumerate(entries):
            offsets.append(file.tell())
            http = StatusAndHeaders(status, list(headers.items()), protocol="HTTP/1.1") if status else None
            writer.write_record(
                writer.create_warc_record(
                    f"https://post.example/{i}",
                    kind,
                    payload=io.BytesIO(body),
                    http_headers=http,
                    warc_content_type=headers.get("Content-Type", "") if not status else "",
                    warc_headers_dict={"WARC-Date": "2026-11-24T02:00:00Z", **(extra or {})},
                )
            )
    return offsets


HTML = {"Content-Type": "text/html; charset=utf-8"}
GZIP = {"Content-Encoding": "gzip"}


def good(n: int) -> list[tuple[str, str, dict[str, str], bytes]]:
    return [("response", "200 OK", HTML, PAGE.replace("ferry", f"ferry {i}").encode()) for i in range(n)]


@pytest.mark.parametrize("zipped", [True, False])
def test_read_shard_gives_pages_of_a_warc(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "a.warc"
    offsets = warc(path, good(3), zipped=zipped, extra={"WARC-Nightdesk-Outlet": "post.example"})
    pages = read(path, records=2, published="2026-11-01")
    assert [p.offset for p in pages if isinstance(p, RawPage)] == offsets
    page = pages[1]
    assert isinstance(page, RawPage)
    assert page.body == PAGE.replace("ferry", "ferry 1").encode()
    assert page.ref == f"{path}#{offsets[1]}"
    assert (page.url, page.outlet, page.published_given) == ("https://post.example/1", "post.example", "2026-11-01")
    assert page.fetched_at == dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC)
    assert page.headers["content-type"] == HTML["Content-Type"]


@pytest.mark.parametrize(
    ("entry", "reason", "fate"),
    [
        (("response", "404 Not Found", HTML, b"x"), Reason.HTTP_GONE, Fate.SKIPPED),
        (("response", "301 Moved", HTML, b""), Reason.HTTP_OTHER_STATUS, Fate.SKIPPED),
        (("response", "403 Forbidden", HTML, b""), Reason.HTTP_REFUSED, Fate.SKIPPED),
        (("response", "500 Oops", HTML, b""), Reason.HTTP_SERVER_ERROR, Fate.SKIPPED),
        (("response", "200 OK", {"Content-Type": "application/pdf"}, b"%PDF"), Reason.NOT_HTML, Fate.SKIPPED),
        (("response", "200 OK", {"Content-Type": "text/plain"}, b"User-agent: *"), Reason.NOT_HTML, Fate.SKIPPED),
        (("response", "200 OK", HTML | GZIP, b"\x1f\x8bbad"), Reason.RECORD_UNREADABLE, Fate.FAILED),
        (("response", "200 OK", HTML | GZIP, gzip.compress(b"<p>" * 99)[:-9]), Reason.RECORD_UNREADABLE, Fate.FAILED),
        (("response", "200 OK", HTML | {"Content-Encoding": "rot13"}, b"x"), Reason.RECORD_UNREADABLE, Fate.FAILED),
        (("resource", "", {"Content-Type": "image/png"}, b"x"), Reason.NOT_HTML, Fate.SKIPPED),
        (("revisit", "200 OK", HTML, b""), Reason.NOT_MODIFIED, Fate.SKIPPED),
    ],
)  # fmt: skip
def test_read_shard_says_why_a_record_is_no_page(
    tmp_path: Path, entry: tuple[str, str, dict[str, str], bytes], reason: Reason, fate: Fate
) -> None:
    warc(tmp_path / "a.warc.gz", [entry, *good(1)])
    failure, page = read(tmp_path / "a.warc.gz")
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.fate, failure.step, failure.url) == (reason, fate, "read", "https://post.example/0")
    assert isinstance(page, RawPage)


def test_read_shard_decodes_bodies(tmp_path: Path) -> None:
    packed = gzip.compress(PAGE.encode())
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (packed[:20], packed[20:])) + b"0\r\n\r\n"
    entries = [
        ("response", "200 OK", HTML | {"Content-Encoding": "gzip"}, packed),
        ("response", "200 OK", HTML | {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}, chunks),
        ("response", "200 OK", HTML | {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}, PAGE.encode()),
        ("response", "200 OK", HTML | {"Content-Encoding": "br"}, PAGE.encode()),
        ("response", "200 OK", {}, PAGE.encode()),
        ("resource", "", {"Content-Type": "text/html"}, PAGE.encode()),
        ("conversion", "", {"Content-Type": "text/html"}, PAGE.encode()),
    ]
    warc(tmp_path / "a.warc.gz", entries)
    assert [getattr(p, "body", p) for p in read(tmp_path / "a.warc.gz")] == [PAGE.encode()] * len(entries)


def test_read_shard_ignores_requests_and_metadata(tmp_path: Path) -> None:
    entries = [("request", "GET / HTTP/1.1", {}, b""), ("metadata", "", {"Content-Type": "text/plain"}, b"x"), *good(1)]
    warc(tmp_path / "a.warc.gz", entries)
    assert len(read(tmp_path / "a.warc.gz")) == 1


@pytest.mark.parametrize("zipped", [True, False])
def test_read_shard_fails_one_record_when_file_is_cut_off(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "a.warc.gz"
    offsets = warc(path, good(4), zipped=zipped)
    for keep in (offsets[3] + 5, offsets[3] + 300):
        (tmp_path / "cut.warc.gz").write_bytes(path.read_bytes()[:keep])
        records = read(tmp_path / "cut.warc.gz", records=2)
        assert [type(r) for r in records] == [RawPage] * 3 + [Failure]
        assert getattr(records[3], "reason", None) == Reason.FILE_DAMAGED
        assert getattr(records[3], "ref", "").endswith(f"#{offsets[3]}")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("where", [0, 60])
@pytest.mark.parametrize("which", [0, 1])
def test_read_shard_fails_one_record_when_damaged(tmp_path: Path, zipped: bool, where: int, which: int) -> None:
    path = tmp_path / "a.warc.gz"
    offsets = warc(path, good(4), zipped=zipped)
    data = bytearray(path.read_bytes())
    at = offsets[which] + (where if zipped else 0)
    data[at : at + 30] = b"\xff" * 30
    path.write_bytes(data)
    kinds = [type(r) for r in read(path, records=1)]
    assert kinds.pop(which) is Failure
    assert kinds == [RawPage] * 3


def test_read_shard_reads_on_when_the_file_begins_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    warc(path, good(2))
    path.write_bytes(b"\xff" * 30 + path.read_bytes()[30:])
    assert [type(r) for r in read(path)] == [Failure, RawPage, RawPage]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_read_shard_accounts_for_every_record_when_bytes_are_wrong(tmp_path: Path, zipped: bool, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "a.warc.gz"
    warc(path, good(6), zipped=zipped)
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        change = rng.choice(["flip", "cut", "fill"])
        if change == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif change == "cut":
            del data[at : at + rng.randint(1, 40)]
        else:
            data[at:at] = rng.randbytes(rng.randint(1, 40))
    path.write_bytes(data)
    try:
        records = read(path, records=2)  # checks that planning and reading agree on their number
    except InputError:
        records = []
    refs = [r.ref for r in records]
    assert len(set(refs)) == len(refs)


def test_read_shard_gives_no_date_when_the_record_has_a_wrong_one(tmp_path: Path) -> None:
    for i, date in enumerate(["yesterday", "2026-13-45T99:00:00Z", ""]):
        warc(tmp_path / f"{i}.warc", good(1), zipped=False, extra={"WARC-Date": date})
        page = read(tmp_path / f"{i}.warc")[0]
        assert isinstance(page, RawPage)
        assert page.fetched_at is None


def test_read_shard_reads_a_gzip_file_without_members_per_record(tmp_path: Path) -> None:
    warc(tmp_path / "a.warc", good(5), zipped=False)
    one = tmp_path / "one.warc.gz"
    one.write_bytes(gzip.compress((tmp_path / "a.warc").read_bytes()))
    assert len(plan(one, records=2)) == 1
    assert [type(r) for r in read(one)] == [RawPage] * 5
    cut = tmp_path / "cut.warc.gz"
    data = gzip.compress((tmp_path / "a.warc").read_bytes(), 0)
    cut.write_bytes(data[: len(data) * 3 // 4])
    records = read(cut)
    assert [type(r) for r in records[:2]] == [RawPage] * 2
    assert isinstance(records[-1], Failure)


def test_read_shard_ends_when_a_record_is_a_bomb(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * 80_000_000)
    warc(tmp_path / "a.warc.gz", [("response", "200 OK", HTML | {"Content-Encoding": "gzip"}, bomb), *good(1)])
    failure, page = read(tmp_path / "a.warc.gz")
    assert getattr(failure, "reason", None) == Reason.TOO_LARGE
    assert isinstance(page, RawPage)


# --------------------------------------------------------------------------- pages and texts


def test_plan_shards_walks_folders_in_order_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    files = {
        "b/two.htm": PAGE, "a/one.html": PAGE, "a/one_files/frame.html": PAGE, "a/style.css": "x", ".hidden.html": PAGE,
        "c/index": PAGE, "c/index.php": "<!-- saved --><html><body>x</body></html>", "c/notes.md": "# notes",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    pages = read(tmp_path, records=3, outlet="post.example")
    names = [str(Path(p.file).relative_to(tmp_path)) for p in pages if isinstance(p, RawPage)]
    assert names == ["a/one.html", "b/two.htm", "c/index", "c/index.php"]
    assert {p.outlet for p in pages} == {"post.example"}
    assert pages[0].ref == f"{tmp_path / 'a/one.html'}#0"


def test_read_shard_knows_where_a_browser_saved_a_page_from(tmp_path: Path) -> None:
    mark = "<!-- saved from url=(0030)https://post.example/a?id=7 -->"
    (tmp_path / "a.html").write_text(f"<!DOCTYPE html>\n{mark}\n{PAGE}")
    assert read(tmp_path / "a.html")[0].url == "https://post.example/a?id=7"


def test_read_shard_gives_texts_and_one_failure_for_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfThe ferry\r\nis back.")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    (tmp_path / "c.txt").write_bytes(b"  \n")
    records = read(tmp_path, published="2026-11-01", outlet="post.example")
    assert texts(records) == ["The ferry\r\nis back.", Reason.RECORD_UNREADABLE, Reason.NO_TEXT]
    first = records[0]
    assert isinstance(first, RawText)
    assert (first.published_given, first.outlet, first.title_in_text) == ("2026-11-01", "post.example", True)


def test_read_shard_keeps_a_text_byte_for_byte_when_already_clean(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf\tThe ferry\r\n\n is back. \n"
    (tmp_path / "a.txt").write_bytes(data)
    first = read(tmp_path / "a.txt", already_clean=True)[0]
    assert isinstance(first, RawText)
    assert first.text.encode() == data
    assert not first.title_in_text


# --------------------------------------------------------------------------- tables

ROWS = [
    {
        "id": 7, "text": "The ferry\nis back.", "title": "Ferry", "url": "https://post.example/7",
        "outlet": "post.example", "authors": "Jane Doe; John Roe", "date": "2026-11-23", "language": "en",
    },
    {"id": "x", "text": "Snow, again.", "title": None, "authors": ["Ann Poe"], "published_at": "2026-11-24T01:00:00Z"},
    {"id": "empty", "text": "  "},
    {"id": "none"},
]  # fmt: skip


def jsonl(path: Path, *lines: object) -> Path:
    rows = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(rows) + b"\n")
    return path


def check_rows(records: list[RawPage | RawText | Failure]) -> None:
    one, two, three, four = records
    assert isinstance(one, RawText)
    assert isinstance(two, RawText)
    assert dataclasses.replace(one, ref="", file="") == RawText(
        ref="", file="", offset=0, text="The ferry\nis back.", external_id="7", title="Ferry", url="https://post.example/7",
        outlet="post.example", authors=("Jane Doe", "John Roe"), published_given="2026-11-23", language="en",
        title_in_text=False,
    )  # fmt: skip
    assert (two.external_id, two.authors, two.published_given) == ("x", ("Ann Poe",), "2026-11-24T01:00:00Z")
    assert two.title_in_text
    for failure in (three, four):
        assert isinstance(failure, Failure)
        assert (failure.reason, failure.fate) == (Reason.NO_TEXT_COLUMN_VALUE, Fate.SKIPPED)
    assert [r.ref.rpartition("#")[2] for r in records] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("records", [1, 3, 100])
def test_read_shard_reads_jsonl(tmp_path: Path, records: int) -> None:
    check_rows(read(jsonl(tmp_path / "a.jsonl", *ROWS), records=records))
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes()))
    check_rows(read(tmp_path / "a.ndjson.gz", records=records))


@pytest.mark.parametrize(("records", "delimiter", "name"), [(1, ",", "a.csv"), (3, ";", "b.csv"), (9, "\t", "c.tsv")])
def test_read_shard_reads_csv(tmp_path: Path, records: int, delimiter: str, name: str) -> None:
    import csv

    columns = ["id", "text", "title", "url", "outlet", "authors", "published_at", "date", "language"]
    with (tmp_path / name).open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows([{**row, "authors": "Ann Poe"} if row["id"] == "x" else row for row in ROWS])
    check_rows(read(tmp_path / name, records=records))


@pytest.mark.parametrize("records", [1, 3, 100])
def test_read_shard_reads_parquet(tmp_path: Path, records: int) -> None:
    rows = [{**r, "id": str(r["id"]), "authors": "Ann Poe" if r["id"] == "x" else r.get("authors")} for r in ROWS]
    table = pa.Table.from_pylist(rows, schema=pa.schema([(c, pa.string()) for c in [*ROWS[0], "published_at"]]))
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    check_rows(read(tmp_path / "a.parquet", records=records))


def test_read_shard_takes_dates_and_lists_of_parquet(tmp_path: Path) -> None:
    when = dt.datetime(2026, 11, 24, 1, tzinfo=dt.UTC)
    table = pa.table({"body": ["The ferry."], "published_at": [when], "authors": [["A", "B"]], "key": [3]})
    pq.write_table(table, tmp_path / "a.parquet")
    record = read(tmp_path / "a.parquet", text_column="body", id_column="key")[0]
    assert isinstance(record, RawText)
    assert (record.published_given, record.authors, record.external_id) == (
        "2026-11-24T01:00:00+00:00",
        ("A", "B"),
        "3",
    )


def test_read_shard_fails_one_line_when_it_is_bad(tmp_path: Path) -> None:
    lines = [
        {"text": "one"},
        b'{"text": "cut',
        b"",
        b"[1, 2]",
        b'{"text": "caf\xe9"}',
        {"text": "half \ud83d pair"},
        {"text": 5},
    ]
    records = read(jsonl(tmp_path / "a.jsonl", *lines), records=2)
    bad = Reason.RECORD_UNREADABLE
    assert texts(records) == ["one", bad, bad, bad, "half \ufffd pair", Reason.NO_TEXT_COLUMN_VALUE]
    assert [r.ref.rpartition("#")[2] for r in records] == list("012345")


def test_read_shard_fails_one_row_of_csv_when_it_is_bad(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,text\n1,one\n2,caf\xe9\n\n3,"two\nlines"\n4\n5,last,more\n')
    records = read(tmp_path / "a.csv", records=2)
    assert texts(records) == ["one", Reason.RECORD_UNREADABLE, "two\nlines", Reason.NO_TEXT_COLUMN_VALUE, "last"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_read_shard_gives_the_same_in_any_order_of_shards(tmp_path: Path, name: str) -> None:
    rows = [{"text": f"text {i} " * (i % 50)} for i in range(1000)]
    if name == "a.parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name, row_group_size=300)
    else:
        jsonl(tmp_path / "a.jsonl", *rows)
        (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes()))
    shards = plan(tmp_path / name, records=70)
    in_order = [list(read_shard(s)) for s in shards]
    assert [r.ref.rpartition("#")[2] for out in in_order for r in out] == [str(i) for i in range(1000)]
    shuffled = list(range(len(shards)))
    random.Random(3).shuffle(shuffled)
    assert all(list(read_shard(shards[i])) == in_order[i] for i in shuffled)
    for half in read_shard(shards[4]):  # given up in the middle
        assert half == in_order[4][0]
        break
    both = zip(read_shard(shards[5]), read_shard(shards[6]), strict=False)  # side by side
    assert [list(side) for side in zip(*both, strict=True)] == [in_order[5], in_order[6]]


def test_read_shard_reads_a_table_called_gz_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(jsonl(tmp_path / "a.jsonl", {"text": "x"}).read_bytes())
    assert texts(read(tmp_path / "a.jsonl.gz")) == ["x"]


def test_plan_shards_reads_json_lines_called_json_when_named(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.json", {"text": "x"}, {"text": "y"})
    assert texts(read(tmp_path / "a.json")) == ["x", "y"]
    with pytest.raises(InputError, match="holds no page"):
        plan(tmp_path)


def test_read_shard_tells_where_a_cut_off_gzip_corpus_ends(tmp_path: Path) -> None:
    rows = [{"text": f"{i} " + "".join(chr(97 + (i * 7 + j * j) % 26) for j in range(300))} for i in range(300)]
    data = gzip.compress(jsonl(tmp_path / "a.jsonl", *rows).read_bytes())
    (tmp_path / "cut.jsonl.gz").write_bytes(data[: len(data) // 2])
    table = gzip.compress(b"text\n" + b"".join(f"{row['text']}\n".encode() for row in rows))
    (tmp_path / "cut.csv.gz").write_bytes(table[: len(table) // 2])
    assert 20 < len(read(tmp_path / "cut.csv.gz", records=50)) < 300
    records = read(tmp_path / "cut.jsonl.gz", records=50)
    assert 20 < len(records) < 300
    assert all(isinstance(r, RawText) for r in records[:-1])
    assert getattr(records[-1], "reason", None) == Reason.FILE_DAMAGED


def damaged(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out))
        if rng.random() < 0.5:
            out[at] ^= 1 << rng.randrange(8)
        elif rng.random() < 0.5:
            del out[at : at + rng.randint(1, 60)]
        else:
            out[at:at] = rng.randbytes(rng.randint(1, 20))
    return bytes(out)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz", "a.parquet"])
def test_read_shard_accounts_for_every_row_when_bytes_are_wrong(tmp_path: Path, name: str) -> None:
    rows = [{"id": str(i), "text": f'The ferry {i}, "quoted"\nnext é {i * i}'} for i in range(12)]
    table = pa.Table.from_pylist(rows)
    path = tmp_path / name
    if "csv" in name:
        table.to_pandas().to_csv(path, index=False)
    elif "jsonl" in name:
        table.to_pandas().to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        pq.write_table(table, path, row_group_size=4)
    whole = path.read_bytes()
    assert len(read(path, records=5)) == 12
    for seed in range(60):
        path.write_bytes(damaged(whole, random.Random(seed)))
        try:
            records = read(path, records=5)  # checks that planning and reading agree on their number
        except InputError:
            continue  # nothing of it can be read
        assert [r.ref.rpartition("#")[2] for r in records] == [str(i) for i in range(len(records))]


def test_read_shard_keeps_half_when_a_gzip_corpus_is_damaged_in_the_middle(tmp_path: Path) -> None:
    rows = [{"text": "".join(chr(97 + (i * 7 + j * j * i) % 26) for j in range(300))} for i in range(2000)]
    data = bytearray(gzip.compress(jsonl(tmp_path / "a.jsonl", *rows).read_bytes()))
    data[len(data) // 2] ^= 255
    (tmp_path / "bad.jsonl.gz").write_bytes(data)
    records = read(tmp_path / "bad.jsonl.gz", records=500)
    assert len(records) > 500
    assert getattr(records[-1], "reason", None) == Reason.FILE_DAMAGED


def test_read_shard_fails_one_row_of_parquet_when_it_is_no_text(tmp_path: Path) -> None:
    raw = pa.array([b"one", b"caf\xe9", b"three"], pa.binary())
    pq.write_table(pa.table({"text": raw}), tmp_path / "bytes.parquet")
    pq.write_table(pa.table({"text": raw.view(pa.string())}), tmp_path / "false.parquet")
    for name in ("bytes.parquet", "false.parquet"):
        assert texts(read(tmp_path / name)) == ["one", Reason.RECORD_UNREADABLE, "three"]


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        ("Jane Doe", ("Jane Doe",)),
        ("Jane Doe, John Roe", ("Jane Doe", "John Roe")),
        ("Doe, Jane; Roe, John", ("Doe, Jane", "Roe, John")),
        (["Jane Doe", "", None], ("Jane Doe",)),
        ([{"name": "Jane Doe"}], ("Jane Doe",)),
        (None, ()),
        (5, ("5",)),
    ],
)
def test_read_shard_understands_authors(tmp_path: Path, given_as: object, expected: tuple[str, ...]) -> None:
    record = read(jsonl(tmp_path / "a.jsonl", {"text": "x", "authors": given_as}))[0]
    assert isinstance(record, RawText)
    assert record.authors == expected


def test_read_shard_finds_columns_whatever_their_case(tmp_path: Path) -> None:
    record = read(jsonl(tmp_path / "a.jsonl", {"Text": "words", "TITLE": "Ferry"}))[0]
    assert isinstance(record, RawText)
    assert (record.text, record.title) == ("words", "Ferry")


# --------------------------------------------------------------------------- shards


def test_plan_shards_cuts_by_records_and_by_bytes(tmp_path: Path) -> None:
    warc(tmp_path / "a.warc.gz", good(10))
    assert [s.count for s in plan(tmp_path / "a.warc.gz", records=4)] == [4, 4, 2]
    assert len(plan(tmp_path / "a.warc.gz", max_bytes=600)) > 3
    corpus = jsonl(tmp_path / "a.jsonl", *[{"text": "x" * 1000}] * 10)
    assert [s.count for s in plan(corpus, records=4)] == [4, 4, 2]
    assert [s.count for s in plan(corpus, max_bytes=3000)] == [3, 3, 3, 1]
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("x" * 1000)
    assert [s.count for s in plan(*sorted(tmp_path.glob("*.txt")), max_bytes=2000)] == [2, 2, 1]


def test_shard_id_stays_for_the_same_input_and_changes_with_it(tmp_path: Path) -> None:
    corpus = jsonl(tmp_path / "a.jsonl", *[{"text": f"text {i}"} for i in range(10)])
    before = [s.shard_id for s in plan(corpus, records=5)]
    assert [s.shard_id for s in plan(corpus, records=5)] == before
    assert len(set(before)) == 2
    assert [s.shard_id for s in plan(corpus, records=5, already_clean=True)] != before
    jsonl(corpus, *[{"text": f"text {i}" if i != 9 else "text X"} for i in range(10)])
    after = [s.shard_id for s in plan(corpus, records=5)]
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_plan_shards_gives_two_equal_files_two_shards(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "a.jsonl", {"text": "x"})
    two = jsonl(tmp_path / "b.jsonl", {"text": "x"})
    assert len({s.shard_id for s in plan(one, two)}) == 2


def test_plan_shards_reads_a_file_once_when_named_twice(tmp_path: Path) -> None:
    corpus = jsonl(tmp_path / "a.jsonl", {"text": "x"})
    assert len(plan(corpus, tmp_path, corpus)) == 1


def bad_inputs(folder: Path) -> dict[str, tuple[Path, str]]:
    (folder / "empty_folder").mkdir()
    (folder / "pictures").mkdir()
    (folder / "pictures/a.png").write_bytes(b"\x89PNG")
    (folder / "a.warc.gz").write_bytes(gzip.compress(b"no warc"))
    (folder / "b.warc").write_bytes(b"no warc either")
    (folder / "c.warc.gz").write_bytes(b"")
    (folder / "d.docx").write_bytes(b"PK")
    (folder / "e.jsonl").write_bytes(b"")
    (folder / "f.jsonl").write_bytes(b"this is not json\n")
    jsonl(folder / "g.jsonl", {"body": "x", "headline": "y"})
    (folder / "h.csv").write_bytes(b"body,headline\nx,y\n")
    (folder / "i.csv").write_bytes(b"id,text\n")
    (folder / "j.csv").write_bytes("id,text\n1,x\n".encode("utf-16"))
    (folder / "k.parquet").write_bytes(b"PAR1 no")
    pq.write_table(pa.table({"body": ["x"]}), folder / "l.parquet")
    (folder / "m.txt").write_bytes(b"caf\xe9")
    (folder / "n.txt").write_bytes(b" \n")
    (folder / "p.json").write_bytes(b'[{"text": "x"}]')
    (folder / "o.jsonl.gz").write_bytes(b"\x1f\x8bbroken")
    return {
        "missing": (folder / "nowhere.jsonl", "there is no"),
        "empty folder": (folder / "empty_folder", "it is empty"),
        "folder without pages": (folder / "pictures", "holds no page"),
        "no warc in gzip": (folder / "a.warc.gz", "not a WARC file"),
        "no warc": (folder / "b.warc", "not a WARC file"),
        "empty warc": (folder / "c.warc.gz", "not a WARC file"),
        "unknown kind": (folder / "d.docx", ".jsonl"),
        "empty jsonl": (folder / "e.jsonl", "the corpus is empty"),
        "no json": (folder / "f.jsonl", "one JSON object a line"),
        "jsonl without text": (folder / "g.jsonl", "'body', 'headline'"),
        "csv without text": (folder / "h.csv", "--text-column"),
        "csv without rows": (folder / "i.csv", "the corpus is empty"),
        "utf-16 csv": (folder / "j.csv", "save it as UTF-8"),
        "no parquet": (folder / "k.parquet", "not a Parquet file"),
        "parquet without text": (folder / "l.parquet", "it has 'body'"),
        "text not utf-8": (folder / "m.txt", "not UTF-8"),
        "empty text": (folder / "n.txt", "is empty"),
        "json array": (folder / "p.json", "jq -c"),
        "broken gzip": (folder / "o.jsonl.gz", "cannot be read"),
    }


def test_plan_shards_says_what_to_do_when_used_wrong(tmp_path: Path) -> None:
    for name, (path, said) in bad_inputs(tmp_path).items():
        with pytest.raises(InputError) as error:
            plan(path)
        assert said in str(error.value), name
        assert str(path) in str(error.value), name


def test_plan_shards_names_the_columns_when_one_is_not_there(tmp_path: Path) -> None:
    corpus = jsonl(tmp_path / "a.jsonl", {"text": "x", "key": 1})
    with pytest.raises(
        InputError, match=r"no column 'txt'; it has 'text', 'key'\. Did you mean 'text'\?.*--text-column"
    ):
        plan(corpus, text_column="txt")
    with pytest.raises(InputError, match=r"no column 'uid'.*--id-column"):
        plan(corpus, id_column="uid")
    with pytest.raises(InputError, match="no input given"):
        plan()
