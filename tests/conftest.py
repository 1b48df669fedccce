"""Made once a session: two nights of the demo, over which the documentation's code and the browser run; a real S3 server
on loopback (moto's, over HTTP) for the tests of buckets."""

from __future__ import annotations

import fcntl
import logging
import os
import uuid
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new bucket; the environment leads to the server, as for every tool."""
    for name, value in (
        ("AWS_ENDPOINT_URL", s3_server),
        ("AWS_ACCESS_KEY_ID", "desk"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret-of-the-desk"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    from tasks.remote import bucket as remote

    name = f"news-{uuid.uuid4().hex[:8]}"
    remote._system(None).call_s3("create_bucket", Bucket=name)
    return f"s3://{name}"
