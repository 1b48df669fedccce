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

from bench.corpus import Original, originals, write_corpus
from bench.gold import DATA, OURS, SHARED, WORK, Absent, Row

COMMAND = Path(sys.executable).with_name("nightdesk")
WARCS = [DATA / "pages" / "dev.warc.gz", DATA / "pages" / "more.warc.gz"]
WORKERS = 2
LIMIT_S = 1200


def environment() -> dict[str, str]:
    """This one's, with compiled modules kept in a folder of the bench: no timed run pays for compiling what an
    installed program has compiled."""
    out = os.environ | {"PYTHONPYCACHEPREFIX": str(WORK / "bytecode")}
    out.pop("PYTHONDONTWRITEBYTECODE", None)
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One run of a command: wall and CPU seconds of all its processes, and the most memory one of them held."""

    seconds: float
    cpu_seconds: float
    parent_mb: float
    worker_mb: float
    rc: int
    tail: str
    samples: list[Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Memory of each of a command's processes (by number) at a moment, in seconds from its start."""

    at: float
    mb: dict[int, float]


def ingest(name: str, *arguments: str) -> list[str]:
    """A nightdesk command into a fresh folder. Raises Absent if the command is not installed."""
    if not COMMAND.is_file():
        raise Absent(f"there is no {COMMAND.name} beside the interpreter: run `make setup`")
    for folder in (WORK / name, WORK / f"{name}-raw"):
        shutil.rmtree(folder, ignore_errors=True)
    return [str(COMMAND), "ingest", *arguments, "--out", str(WORK / name), "--raw", str(WORK / f"{name}-raw")]


def timed(command: list[str], limit_s: float = LIMIT_S) -> Timed:
    """Run a command, watching the memory of all its processes five times a second."""
    WORK.mkdir(parents=True, exist_ok=True)
    samples: list[Sample] = []
    begun, spent = time.monotonic(), _cpu_of_children()
    with (WORK / "command.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=WORK, env=environment())
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, samples, over))
        watcher.start()
        try:
            rc = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            rc = 124
        finally:
            _end(process)
            over.set()
            watcher.join()
        seconds = time.monotonic() - begun
        log.seek(0)
        tail = log.read()[-2000:]
    parent = max((s.mb.get(process.pid, 0.0) for s in samples), default=0.0)
    worker = max((mb for s in samples for pid, mb in s.mb.items() if pid != process.pid), default=0.0)
    cpu = _cpu_of_children() - spent
    return Timed(
        seconds=seconds, cpu_seconds=cpu, parent_mb=parent, worker_mb=worker, rc=rc, tail=tail, samples=samples
    )


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


def _watch(root: int, samples: list[Sample], over: threading.Event) -> None:
    begun = time.monotonic()
    while not over.wait(0.2):
        try:
            parent = psutil.Process(root)
            family = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        held = {}
        for process in family:
            try:
                held[process.pid] = process.memory_info().rss / 1e6
            except psutil.NoSuchProcess:
                continue
        samples.append(Sample(at=time.monotonic() - begun, mb=held))


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


SCRIPT = "afternoon script"
SCRIPT_ENGLISH = f"{SCRIPT}, English only"


def script(*files: Path, english: bool = False) -> list[str]:
    """The command of the afternoon script."""
    afternoon = str(Path(__file__).with_name("afternoon.py"))
    command = [sys.executable, afternoon, str(WORK / "afternoon"), *map(str, files), "--workers", str(WORKERS)]
    return [*command, "--english"] if english else command


def ours(*files: Path, workers: int = WORKERS) -> list[str]:
    """The command of nightdesk, into an empty folder."""
    return ingest("speed", *map(str, files), "--workers", str(workers))


def commands(files: list[Path]) -> dict[str, Callable[[], list[str]]]:
    """The commands that are timed, each made afresh because ours begins with an empty folder."""
    return {
        SCRIPT: lambda: script(*files),
        OURS: lambda: ours(*files),
        SCRIPT_ENGLISH: lambda: script(*files, english=True),
    }


def run_speed(rounds: int = 1) -> list[Row]:
    """Pages a second, from command to tables, on all pages and on those in English alone."""
    load = os.getloadavg()[0]
    pages = originals(WARCS)
    warm_up(pages)
    english = [p for p in pages if p.language == "en"]
    only_english = write_corpus(WORK / "english.warc.gz", english, len(english))
    sets: dict[str, tuple[int, dict[str, Callable[[], list[str]]]]] = {
        f"{len(pages)} pages, {WORKERS} workers": (len(pages), commands(WARCS)),
        f"{len(english)} English pages, {WORKERS} workers": (
            len(english),
            {SCRIPT: lambda: script(only_english), OURS: lambda: ours(only_english)},
        ),
    }
    note = f"rounds in turn: {rounds}; load of the machine before them: {load:.1f}"
    return [row for name, (n, made) in sets.items() for row in _compared(name, n, made, rounds, note)]


def warm_up(pages: list[Original]) -> None:
    """Run both on a few pages, so that the modules of both are compiled."""
    few = write_corpus(WORK / "few.warc.gz", pages, 8)
    for command in (script(few), ours(few)):
        need(timed([*command]))
    need(timed(as_flow(["env", "NIGHTDESK__ENGINE__SHARD_RECORDS=4", *ours(few)])))


def as_flow(command: list[str]) -> list[str]:
    """A command of nightdesk that takes the engine of large runs, however little there is to do."""
    return ["env", "NIGHTDESK__ENGINE__RUNNER=prefect", *command]


def need(run: Timed) -> Timed:
    """Raises Absent if the command failed."""
    if run.rc not in (0, 3):
        raise Absent(f"a command of the speed section ended with {run.rc}: {run.tail.strip().splitlines()[-1:]}")
    return run


def _compared(name: str, pages: int, made: dict[str, Callable[[], list[str]]], rounds: int, note: str) -> list[Row]:
    """Rows of one set: the commands one after the other in turn, medians over the rounds."""
    runs: dict[str, list[Timed]] = {system: [] for system in made}
    for _ in range(rounds):
        for system, command in made.items():
            runs[system].append(need(timed(command())))
    speed = {s: pages / statistics.median(r.seconds for r in done) for s, done in runs.items()}
    cpu = {s: pages / statistics.median(r.cpu_seconds for r in done) for s, done in runs.items()}
    return [
        Row(
            section="speed",
            set=name,
            system=system,
            figures={
                "pages/s": round(speed[system], 2),
                "ratio to script": round(speed[system] / speed[SCRIPT], 2),
                "pages/CPU-s": round(cpu[system], 2),
                "CPU ratio to script": round(cpu[system] / cpu[SCRIPT], 2),
                "worker peak MB": round(max(r.worker_mb for r in done)),
                "parent peak MB": round(max(r.parent_mb for r in done)),
            },
            note=note,
        )
        for system, done in runs.items()
    ]
