"""Whole runs with raw archive and tables in a bucket: the tables of a run on the disk."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from flows import elsewhere, engine
from flows.cli import app
from flows.doctor import _bucket as bucket_check
from flows.places import at_hand
from tasks import load, tables
from tasks.remote.bucket import Bucket
from tasks.remote.mirror import HEAD
from tasks.scrape.shards import Shard
from tasks.settings import Settings
from tests.flows.test_ingest import ROOT, _corpus, _same
from tests.flows.test_kills import NIGHT, OF_THE_CLOCK, _page
from tests.scrape.press import Press, serving

INLINE = {"NIGHTDESK__ENGINE__RUNNER": "inline", "NIGHTDESK__ENGINE__SHARD_RECORDS": "4"}


@pytest.fixture
def machine(tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one machine, its cache in it."""
    for name, value in INLINE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NIGHTDESK__S3__CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, and in `out` its tables on the disk."""
    folder = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in INLINE.items():
            patch.setenv(name, value)
        _run("ingest", _corpus(folder), "--already-clean", "--night", NIGHT, "--out", folder / "out")
    return folder


def _run(*args: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(a) for a in args])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def _download(address: str, to: Path) -> Path:
    """The published tables, as a plain S3 client has them."""
    bucket = Bucket(address)
    for name, found in bucket.found().items():
        if name.split("/")[0] in tables.TABLES:
            bucket.fetch(found.key, to / name)
    return to


def test_an_ingest_into_a_bucket_gives_the_tables_of_one_into_a_folder_and_every_command_reads_them(
    plain: Path, machine: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = f"{s3}/tables"
    told = _run("ingest", plain / "corpus.jsonl", "--already-clean", "--night", NIGHT, "--out", out)
    assert out in told.output
    _same(plain / "out", _download(out, machine / "got"))
    settings = json.loads(pd.read_parquet(machine / "got" / "runs")["settings"][0])
    assert settings["processed"] == out
    assert "s3cret" not in json.dumps(settings)
    assert not Bucket(out).found(".work/")
    monkeypatch.setenv("NIGHTDESK__S3__CACHE", str(machine / "another"))
    assert f'pd.read_parquet("{out}/quotes")' in _run("tables", "--out", out).output
    assert "Odhiambo" in _run("show", "doc-0", "--out", out).output
    _run("export", "--to", machine / "csv", "--out", out)
    assert (machine / "csv" / "quotes.csv").is_file()
    _run("report", "--out", out)
    assert len(load.quotes(out)) == len(pd.read_parquet(machine / "got" / "quotes"))


def test_doctor_looks_whether_a_bucket_can_be_written(machine: Path, s3: str) -> None:
    found = bucket_check("tables", at_hand(Settings.load(processed=f"{s3}/tables")).processed)
    assert found.good
    assert f"{s3}/tables, which can be read and written" in found.found
    assert not Bucket(f"{s3}/tables").found()


def test_workers_with_another_disk_give_the_same_tables(
    plain: Path, machine: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent to them holds addresses only, and what comes back lies in the bucket."""
    put: list[str] = []

    def clean(shard: Shard, *more: Any) -> Any:
        assert all(p.startswith("s3://") for p in shard.paths)
        return clean_there(shard, *more)

    def noted(self: Bucket, name: str, source: Path) -> None:
        put.append(name)
        was_put(self, name, source)

    was_put, clean_there = Bucket.put, elsewhere.clean_there
    monkeypatch.setattr(engine.Inline, "far", True)
    monkeypatch.setattr(elsewhere, "clean_there", clean)
    monkeypatch.setattr(Bucket, "put", noted)
    Bucket(s3).create("in/corpus.jsonl", (plain / "corpus.jsonl").read_bytes())
    _run("ingest", f"{s3}/in/corpus.jsonl", "--already-clean", "--night", NIGHT, "--out", f"{s3}/tables")
    steps = Counter(name.split("/")[2] for name in put if name.startswith(".work/"))
    assert steps == {"clean": 2, "settled": 2, "extract": 2}
    assert not Bucket(f"{s3}/tables").found(".work/")
    got = _download(f"{s3}/tables", machine / "got")
    for table in ("quotes", "sources", "events"):
        assert _rows(got)[table] == _rows(plain / "out")[table]


def test_stored_inputs_are_read_from_a_bucket(machine: Path, s3: str) -> None:
    text = _corpus(machine, 6).read_bytes()
    Bucket(s3).create("in/a.jsonl", text)
    Bucket(s3).create("in/sub/b.jsonl.gz", gzip.compress(text.replace(b"doc-", b"more-"), mtime=0))
    Bucket(s3).create("in-other.jsonl", b"")
    _run("ingest", f"{s3}/in/", "--already-clean", "--night", NIGHT, "--out", f"{s3}/tables")
    inputs = load.inputs(f"{s3}/tables")
    assert set(inputs["ref"].str.rpartition("#")[0]) == {f"{s3}/in/a.jsonl", f"{s3}/in/sub/b.jsonl.gz"}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("ingest", "{s3}/nothing.jsonl", "--out", "{s3}/t"), "there is nothing at"),
        (("ingest", "{s3}", "--out", "{s3}/t"), "is a whole bucket"),
        (("tables", "--out", "s3://no-such-bucket/t"), "there is no bucket no-such-bucket"),
        (("run", "--raw", "s3://no-such-bucket/r"), "there is no bucket no-such-bucket"),
    ],
)
def test_wrong_addresses_are_told(machine: Path, s3: str, args: tuple[str, ...], told: str) -> None:
    (machine / "outlets.toml").write_text('[[outlet]]\ndomain = "a.example"\nfeeds = ["http://a.example/"]\n')
    given = [a.format(s3=s3) for a in args]
    if args[0] == "run":
        given += ["--outlets", str(machine / "outlets.toml"), "--out", str(machine / "out")]
    assert told in " ".join(_run(*given, code=2).output.split())


@pytest.mark.usefixtures("machine")
def test_load_tells_of_a_bucket_that_is_not_there() -> None:
    with pytest.raises(load.LoadError, match="there is no bucket no-such-bucket"):
        load.quotes("s3://no-such-bucket/tables")


# --------------------------------------------------------------------------- nights


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with serving({}) as made:
        items = "".join(f"<item><title>n</title><link>{made.base}/post/{n}</link></item>" for n in range(7))
        made.answers["/post/rss"] = f"<rss version='2.0'><channel>{items}</channel></rss>".encode()
        for n in range(7):
            made.answers[f"/post/{n}"] = _page(n)
        yield made


def _outlets(press: Press, folder: Path) -> Path:
    file = folder / "outlets.toml"
    file.write_text(f'[[outlet]]\ndomain = "post.example"\nfeeds = ["{press.base}/post/rss"]\n', encoding="utf-8")
    return file


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTDESK__SCRAPE__DELAY_S", "0")
    monkeypatch.setenv("NIGHTDESK__SCRAPE__RECORDS_PER_WARC", "5")
    monkeypatch.setenv("NIGHTDESK__SCRAPE__ALLOW_ADDRESSES", '["127.0.0.0/8"]')


def _rows(folder: Path) -> dict[str, list[str]]:
    found = {}
    for table in tables.TABLES:
        if table != "runs":
            data = pd.read_parquet(folder / table).drop(columns=[*OF_THE_CLOCK.get(table, ()), "dt"])
            found[table] = sorted(data.to_json(orient="records", lines=True).splitlines())
    return found


@pytest.mark.usefixtures("quick")
def test_a_night_into_a_bucket_is_one_into_a_folder(
    machine: Path, s3: str, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ["run", "--outlets", _outlets(press, machine), "--night", NIGHT]
    _run(*args, "--out", machine / "plain", "--raw", machine / "plain-raw")
    there = ["--out", f"{s3}/tables", "--raw", f"{s3}/raw"]
    monkeypatch.setattr(engine.Inline, "far", True)
    _run(*args, *there)
    assert _rows(_download(f"{s3}/tables", machine / "got")) == _rows(machine / "plain")
    assert len(Bucket(f"{s3}/raw").found(f"{NIGHT}/")) == 2
    assert not list((machine / "cache").rglob("*.warc.gz")), "what is safe in the bucket goes from the disk"


@pytest.mark.soak
@pytest.mark.usefixtures("quick")
def test_a_night_of_a_bucket_is_made_again_on_another_machine(
    machine: Path, s3: str, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ["--out", f"{s3}/tables", "--raw", f"{s3}/raw"]
    _run("run", "--outlets", _outlets(press, machine), "--night", NIGHT, *there)
    made = _rows(_download(f"{s3}/tables", machine / "got"))
    monkeypatch.setattr(engine.Inline, "far", True)
    monkeypatch.setenv("NIGHTDESK__S3__CACHE", str(machine / "another"))
    monkeypatch.setenv("NIGHTDESK__CLEAN__MIN_CHARS", "251")  # so that there is something to make again
    before = len(press.log)
    assert "1 made again" in _run("backfill", NIGHT, NIGHT, *there).output
    _run("prune", "--days", "1", *there)
    assert not Bucket(f"{s3}/raw").found()
    assert len(press.log) == before
    assert _rows(_download(f"{s3}/tables", machine / "again")) == made


KILL = """
import os, signal, sys
from tasks.remote.bucket import Bucket
from flows.cli import app
copy, done = Bucket.copy, []
def killed(self, key, name):
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(name)
    copy(self, key, name)
Bucket.copy = killed
app(sys.argv[1:])
"""


@pytest.mark.soak
def test_a_night_killed_among_its_copies_is_finished_by_the_same_command(
    plain: Path, machine: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = f"{s3}/tables"
    args = ["ingest", str(plain / "corpus.jsonl"), "--already-clean", "--night", NIGHT]
    killed = subprocess.run([sys.executable, "-c", KILL, *args, "--out", out], cwd=ROOT, env=os.environ, timeout=120)
    assert killed.returncode == -9
    assert len([n for n in Bucket(out).found(".commit/") if n != HEAD]) > 3
    monkeypatch.setenv("NIGHTDESK__S3__CACHE", str(machine / "another"))
    assert len(load.articles(out)) == 8, "who reads follows the list"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NIGHTDESK__S3__CACHE", str(machine / "cache"))
        _run(*args, "--out", out)
    _same(plain / "out", _download(out, machine / "got"))
