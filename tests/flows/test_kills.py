"""kill -9 at random moments, then the same command again: the tables of an undisturbed run, and no page fetched twice.

A power cut is a kill after which every file keeps only what was synced of it. One in the suite; many moments of nights,
power cuts and backfills under `make soak`. The moments come from a fixed seed, as shares of the time that an undisturbed
run takes.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks import tables
from tasks.scrape.archive import archived_addresses
from tests.flows.test_ingest import CITIES, PIECES
from tests.scrape.press import Press, serving

ROOT = Path(__file__).parents[2]
ENV = {
    "NIGHTDESK__ENGINE__RUNNER": "inline",
    "NIGHTDESK__ENGINE__SHARD_RECORDS": "4",
    "NIGHTDESK__SCRAPE__DELAY_S": "0.05",
    "NIGHTDESK__SCRAPE__RECORDS_PER_WARC": "5",
    "NIGHTDESK__SCRAPE__ALLOW_ADDRESSES": '["127.0.0.0/8"]',
    "OMP_NUM_THREADS": "1",
}
OF_THE_CLOCK = {"articles": {"fetched_at", "valid_from", "raw_ref"}, "inputs": {"ref"}}
"""What names the moment of a fetch, or lies behind a record that does."""
SHORTEST = 2.0
"""Seconds from which a moment that came after the end is not halved and tried again."""
NIGHT = "2026-03-04"
PAGES = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is run in a folder, and how that folder is made ready."""

    args: Callable[[Path], list[str]]
    ready: Callable[[Path], None]
    again: bool
    """Whether it may be given again when it is done, and changes nothing."""


SYNCS = """
import os

plain = os.fsync

def fsync(file):
    plain(file)
    at = os.fstat(file if isinstance(file, int) else file.fileno())
    with open(os.environ["SYNCED"], "a") as log:
        log.write(f"{at.st_ino} {at.st_size}\\n")

os.fsync = os.fdatasync = fsync
"""
"""A sitecustomize for the command's processes: which files were synced, by inode, and how long they were then."""


def _cut_power(folder: Path) -> int:
    """Leave of every file below the folder what a machine surely has of it after a power cut; how many lost something."""
    synced: dict[int, int] = {}
    for line in (folder / "synced").read_text(encoding="utf-8").splitlines():
        inode, size = map(int, line.split())
        synced[inode] = max(size, synced.get(inode, 0))
    lost = 0
    for file in [*(folder / "raw").rglob("*"), *(folder / "out").rglob("*")]:
        at = file.lstat()
        kept = synced.get(at.st_ino, 0)
        if not file.is_file() or file.suffix.startswith(".sqlite") or at.st_size <= kept:
            continue  # SQLite syncs by itself
        os.truncate(file, kept)
        lost += 1
    return lost


def _page(number: int) -> bytes:
    city = CITIES[number % 8]
    paragraphs = "".join(f"<p>{p.format(city=city, n=11 + number)}</p>" for p in PIECES)
    title = f"March number {number} through {city}"
    return (
        f"<html><head><title>{title}</title><meta property='article:published_time' content='2026-03-03T0{number % 9}:00Z'>"
        f"</head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    ).encode()


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with serving({}) as made:
        for outlet in ("post", "star"):
            numbers = range(PAGES) if outlet == "post" else range(PAGES, 2 * PAGES)
            items = "".join(f"<item><title>n</title><link>{made.base}/{outlet}/{n}</link></item>" for n in numbers)
            made.answers[f"/{outlet}/rss"] = f"<rss version='2.0'><channel>{items}</channel></rss>".encode()
            for n in numbers:
                made.answers[f"/{outlet}/{n}"] = _page(n)
        yield made


def _run(press: Press) -> Command:
    def ready(folder: Path) -> None:
        rows = [
            f'[[outlet]]\ndomain = "{o}.example"\nfeeds = ["{press.base}/{o}/rss"]\n' for o in ("post", "star")
        ]  # fmt: skip
        (folder / "outlets.toml").write_text("\n".join(rows), encoding="utf-8")

    def args(folder: Path) -> list[str]:
        return ["run", "--outlets", str(folder / "outlets.toml"), "--night", NIGHT, "--raw", str(folder / "raw")]

    return Command(args=args, ready=ready, again=False)


def _backfill(press: Press, tmp: Path) -> Command:
    """A night made with other settings, made again."""
    made = tmp / "made"
    made.mkdir()
    run = _run(press)
    run.ready(made)
    _start(run.args(made), made, ENV | {"NIGHTDESK__EXTRACT__LANGUAGES": '["de"]'}).wait()

    def ready(folder: Path) -> None:
        shutil.copytree(made, folder, dirs_exist_ok=True)

    def args(folder: Path) -> list[str]:
        return ["backfill", NIGHT, NIGHT, "--raw", str(folder / "raw")]

    return Command(args=args, ready=ready, again=True)


def _start(args: list[str], folder: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *args, "--out", str(folder / "out")],
        cwd=ROOT, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def _whole(command: Command, folder: Path) -> None:
    process = _start(command.args(folder), folder, ENV)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told.decode()[-2000:]


def _rows(folder: Path) -> dict[str, list[str]]:
    found = {}
    for table in tables.TABLES:
        if table == "runs":
            continue
        leave = OF_THE_CLOCK.get(table, set())
        rows = [
            r for f in sorted((folder / "out" / table).rglob("*.parquet")) for r in pq.ParquetFile(f).read().to_pylist()
        ]
        found[table] = sorted(json.dumps({k: v for k, v in r.items() if k not in leave}, default=str) for r in rows)
    return found


def _archived(folder: Path) -> set[str]:
    """Paths of the pages that are whole in the raw archive, finished files and the open one."""
    files = [f for f in (folder / "raw").rglob("*") if f.is_file()]
    return {"/" + address.split("/", 3)[3] for f in files for address, _ in archived_addresses(f)}


def _killed(command: Command, folder: Path, after: float, cut: bool) -> bool:
    """Whether it was still at work when it was killed: a run whose shards are discarded is done, and given again it is
    the night's second one."""
    env = dict(ENV)
    if cut:
        (folder / "watch").mkdir()
        (folder / "watch" / "sitecustomize.py").write_text(SYNCS, encoding="utf-8")
        (folder / "synced").touch()
        env |= {"PYTHONPATH": str(folder / "watch"), "SYNCED": str(folder / "synced")}
    process = _start(command.args(folder), folder, env)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if cut:
        _cut_power(folder)
    return not (folder / "out" / "runs").is_dir() or any((folder / "out" / ".work").iterdir())


def _trials(command: Command, press: Press, tmp: Path, moments: int, seed: str, cut: bool = False) -> None:
    plain = tmp / "plain"
    plain.mkdir()
    command.ready(plain)
    begun = time.monotonic()
    _whole(command, plain)
    lasts = time.monotonic() - begun
    wanted = _rows(plain)
    assert len(wanted["quotes"]) > PAGES
    rng = random.Random(seed)
    hits = 0
    for trial in range(moments):
        folder = tmp / str(trial)
        after = lasts * rng.uniform(0.15, 1.0)
        while True:
            folder.mkdir()
            command.ready(folder)
            hit = _killed(command, folder, after, cut)
            if hit or after < SHORTEST:
                break
            lasts = min(lasts, after)  # it was done sooner than the undisturbed one, on a machine with less to do
            after /= 2
            shutil.rmtree(folder)
        hits += hit
        archived, before = _archived(folder), len(press.log)
        if hit or command.again:
            _whole(command, folder)
        again = Counter(press.paths()[before:])
        assert not archived & set(again), f"fetched again in trial {trial}"
        for table, rows in _rows(folder).items():
            assert rows == wanted[table], f"{table} in trial {trial}"
        shutil.rmtree(folder)
    assert hits >= moments / 2, "most kills came after the end: the moments say nothing"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_night_whose_power_is_cut_is_the_same(press: Press, tmp_path: Path) -> None:
    _trials(_run(press), press, tmp_path, 1, "run", cut=True)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_night_killed_at_forty_moments_is_the_same(press: Press, tmp_path: Path) -> None:
    _trials(_run(press), press, tmp_path, 40, "soak")


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_night_whose_power_is_cut_at_twenty_moments_is_the_same(press: Press, tmp_path: Path) -> None:
    _trials(_run(press), press, tmp_path, 20, "cut", cut=True)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_backfill_killed_at_twenty_moments_is_the_same(press: Press, tmp_path: Path) -> None:
    _trials(_backfill(press, tmp_path), press, tmp_path, 20, "soak")
