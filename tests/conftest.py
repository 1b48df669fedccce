"""Two nights of the demo, made once a session: the documentation's code and the browser run over them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it: the tables under data/demo/processed and, the same, under data/processed."""
    folder = tmp_path_factory.mktemp("desk")
    demo = folder / "data" / "demo"
    for _ in range(2):
        result = CliRunner().invoke(
            app, ["demo", "--folder", str(demo), "--json"], env={"NIGHTDESK__ENGINE__RUNNER": "inline"}
        )
        assert result.exit_code == 0, result.output
    (folder / "data" / "processed").symlink_to(demo / "processed", target_is_directory=True)
    return folder
