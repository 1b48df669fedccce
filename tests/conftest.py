"""Two nights of the demo, made once a session: the documentation's code and the browser run over them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it: the tables under data/demo/processed and, the same, under data/processed.

    Where tests run in several processes, the first that needs it makes it for all of them.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "desk"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "data" / "processed").exists():
            _make(folder)
    return folder


def _make(folder: Path) -> None:
    demo = folder / "data" / "demo"
    for _ in range(2):
        result = CliRunner().invoke(
            app, ["demo", "--folder", str(demo), "--json"], env={"NIGHTDESK__ENGINE__RUNNER": "inline"}
        )
        assert result.exit_code == 0, result.output
    (folder / "data" / "processed").symlink_to(demo / "processed", target_is_directory=True)
