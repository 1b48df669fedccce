"""A night over the hostile press: every misbehaviour ends in its reason within its limits, good outlets lose nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.scrape.hostile import GOOD_OUTLETS, GOOD_PAGES, TABLE

ROOT = Path(__file__).parents[2]
MEMORY_BYTES = 1_000_000_000
SHORT = {
    "NIGHTDESK__SCRAPE__TIMEOUT_S": "5", "NIGHTDESK__SCRAPE__TOTAL_TIMEOUT_S": "10", "NIGHTDESK__SCRAPE__ATTEMPTS": "1",
    "NIGHTDESK__SCRAPE__HOST_TIME_S": "45", "NIGHTDESK__SCRAPE__MAX_BYTES": "5000000",
    "NIGHTDESK__SCRAPE__DELAY_S": "0", "NIGHTDESK__DISCOVER__MAX_ADDRESSES": "40",
}  # fmt: skip
LONG = {
    "NIGHTDESK__SCRAPE__DELAY_S": "0.2", "NIGHTDESK__SCRAPE__HOST_TIME_S": "300",
    "NIGHTDESK__DISCOVER__MAX_ADDRESSES": "200",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """One night: its summary, its inputs, seconds, and the most memory its process held."""

    summary: dict[str, object]
    inputs: pd.DataFrame
    articles: pd.DataFrame
    seconds: float
    peak_bytes: int
    files: list[bytes]


def serve(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.scrape.hostile", str(folder)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    return server


def held_most(pid: int) -> int:
    """Most memory in bytes that a running process has held; 0 once it has ended, or where that cannot be read."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def run(folder: Path, night: str, limits: dict[str, str]) -> Result:
    """A night by the command line, in a process of its own so that its memory can be read."""
    command = [sys.executable, "-m", "flows.cli", "run", "--outlets", str(folder / "outlets.toml"), "--json"]
    command += ["--out", str(folder / "out"), "--raw", str(folder / "raw"), "--night", night]
    command += ["--allow-address", "127.77.0.0/16"]
    begun = time.monotonic()
    log = folder / "log"
    with (folder / "summary.json").open("w") as out, log.open("w") as err:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=err, env=os.environ | {"NIGHTDESK__ENGINE__RUNNER": "inline"} | limits
        )
        # not the rusage of the process: that begins with the memory of the one it was forked from, these tests
        peak = 0
        while process.poll() is None:
            peak = max(peak, held_most(process.pid))
            time.sleep(0.2)
    assert process.returncode in (0, 3), log.read_text()[-3000:]
    summary = json.loads((folder / "summary.json").read_text())
    inputs = pd.read_parquet(folder / "out" / "inputs")
    warcs = [p.read_bytes() for p in (folder / "raw").rglob("*.warc.gz")]
    return Result(
        summary=summary,
        inputs=inputs[inputs.run_id == summary["run_id"]],
        articles=pd.read_parquet(folder / "out" / "articles"),
        seconds=time.monotonic() - begun,
        peak_bytes=peak,
        files=[*warcs, log.read_bytes()],
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    folder = tmp_path_factory.mktemp("hostile")
    server = serve(folder)
    try:
        yield run(folder, "2026-11-24", SHORT)
    finally:
        server.kill()
        server.wait()


def endings(inputs: pd.DataFrame) -> dict[int, set[str | None]]:
    found: defaultdict[int, set[str | None]] = defaultdict(set)
    for row in inputs.itertuples():
        if str(row.outlet).startswith("hostile"):
            number = int(row.outlet.removeprefix("hostile").partition(".")[0])
            found[number].add(None if row.fate in ("article", "copy", "unchanged") else row.reason)
    return found


def check(result: Result) -> None:
    found = endings(result.inputs)
    wrong = [(m.name, sorted(map(str, found[i])), m.ends) for i, m in enumerate(TABLE) if not found[i] <= set(m.ends)]
    assert not wrong
    silent = [m.name for i, m in enumerate(TABLE) if not found[i] and m.at not in ("sitemap", "front")]
    assert not silent


def test_table_holds_enough_misbehaviours_each_with_a_name_of_its_own() -> None:
    assert len({m.name for m in TABLE}) == len(TABLE) >= 40


def test_every_misbehaviour_ends_in_its_reason(night: Result) -> None:
    check(night)


def test_good_outlets_lose_nothing(night: Result) -> None:
    good = night.inputs[night.inputs.outlet.str.startswith("good")]
    assert len(good) == GOOD_OUTLETS * GOOD_PAGES
    assert set(good.fate) <= {"article", "copy"}
    assert night.articles.outlet.str.startswith("good").sum() == GOOD_OUTLETS * GOOD_PAGES


def test_sums_close_and_limits_hold(night: Result) -> None:
    fates = night.summary["fates"]
    assert isinstance(fates, dict)
    assert sum(fates.values()) == night.summary["inputs"] == len(night.inputs)
    assert night.peak_bytes < MEMORY_BYTES
    assert night.peak_bytes or sys.platform != "linux"
    most = night.inputs.groupby("outlet").size().max()
    assert most <= 41  # discover.max_addresses, and the source itself


def test_nothing_of_a_secret_is_written_down(night: Result) -> None:
    import gzip

    text = b"".join(gzip.decompress(f) if f[:2] == b"\x1f\x8b" else f for f in night.files)
    assert b"geheim" not in text
    assert b"smuggled" not in text
    assert not night.inputs.astype(str).apply(lambda column: column.str.contains("geheim|root:")).any().any()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nights_with_the_limits_of_real_ones(tmp_path: Path) -> None:
    server = serve(tmp_path)
    try:
        for day in (24, 25):
            result = run(tmp_path, f"2026-11-{day}", LONG)
            assert result.peak_bytes < MEMORY_BYTES
            good = result.inputs[result.inputs.outlet.str.startswith("good")]
            assert len(good) == GOOD_OUTLETS * GOOD_PAGES
            assert set(good.fate) <= {"article", "copy", "unchanged"}
            if day == 24:
                check(result)
    finally:
        server.kill()
        server.wait()
