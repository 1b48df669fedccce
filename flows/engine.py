"""How steps are carried out: here in this process, or as Prefect tasks on threads or Dask workers.

A flow's body is written once against `Steps`. `Inline` calls the functions; `Orchestrated` submits the same functions
as Prefect tasks. So a small ingest need not wait for a server, and there is still one way through the house
(docs/choices.md, "Two engines, one body").
"""

from __future__ import annotations

import logging
import os
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol, TypeVar

from tasks.settings import EngineSettings

T = TypeVar("T")


class Advance(Protocol):
    """Tells that `n` more items are done; `total` where only now it is known how many there are."""

    def __call__(self, n: int, total: int | None = None) -> None: ...


class EngineError(Exception):
    """The engine could not start, or its workers died; the message says what to do. Finished shards are kept."""


class Progress(Protocol):
    """Shows how far a step is. `step` answers a context whose value is called with the number of items just done."""

    def step(self, name: str, total: int) -> AbstractContextManager[Advance]: ...


class Steps(Protocol):
    """Carries out the steps of a flow. `far`: what is mapped may be done on a machine with another disk."""

    far: bool

    def map(
        self, name: str, function: Callable[..., T], items: Sequence[tuple[Any, ...]], sizes: Sequence[int]
    ) -> list[T]:
        """Call `function(*item)` for every item, in parallel where there are workers. Answers in the items' order.

        `sizes`: for each item what it counts in the progress that is shown, e.g. the articles of a shard.
        """

    def call(self, name: str, function: Callable[..., T], *args: Any) -> T:
        """Call one function that needs the whole run."""


class Inline:
    """Steps in this process, one after the other."""

    far = False

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def map(
        self, name: str, function: Callable[..., T], items: Sequence[tuple[Any, ...]], sizes: Sequence[int]
    ) -> list[T]:
        out = []
        with self._progress.step(name, sum(sizes)) as advance:
            for item, size in zip(items, sizes, strict=True):
                out.append(function(*item))
                advance(size)
        return out

    def call(self, name: str, function: Callable[..., T], *args: Any) -> T:
        with self._progress.step(name, 1) as advance:
            answer = function(*args)
            advance(1)
        return answer


class Orchestrated:
    """Steps as Prefect tasks, inside a Prefect flow: `map` on the flow's task runner, `call` beside the flow."""

    def __init__(self, progress: Progress, rules: EngineSettings) -> None:
        self._progress = progress
        self.far = rules.dask_address is not None

    def map(
        self, name: str, function: Callable[..., T], items: Sequence[tuple[Any, ...]], sizes: Sequence[int]
    ) -> list[T]:
        from prefect.futures import as_completed

        wrapped = _as_task(name, function)
        futures = [wrapped.submit(*item) for item in items]
        size = dict(zip(futures, sizes, strict=True))
        with self._progress.step(name, sum(sizes)) as advance:
            for future in as_completed(futures):
                advance(size[future])
        return [f.result() for f in futures]

    def call(self, name: str, function: Callable[..., T], *args: Any) -> T:
        wrapped = _as_task(name, function)
        with self._progress.step(name, 1) as advance:
            answer: T = wrapped(*args)
            advance(1)
        return answer


def _as_task(name: str, function: Callable[..., Any]) -> Any:
    """A Prefect task without retries (same bytes, same answer; the network's retries are scrape's own) or caching
    (finished shards are known by their content hash)."""
    import prefect
    from prefect.cache_policies import NO_CACHE

    make: Any = prefect.task
    return make(name=name, persist_result=False, cache_policy=NO_CACHE)(function)


def worker_count(rules: EngineSettings) -> int:
    """Processes for the CPU work: as set, else one a core this process may use, at most 8."""
    if rules.workers:
        return rules.workers
    return max(1, min(8, len(os.sched_getaffinity(0))))


def quiet_environment(rules: EngineSettings) -> None:
    """Environment for Prefect and Dask, set before either is imported; what the user set already wins.

    No connection leaves the machine, and logs show what is ours.
    """
    defaults = {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(rules.start_timeout_s),
        "PREFECT_LOGGING_LEVEL": "WARNING" if rules.log_level == "INFO" else rules.log_level,
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_RUNNER_SERVER_ENABLE": "false",
        "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error",
        "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "1h",  # a worker busy with one shard is not unwell
        "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "True",
        "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",  # looks at the stack a hundred times a second
        # Dask has its workers give freed memory back at once: arrays then get new pages from the system each time, a
        # third of the parse's time
        "MALLOC_TRIM_THRESHOLD_": "134217728",
        "MALLOC_MMAP_THRESHOLD_": "33554432",
        "MALLOC_ARENA_MAX": "1",  # a worker's one busy thread gets the quick one
        "OMP_NUM_THREADS": "1",  # one worker a core: threads inside a worker only fight each other
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


@contextmanager
def started(rules: EngineSettings, progress: Progress) -> Iterator[None]:
    """`server`, with a step shown while it starts: that takes 20 to 30 s."""
    with ExitStack() as stack:
        with progress.step("engine", 1) as advance:
            stack.enter_context(server(rules))
            advance(1)
        yield


@contextmanager
def server(rules: EngineSettings) -> Iterator[None]:
    """A Prefect server for the time of the context: the one PREFECT_API_URL names, else one started here, once.

    Dask workers would each start their own if they did not find its address in their environment.
    """
    quiet_environment(rules)
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL, temporary_settings

    if PREFECT_API_URL.value():
        yield
        return
    if rules.dask_address and not _is_loopback(rules.dask_address):
        raise EngineError(
            f"the workers at {rules.dask_address} cannot reach a Prefect server that is started here on loopback: "
            "start one with `prefect server start --host 0.0.0.0`, and set PREFECT_API_URL here and for the workers"
        )
    embedded = SubprocessASGIServer()
    try:
        embedded.start(timeout=rules.start_timeout_s)
    except RuntimeError as err:
        raise EngineError(
            f"Prefect's embedded server did not start within {rules.start_timeout_s} s ({err}): run `nightdesk "
            "doctor`, raise engine.start_timeout_s, or set engine.runner to inline"
        ) from err
    try:
        os.environ["PREFECT_API_URL"] = embedded.api_url
        with temporary_settings({PREFECT_API_URL: embedded.api_url}):
            yield
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        embedded.stop()


def _is_loopback(address: str) -> bool:
    host = urllib.parse.urlsplit(address if "://" in address else f"tcp://{address}").hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def task_runner(rules: EngineSettings, shards: int) -> Any:
    """Threads where there is one shard at the most; else Dask: a cluster that runs, or local processes.

    Dask and not Prefect's process pool, because it survives a killed worker.
    """
    if rules.dask_address:
        from prefect_dask.task_runners import DaskTaskRunner

        return DaskTaskRunner(address=rules.dask_address)
    workers = min(worker_count(rules), shards)
    if workers <= 1:
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=1)
    from prefect_dask.task_runners import DaskTaskRunner

    logging.getLogger("distributed").setLevel(logging.ERROR)
    return DaskTaskRunner(
        cluster_kwargs={
            "n_workers": workers,
            "threads_per_worker": 1,
            "processes": True,
            "dashboard_address": None,
            "silence_logs": logging.ERROR,
            "memory_limit": 0,  # a worker is never paused or killed for its size: shards are bounded instead
        }
    )


def run_as_flow(name: str, run_name: str, runner: Any, body: Callable[[], T]) -> T:
    """Run `body` as a Prefect flow named so. What it raises is raised here."""
    import prefect

    make: Any = prefect.flow
    made = make(name=name, flow_run_name="{run}", task_runner=runner, validate_parameters=False, persist_result=False)(
        _carry_out
    )
    key = f"{name} {run_name}"
    _bodies[key] = body
    try:
        made(key)
        answer: T = _answers.pop(key)
    finally:
        del _bodies[key]
    return answer


# Prefect sends the flow to the workers with every task: a function of this module travels by name, a closure over a
# progress bar does not travel at all.
_bodies: dict[str, Callable[[], Any]] = {}
_answers: dict[str, Any] = {}


def _carry_out(run: str) -> None:
    _answers[run] = _bodies[run]()
