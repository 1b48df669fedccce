"""One writer at a time in a bucket; the lock dies with its process."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tasks.remote.bucket import Bucket, RemoteError
from tasks.remote.lease import LOCK, Lease

HOLD = """
import sys, time
from tasks.remote.bucket import Bucket
from tasks.remote.lease import Lease
with Lease(Bucket(sys.argv[1]), sys.argv[2], float(sys.argv[3])):
    print("held", flush=True)
    time.sleep(60)
"""


def _killed_holder(bucket: Bucket, owner: str, lease_s: float) -> None:
    """A process that holds the lock and is killed."""
    command = [sys.executable, "-c", HOLD, bucket.address, owner, str(lease_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()


def test_a_second_writer_is_refused_while_the_first_one_lives(bucket: Bucket) -> None:
    with Lease(bucket, "one", 60):
        with (
            pytest.raises(RemoteError, match=r"another nightdesk is writing to s3://.*ends by itself in"),
            Lease(bucket, "two", 60),
        ):
            pass
    with Lease(bucket, "two", 60):
        pass


def test_a_lock_that_is_renewed_outlives_its_lease(bucket: Bucket) -> None:
    with Lease(bucket, "one", 2.0):  # ages are whole seconds
        time.sleep(2.7)
        with pytest.raises(RemoteError, match="another nightdesk"), Lease(bucket, "two", 60):
            pass


def test_a_dead_writers_lock_is_taken_over_when_its_lease_is_over(bucket: Bucket) -> None:
    _killed_holder(bucket, "one", 2.0)
    with pytest.raises(RemoteError, match="another nightdesk"), Lease(bucket, "two", 60):
        pass
    time.sleep(3.1)  # the server's clock counts in seconds
    with Lease(bucket, "two", 60):
        assert b'"two"' in (bucket.read(LOCK) or b"")


def test_a_dead_writer_of_this_mirror_is_not_waited_for(bucket: Bucket) -> None:
    _killed_holder(bucket, "one", 600)
    with Lease(bucket, "one", 600):
        pass


def test_the_first_owner_notices_that_its_lock_was_taken_over(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    with Lease(bucket, "one", 0.9):
        found = bucket.look(LOCK)
        assert found is not None
        bucket.replace(LOCK, b'{"owner": "two", "lease_s": 600}', found.etag)
        time.sleep(0.6)
    assert "was taken over" in caplog.text
    assert b'"two"' in (bucket.read(LOCK) or b"")
