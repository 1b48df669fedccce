"""A PostgreSQL server of the machine's own programs on a socket of loopback, for tests of the state; none where it has no such programs."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def missing() -> str | None:
    """Why no server can be started here, or None."""
    for program in ("initdb", "pg_ctl"):
        if shutil.which(program) is None:
            return f"PostgreSQL's {program} is not installed"
    if os.geteuid() == 0 and not any(u.pw_name == "postgres" for u in pwd.getpwall()):
        return "PostgreSQL refuses to run as root, and there is no user postgres"
    return None


@contextmanager
def server() -> Iterator[str]:
    """The address of an empty database of a server that lives as long as the context."""
    folder = Path(tempfile.mkdtemp(prefix="nightdesk-pg-"))
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"

    def call(*command: str) -> None:
        subprocess.run(command, user=user, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    try:
        call("initdb", "-D", f"{folder}/data", "-U", "desk", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql+pg8000://desk@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
