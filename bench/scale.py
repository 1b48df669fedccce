"""Past one machine: a Dask cluster over S3, measured with one and two workers, and what follows for more of them.

`python -m bench scale` runs scheduler, workers and an S3 server (moto's) as processes of their own over a part of the
pages, and prints what a shard costs, what the flow does alone, and a simulation of larger clusters, nights and corpora
from these figures (`bench/simulate.py`). CPU seconds, for the machine may be shared. docs/scale.md
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from bench.gold import DATA, OURS, WORK, Absent, Row
from bench.simulate import ADVICE, Costs, Plan, simulate
from tasks import tables
from tasks.publish import snapshots
from tasks.remote.bucket import Bucket
from tasks.scrape.frames import pieces

ROOT = Path(__file__).parents[1]
FOLDER = WORK / "scale"
NIGHT = "2026-03-04"
PAGES = 144
SHARD = 12
CORPORA = (4_000, 16_000, 64_000)
"""Articles of the corpora, made of copies of the measured one, over which the corpus-wide tables are counted."""


def run_scale() -> list[Row]:
    """Rows of the section: measured, then simulated."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with s3_server() as env:
        write_pages()
        Bucket("s3://bench", env["AWS_ENDPOINT_URL"]).put("pages.warc.gz", FOLDER / "pages.warc.gz")
        runs = {n: clustered(n, env) for n in (1, 2)}
        alone = [inline(name, env) for name in ("pages", "twice")]
    return rows_of(runs, alone)


def rows_of(runs: dict[int, dict[str, Any]], alone: list[dict[str, Any]]) -> list[Row]:
    """Rows from the times of the clustered runs, by workers, and of two inline ones, whose tables are still there."""
    costs = costs_of(runs, alone, grown(FOLDER / "twice" / "out"))
    (FOLDER / "costs.json").write_text(costs.to_json(), encoding="utf-8")
    return [*measured_rows(runs, costs), *simulated_rows(costs)]


def write_pages() -> None:
    """The sample, and one of twice as many pages. Raises Absent if the pages are not there."""
    warcs = [DATA / "pages" / name for name in ("dev.warc.gz", "more.warc.gz")]
    if not all(w.is_file() for w in warcs):
        raise Absent("the pages of ../shared/data/pages are not there")
    both = FOLDER / "all.warc.gz"
    both.write_bytes(b"".join(w.read_bytes() for w in warcs))
    (FOLDER / "pages.warc.gz").write_bytes(part_of(both, PAGES))
    (FOLDER / "twice.warc.gz").write_bytes(part_of(both, 2 * PAGES))


def part_of(warc: Path, count: int) -> bytes:
    """The first pages of a WARC file, as it holds them."""
    seen = 0
    for piece in pieces(warc):
        seen += piece.is_input
        if seen == count:
            return warc.read_bytes()[: piece.end]
    raise Absent(f"{warc.name} holds {seen} pages, {count} are needed")


# --------------------------------------------------------------------------- processes


@contextlib.contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """An S3 server on loopback with one bucket; answers the environment that leads to it. Raises Absent if there is
    none."""
    port = free_port()
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NIGHTDESK__S3__CACHE": str(FOLDER / "cache"),
        "NIGHTDESK__ENGINE__SHARD_RECORDS": str(SHARD),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    os.environ.update({k: v for k, v in env.items() if k.startswith("AWS_")})
    with started(["moto.server", "-H", "127.0.0.1", "-p", str(port)], env, "s3") as process:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                raise Absent("moto's server did not start: make setup")
            time.sleep(0.2)
        import s3fs

        s3fs.S3FileSystem(endpoint_url=env["AWS_ENDPOINT_URL"]).mkdir("bench")
        yield env


@contextlib.contextmanager
def started(module: list[str], env: dict[str, str], name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a process in a folder of its own, ended with the context."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            env=os.environ | env | {"TMPDIR": str(folder)},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clustered(workers: int, env: dict[str, str]) -> dict[str, Any]:
    """The sample through a cluster of so many workers, each a process in a folder of its own."""
    port = free_port()
    quiet = ["--no-dashboard", "--host", "127.0.0.1"]
    address = f"tcp://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        stack.enter_context(started(["dask", "scheduler", *quiet, "--port", str(port)], env, f"scheduler-{workers}"))
        for n in range(workers):
            command = ["dask", "worker", address, "--no-dashboard", "--no-nanny", "--nthreads", "1"]
            stack.enter_context(started(command, env, f"worker-{workers}-{n}"))
        more = {"NIGHTDESK__ENGINE__DASK_ADDRESS": address, "NIGHTDESK__ENGINE__RUNNER": "prefect"}
        return driven("s3://bench/pages.warc.gz", f"s3://bench/tables-{workers}", f"cluster-{workers}", env | more)


def inline(name: str, env: dict[str, str]) -> dict[str, Any]:
    """The same in one process on the disk, for what the flow's own steps cost."""
    return driven(
        str(FOLDER / f"{name}.warc.gz"), str(FOLDER / name / "out"), name, env | {"NIGHTDESK__ENGINE__RUNNER": "inline"}
    )


def driven(source: str, out: str, name: str, env: dict[str, str]) -> dict[str, Any]:
    report = FOLDER / f"{name}.json"
    command = [sys.executable, "-m", "bench.scale_cluster", source, out, NIGHT, str(report)]
    done = subprocess.run(command, env=os.environ | env, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    if done.returncode:
        raise Absent(f"the run {name} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


# --------------------------------------------------------------------------- costs


def grown(out: Path) -> list[tuple[int, float]]:
    """(articles, CPU seconds) of counting the corpus-wide tables over corpora of several sizes."""
    found = []
    for size in CORPORA:
        folder = FOLDER / f"corpus-{size}"
        copies = _copied(out, folder, size)
        files = {t: [_place(folder, t)] for t in ("articles", "quotes", "sources", "events")}
        begun = time.process_time()
        with snapshots.corpus(files, folder / "tmp") as db:
            for sql in (snapshots.QUOTE_GROUPS, snapshots.SOURCE_INDEX, snapshots.STORIES):
                for _ in snapshots.batches(db, sql):
                    pass
        found.append((copies, time.process_time() - begun))
        shutil.rmtree(folder)
    return found


KEYS = {
    "articles": ("article_id", "article_key", "copy_group", "story_id"),
    "quotes": ("article_id", "quote_id", "quote_group", "source_id"),
    "sources": ("article_id", "source_id"),
    "events": ("article_id", "event_id", "story_id"),
}


def _copied(out: Path, folder: Path, size: int) -> int:
    """The tables of `out` so often that there are `size` articles, their ids told apart; answers how many those are."""
    with duckdb.connect() as db:
        once = db.execute(f"select count(*) from read_parquet('{out}/articles/*/*.parquet')").fetchone()
        times = max(1, round(size / (once[0] if once else 1)))
        for table, keys in KEYS.items():
            apart = ", ".join(f"{k} || '-' || n as {k}" for k in keys)
            _place(folder, table).parent.mkdir(parents=True, exist_ok=True)
            names = [f'"{c}"' for c in tables.schema(table).names]
            db.execute(
                f"copy (select {', '.join(names)} from (select * replace ({apart}) from read_parquet("
                f"'{out}/{table}/*/*.parquet', hive_partitioning = false), range({times}) as copies(n))) "
                f"to '{_place(folder, table)}' (format parquet)"
            )
    return times * int(once[0] if once else 0)


def _place(folder: Path, table: str) -> Path:
    return folder / table / f"dt={NIGHT}" / "part-0.parquet"


def costs_of(runs: dict[int, dict[str, Any]], alone: list[dict[str, Any]], corpora: list[tuple[int, float]]) -> Costs:
    """What a page, a shard, an article and a corpus cost, from the measured times."""
    cleaned, extracted = (warm(runs, step) for step in ("clean", "extract"))
    small, large = (sums_of(run) for run in alone)
    articles = [run["rows"]["articles"] for run in alone]
    more = articles[1] - articles[0]
    slope = {s: max(0.0, large[s] - small[s]) / more for s in ("settle", "link", "publish")}
    fixed = {s: max(0.0, small[s] - slope[s] * articles[0]) for s in slope}
    counting = np.polyfit([n for n, _ in corpora], [s for _, s in corpora], 1)
    one = sums_of(runs[1])
    count = PAGES / SHARD
    return Costs(
        clean_page_s=[t["cpu_s"] / t["seen"] for t in cleaned],
        extract_article_s=[t["cpu_s"] / t["seen"] for t in extracted if t["seen"]],
        start_s=sum(shards_of(runs[1], s)[0]["cpu_s"] for s in ("clean", "extract")),
        articles_a_page=articles[1] / (2 * PAGES),
        plan_page_s=(one["plan"] + one["fetch"]) / PAGES,
        task_s=(_of(runs[1], "map", "clean") + _of(runs[1], "map", "extract")) / (2 * count),
        shard_io_s=(one["collect"] + one["deliver"]) / (3 * count),
        night_article_s=slope,
        night_fixed_s=sum(fixed.values()) + large["report"],
        corpus_article_s=float(counting[0]),
    )


def shards_of(run: dict[str, Any], step: str) -> list[dict[str, Any]]:
    """The shards of a step, in the order they were handed out."""
    return [t for t in run["times"] if t["kind"] == "shard" and t["step"] == step]


def warm(runs: dict[int, dict[str, Any]], step: str) -> list[dict[str, Any]]:
    """All shards but the first of each worker, which loads the models."""
    return [t for workers, run in runs.items() for t in shards_of(run, step)[workers:]]


def sums_of(run: dict[str, Any]) -> dict[str, float]:
    """CPU seconds of the flow's own process by step."""
    steps = ("fetch", "plan", "settle", "link", "publish", "report", "collect", "deliver")
    return {s: sum(t["cpu_s"] for t in run["times"] if t["step"] == s and t["kind"] in ("call", "flow")) for s in steps}


def _of(run: dict[str, Any], kind: str, step: str) -> float:
    return sum(t["cpu_s"] for t in run["times"] if t["kind"] == kind and t["step"] == step)


# --------------------------------------------------------------------------- rows


def measured_rows(runs: dict[int, dict[str, Any]], costs: Costs) -> list[Row]:
    rows = []
    for workers, run in runs.items():
        work = [t for t in run["times"] if t["kind"] == "shard"]
        maps = sum(t["wall_s"] for t in run["times"] if t["kind"] == "map")
        flow = run["cpu_s"]
        figures: dict[str, float | None] = {
            "wall s": round(run["wall_s"], 1),
            "wall s of both maps": round(maps, 1),
            "shards' CPU s": round(sum(t["cpu_s"] for t in work), 1),
            "flow's CPU s": round(flow, 1),
            "workers busy %": round(100 * sum(t["wall_s"] for t in work) / (workers * maps), 1),
        }
        rows.append(Row(section="scale", set=f"{PAGES} pages over S3", system=f"{workers} worker", figures=figures))
    per = {
        "clean ms/page": 1000 * float(np.mean(costs.clean_page_s)),
        "extract ms/article": 1000 * float(np.mean(costs.extract_article_s)),
        "plan ms/page": 1000 * costs.plan_page_s,
        "flow ms/task": 1000 * costs.task_s,
        "to and fro ms/shard": 1000 * costs.shard_io_s,
        **{f"{s} ms/article": 1000 * v for s, v in costs.night_article_s.items()},
        "counting µs/article of the corpus": 1e6 * costs.corpus_article_s,
    }
    figures = {name: float(f"{value:.3g}") for name, value in per.items()}
    return [*rows, Row(section="scale", set="CPU costs", system=OURS, figures=figures)]


def simulated_rows(costs: Costs) -> list[Row]:
    rows = []
    for name, plan in ADVICE.items():
        for corpus in (1_000_000, 100_000_000):
            for workers in (8, 64, 512):
                night = simulate(costs, Plan(**plan, workers=workers, corpus_articles=corpus), seed=7)
                figures: dict[str, float | None] = {
                    "wall h": round(night.wall_s / 3600, 2),
                    "alone h": round(night.alone_s / 3600, 2),
                    "workers busy %": round(100 * night.busy, 1),
                    "speed-up": round(night.work_s / night.wall_s, 1),
                    "requests, thousands": round(night.requests / 1000),
                }
                label = f"simulated, 1,000,000 pages a night, corpus of {corpus:,} articles"
                rows.append(Row(section="scale", set=label, system=f"{workers} workers, {name}", figures=figures))
    return rows
