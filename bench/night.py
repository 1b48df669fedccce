"""What is measured through the command line: the article it began with, and speed beside the afternoon script."""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.gold import DATA, OURS, SHARED, WORK, Absent, Row
from bench.pages import read_pages

COMMAND = Path(sys.executable).with_name("nightdesk")
WARCS = [DATA / "pages" / "dev.warc.gz", DATA / "pages" / "more.warc.gz"]
WORKERS = 2
LIMIT_S = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One run of a command: wall and CPU seconds of all its processes, and the most memory one of them held."""

    seconds: float
    cpu_seconds: float
    parent_mb: float
    worker_mb: float
    rc: int
    tail: str


def ingest(name: str, *arguments: str) -> list[str]:
    """A nightdesk command into a fresh folder. Raises Absent if the command is not installed."""
    if not COMMAND.is_file():
        raise Absent(f"there is no {COMMAND.name} beside the interpreter: run `make setup`")
    for folder in (WORK / name, WORK / f"{name}-raw"):
        shutil.rmtree(folder, ignore_errors=True)
    return [str(COMMAND), "ingest", *arguments, "--out", str(WORK / name), "--raw", str(WORK / f"{name}-raw")]


def timed(command: list[str]) -> Timed:
    """Run a command, watching the memory of all its processes five times a second."""
    WORK.mkdir(parents=True, exist_ok=True)
    peaks: dict[int, int] = {}
    begun, spent = time.monotonic(), _cpu_of_children()
    with (WORK / "command.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=WORK)
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks, over))
        watcher.start()
        try:
            rc = process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            rc = 124
        finally:
            _end(process)
            over.set()
            watcher.join()
        seconds = time.monotonic() - begun
        log.seek(0)
        tail = log.read()[-2000:]
    workers = [peak for pid, peak in peaks.items() if pid != process.pid]
    parent = peaks.get(process.pid, 0)
    worker = max(workers, default=0)
    cpu = _cpu_of_children() - spent
    return Timed(seconds=seconds, cpu_seconds=cpu, parent_mb=parent / 1e6, worker_mb=worker / 1e6, rc=rc, tail=tail)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, with the workers it started."""
    if process.poll() is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for child in family:
        if child.is_running():
            child.kill()
    process.wait()


def _cpu_of_children() -> float:
    """CPU seconds of all processes that were started from here and have ended, those that they waited for included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(root: int, peaks: dict[int, int], over: threading.Event) -> None:
    while not over.wait(0.2):
        try:
            parent = psutil.Process(root)
            family = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in family:
            try:
                peaks[process.pid] = max(peaks.get(process.pid, 0), process.memory_info().rss)
            except psutil.NoSuchProcess:
                continue


def run_seed() -> list[Row]:
    """The seed article through `nightdesk ingest`, and what its scorer finds short."""
    text = SHARED / "seed" / "independent-2016-10-29.txt"
    command = ingest("seed", str(text), "--published", "2016-10-29", "--outlet", "independent.co.uk")
    run = timed(command)
    if run.rc not in (0, 3):
        raise Absent(f"nightdesk ingest ended with {run.rc}: {run.tail.strip().splitlines()[-1:]}")
    scorer = [sys.executable, str(SHARED / "tools" / "score_seed.py"), str(SHARED / "seed"), str(WORK / "seed")]
    said = subprocess.run(scorer, capture_output=True, text=True, check=False).stdout.strip()
    counts = {
        name: float(n) for name, n in re.findall(r"(paragraphs|quotes|speakers|sources|events|ghosts) (\d+)", said)
    }
    note = said.rpartition("short: ")[2]
    return [
        Row(section="seed", set="seed", system=OURS, figures={**counts, "seconds": round(run.seconds, 1)}, note=note)
    ]


def commands(files: list[str]) -> dict[str, Callable[[], list[str]]]:
    """The commands that are timed, each made afresh because ours begins with an empty folder."""
    afternoon = str(Path(__file__).with_name("afternoon.py"))
    script = [sys.executable, afternoon, str(WORK / "afternoon"), *files, "--workers", str(WORKERS)]
    return {
        "afternoon script": lambda: script,
        OURS: lambda: ingest("speed", *files, "--workers", str(WORKERS)),
        "afternoon script, English only": lambda: [*script, "--english"],
    }


def run_speed(rounds: int = 1) -> list[Row]:
    """Pages a second, from command to tables, one command after the other in turn; median over the rounds."""
    pages = sum(len(read_pages(file)) for file in WARCS)
    load = os.getloadavg()[0]
    made = commands([str(file) for file in WARCS])
    runs: dict[str, list[Timed]] = {name: [] for name in made}
    for _ in range(rounds):
        for name, command in made.items():
            run = timed(command())
            if run.rc not in (0, 3):
                raise Absent(f"{name} ended with {run.rc}: {run.tail.strip().splitlines()[-1:]}")
            runs[name].append(run)
    speed = {name: pages / statistics.median(r.seconds for r in done) for name, done in runs.items()}
    cpu = {name: pages / statistics.median(r.cpu_seconds for r in done) for name, done in runs.items()}
    rows = []
    for name, done in runs.items():
        figures: dict[str, float | None] = {
            "pages/s": round(speed[name], 2),
            "ratio to script": round(speed[name] / speed["afternoon script"], 2),
            "pages/CPU-s": round(cpu[name], 2),
            "CPU ratio to script": round(cpu[name] / cpu["afternoon script"], 2),
            "worker peak MB": round(max(r.worker_mb for r in done)),
            "parent peak MB": round(max(r.parent_mb for r in done)),
        }
        size = f"{pages} pages, {WORKERS} workers"
        note = f"rounds in turn: {rounds}; load of the machine before them: {load:.1f}"
        rows.append(Row(section="speed", set=size, system=name, figures=figures, note=note))
    return rows
