"""Prefect and Dask for real: the same tables as inline, a killed worker survived, a scheduled run really created."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tasks.remote.bucket import Bucket
from tests.flows.test_ingest import ROOT, _corpus, _ingest, _same, _table

pytestmark = pytest.mark.slow
KEYS = {
    "articles": ["article_id"],
    "quotes": ["quote_id"],
    "sources": ["article_id", "source_id"],
    "events": ["event_id"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Prefect server with its scheduler for all tests of this module, in a home of its own."""
    home = str(tmp_path_factory.mktemp("prefect"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", home)
        patch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:///{home}/prefect.db")
        from flows.schedule import scheduling_server
        from tasks.settings import EngineSettings

        with scheduling_server(EngineSettings()) as url:
            yield url


def _command(corpus: Path, out: Path) -> list[str]:
    command = [sys.executable, "-m", "flows.cli", "ingest", str(corpus), "--already-clean", "--out", str(out)]
    return [*command, "--night", "2026-03-04", "--workers", "2"]


def _environment() -> dict[str, str]:
    return os.environ | {"NIGHTDESK__ENGINE__RUNNER": "prefect", "NIGHTDESK__ENGINE__SHARD_RECORDS": "2"}


def test_prefect_on_dask_gives_the_tables_that_inline_gives(tmp_path: Path, server: str) -> None:
    corpus = _corpus(tmp_path)
    _ingest(corpus, "--already-clean", "--out", tmp_path / "inline")
    done = subprocess.run(
        _command(corpus, tmp_path / "dask"), env=_environment(), cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    _same(tmp_path / "inline", tmp_path / "dask")
    assert "Traceback" not in done.stderr


def _kill_a_worker(parent: int, work: Path, killed: list[int]) -> None:
    """Kill one Dask worker process once the first shard was cleaned."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        if any(work.glob("*/clean/*[0-9a-f]")):
            for child in psutil.Process(parent).children(recursive=True):
                if "spawn_main" in " ".join(child.cmdline()):
                    os.kill(child.pid, signal.SIGKILL)
                    killed.append(child.pid)
                    return
        time.sleep(0.02)


def test_a_killed_worker_costs_nothing(tmp_path: Path, server: str) -> None:
    corpus, out, killed = _corpus(tmp_path, 24), tmp_path / "out", []
    process = subprocess.Popen(_command(corpus, out), env=_environment(), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    killer = threading.Thread(target=_kill_a_worker, args=(process.pid, out / ".work", killed))
    killer.start()
    _, said = process.communicate(timeout=280)
    killer.join()
    assert process.returncode == 0, said[-3000:]
    assert killed, "no worker was found to kill"
    assert sorted(_table(out, "articles").external_id) == sorted(f"doc-{i}" for i in range(24))


@pytest.fixture
def cluster(s3: str, tmp_path: Path) -> Iterator[str]:
    """A Dask scheduler and two workers, each a process of its own in a folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    quiet = ["--no-dashboard", "--host", "127.0.0.1"]
    commands = [["scheduler", *quiet, "--port", address.rpartition(":")[2]]]
    commands += [["worker", address, "--no-dashboard", "--no-nanny", "--nthreads", "1", "--name", n] for n in "ab"]
    with contextlib.ExitStack() as stack:
        for number, command in enumerate(commands):
            folder = tmp_path / f"machine-{number}"
            folder.mkdir()
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command], cwd=folder, stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "DASK_TEMPORARY_DIRECTORY": str(folder)},
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield address


def test_a_dask_cluster_whose_workers_share_no_disk_gives_the_tables_that_inline_gives(
    tmp_path: Path, server: str, s3: str, cluster: str
) -> None:
    corpus = _corpus(tmp_path)
    _ingest(corpus, "--already-clean", "--out", tmp_path / "inline")
    Bucket(s3).create("in/corpus.jsonl", corpus.read_bytes())
    env = _environment() | {"NIGHTDESK__ENGINE__DASK_ADDRESS": cluster, "NIGHTDESK__S3__CACHE": str(tmp_path / "cache")}
    command = [*_command(Path("x"), Path("x"))[:4], f"{s3}/in/corpus.jsonl", "--already-clean", "--night", "2026-03-04"]
    done = subprocess.run(
        [*command, "--out", f"{s3}/tables"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name, found in Bucket(f"{s3}/tables").found().items():
        Bucket(s3).fetch(found.key, tmp_path / "got" / name)
    for table, keys in KEYS.items():
        a, b = (pd.read_parquet(tmp_path / f / table).sort_values(keys) for f in ("inline", "got"))
        leave = [c for c in ("raw_ref", "removed", "fetched_at", "valid_from") if c in a]
        assert a.drop(columns=leave).to_json(orient="records") == b.drop(columns=leave).to_json(orient="records"), table


def test_prefect_really_creates_a_scheduled_run(server: str) -> None:
    from flows.schedule import scheduled_runs
    from tasks.settings import Settings

    assert scheduled_runs(Settings()) > 0


def test_workers_keep_freed_memory_for_their_next_arrays() -> None:
    """Dask's own setting gives it back at once, which costs a third of the parse; ours must win, a user's over ours."""
    seen = (
        "import os; from flows.engine import quiet_environment; from tasks.settings import EngineSettings\n"
        "quiet_environment(EngineSettings())\n"
        "from distributed import LocalCluster, Client\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as c, Client(c) as client:\n"
        "        print(client.submit(os.environ.get, 'MALLOC_TRIM_THRESHOLD_').result())\n"
    )
    for given, wanted in (({}, "134217728"), ({"MALLOC_TRIM_THRESHOLD_": "5000000"}, "5000000")):
        env = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC")} | given
        done = subprocess.run(
            [sys.executable, "-c", seen], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert done.stdout.strip() == wanted, done.stderr
