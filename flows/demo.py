"""The demo: the real nightly flow over the invented press on loopback. Each run is the next night of its calendar."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from flows.engine import EngineError, Progress
from flows.nightly import Request, run_night
from flows.press.server import Press
from tasks.publish.store import Store
from tasks.report.summary import Summary
from tasks.settings import Settings

PORTS = 5  # as many as the press has outlets, and one to spare


def run_demo(folder: Path, settings: Settings, progress: Progress) -> Summary:
    """Serve the press as it stands at this visit and run a night over it. Files go below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(settings.processed)
    store = Store.open(root, write=True)
    visit = len(store.nights("runs")) + 1
    rules = settings.model_copy(
        update={
            # The press lives on loopback, and its calendar is its own: its articles are old by today's date.
            # Its nights follow each other in minutes: every article is visited again in every one.
            "scrape": settings.scrape.model_copy(
                update={"allow_addresses": ["127.0.0.0/8"], "delay_s": 0.02, "revisit_hours": [0.0]}
            ),
            "discover": settings.discover.model_copy(update={"max_age_days": 0}),
        }
    )
    with Press(visit=visit, port=_port(folder)) as press:
        request = Request(
            outlets=press.outlets_toml(folder / "outlets.toml"),
            night=press.night,
            root=root,
            raw=Path(settings.raw),
            settings=rules,
        )
        return run_night(request, progress)


def _port(folder: Path) -> int:
    """First of the press's ports: the same in every night, because articles are known by their address."""
    kept = folder / "ports.json"
    if kept.is_file():
        first = int(json.loads(kept.read_text(encoding="utf-8"))["first"])
        if not _free(first):
            raise EngineError(
                f"ports {first} to {first + PORTS - 1} of the demo's first night are taken: end what uses them, or "
                f"remove {folder} to begin anew"
            )
        return first
    for first in range(28100, 29000, PORTS):
        if _free(first):
            kept.write_text(json.dumps({"first": first}), encoding="utf-8")
            return first
    raise EngineError("no free ports between 28100 and 29000 for the demo's press")


def _free(first: int) -> bool:
    for port in range(first, first + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
