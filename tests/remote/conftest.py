"""A prefix of a bucket, and mirrors of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.remote.bucket import Bucket
from tasks.remote.mirror import Mirror
from tasks.settings import S3Settings


@pytest.fixture
def bucket(s3: str) -> Bucket:
    return Bucket(f"{s3}/tables")


def mirror(bucket: Bucket, cache: Path, lease_s: float = 60.0) -> Mirror:
    """A mirror of the bucket, as one machine has it."""
    return Mirror.make(bucket.address, S3Settings(cache=str(cache), lease_s=lease_s), what="tables")
