"""One writer at a time in a bucket: an object that is written by condition, renewed while its process lives.

The time since the last renewal is told by the server's clock, so the clocks of two machines may differ. Safety does not
rest on it: a publication is itself conditional (mirror.py), so a writer that slept through its lease publishes nothing.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from types import TracebackType
from typing import Any, Self

from tasks.remote.bucket import Bucket, Found, RemoteError

log = logging.getLogger(__name__)

LOCK = ".lock"


class Lease:
    """The writer's lock of a bucket, as a context manager. `owner` names the mirror: who holds that mirror's own lock
    on this machine knows that an earlier owner of the same name is dead, and does not wait for its lease to end.

    Raises RemoteError on entering if another process holds it.
    """

    def __init__(self, bucket: Bucket, owner: str, lease_s: float) -> None:
        self._bucket = bucket
        self._owner = owner
        self._lease_s = lease_s
        self._count = 0
        self._etag = ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        etag = self._bucket.create(LOCK, self._words()) or self._take_over()
        self._etag = etag
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        try:
            self._bucket.replace(LOCK, b"{}", self._etag)  # never deleted: only what is there can be exchanged safely
        except RemoteError as err:
            log.warning("the lock at %s ends by itself in %g s: %s", self._bucket.address, self._lease_s, err)

    def _words(self) -> bytes:
        self._count += 1  # so that every renewal has an ETag of its own
        said = {"owner": self._owner, "host": socket.gethostname(), "pid": os.getpid(), "lease_s": self._lease_s}
        return json.dumps(said | {"renewed": self._count}).encode()

    def _take_over(self) -> str:
        found = self._bucket.look(LOCK)
        holder = _holder(self._bucket.read(LOCK))
        if found is None:
            raise RemoteError(f"the lock at {self._bucket.address} was removed by hand: give the same command again")
        left = float(holder.get("lease_s", 0)) - found.age_s
        if holder and holder.get("owner") != self._owner and left > 0:
            raise self._refusal(holder, left)
        etag = self._bucket.replace(LOCK, self._words(), found.etag)
        if etag is None:
            raise self._refusal(_holder(self._bucket.read(LOCK)), self._lease_s)
        return etag

    def _refusal(self, holder: dict[str, Any], left: float) -> RemoteError:
        return RemoteError(
            f"another nightdesk is writing to {self._bucket.address} (process {holder.get('pid')} on "
            f"{holder.get('host')}): wait for it, or give another address with --out. If it is dead, its lock ends by "
            f"itself in {left:.0f} s"
        )

    def _keep(self) -> None:
        while not self._end.wait(self._lease_s / 3):
            try:
                etag = self._bucket.replace(LOCK, self._words(), self._etag)
                etag = etag or self._mine()
            except RemoteError as err:
                log.warning("the lock could not be renewed, it is tried again: %s", err)
                continue
            if etag is None:
                log.error("the lock at %s was taken over: only who publishes first will publish", self._bucket.address)
                return
            self._etag = etag

    def _mine(self) -> str | None:
        """The lock's ETag if it is still ours: a renewal whose answer was lost."""
        found: Found | None = self._bucket.look(LOCK)
        holder = _holder(self._bucket.read(LOCK))
        mine = holder.get("owner") == self._owner and holder.get("pid") == os.getpid()
        return found.etag if found and mine else None


def _holder(data: bytes | None) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(data or b"{}")
    except ValueError:
        return {}
    return found
