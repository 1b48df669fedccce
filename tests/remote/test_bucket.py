"""What is asked of an S3 server, and how its errors are told."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.remote import bucket as remote
from tasks.remote.bucket import Bucket, RemoteError, is_remote, written


@pytest.mark.parametrize(
    ("given", "text"),
    [("s3://b/raw", "s3://b/raw"), (Path("s3://b/raw"), "s3://b/raw"), ("data/raw", "data/raw"), (Path("/a"), "/a")],
)
def test_written_keeps_an_address(given: str | Path, text: str) -> None:
    assert written(given) == text
    assert is_remote(given) is text.startswith("s3://")


def test_objects_are_found_by_their_names(bucket: Bucket) -> None:
    bucket.create("quotes/dt=2026-03-04/part-0.parquet", b"12")
    assert bucket.create(".lock", b"1") is not None
    Bucket(bucket.address + "-other").create("quotes/x", b"")
    found = bucket.found()
    assert sorted(found) == [".lock", "quotes/dt=2026-03-04/part-0.parquet"]
    assert found["quotes/dt=2026-03-04/part-0.parquet"].bytes == 2
    assert list(bucket.found("quotes/")) == ["quotes/dt=2026-03-04/part-0.parquet"]
    assert bucket.look("nothing") is None
    assert bucket.read("nothing") is None


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "a//b", "folder/"])
def test_names_that_are_no_files_are_passed_over(bucket: Bucket, name: str) -> None:
    remote._system(None).call_s3("put_object", Bucket=bucket.name, Key=f"tables/{name}", Body=b"")
    assert bucket.found() == {}


def test_conditions_decide_who_writes(bucket: Bucket) -> None:
    first = bucket.create("head", b"1")
    assert first is not None
    assert bucket.create("head", b"2") is None
    second = bucket.replace("head", b"3", first)
    assert second is not None
    assert bucket.replace("head", b"4", first) is None
    assert bucket.read("head") == b"3"


def test_a_range_stands_at_its_place_in_the_file(bucket: Bucket, tmp_path: Path) -> None:
    bucket.create("x", b"0123456789")
    bucket.fetch_range(bucket.key("x"), 3, 6, 10, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == bytes(3) + b"345" + bytes(4)


def test_more_than_a_page_of_objects_is_listed_and_deleted(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for i in range(5):
        bucket.create(str(i), b"")
    assert len(bucket.found()) == 5
    bucket.delete_under("")
    assert bucket.found() == {}


# --------------------------------------------------------------------------- errors


@pytest.fixture
def forgetful(s3: str) -> Iterator[None]:
    """Credentials are looked for again, before and after the test."""
    remote._system.cache_clear()
    yield
    remote._system.cache_clear()


@pytest.fixture
def strict(s3_server: str, s3: str) -> Iterator[str]:
    """The server asks who it is."""

    def reset(actions: bytes) -> None:
        headers = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(f"{s3_server}/moto-api/reset-auth", actions, headers)).read()

    reset(b"0")
    yield s3
    reset(b"1000000000")


def test_a_missing_bucket_is_told(s3: str) -> None:
    for ask in (lambda b: b.found(), lambda b: b.create("x", b""), lambda b: b.read("x")):
        with pytest.raises(RemoteError, match=r"there is no bucket no-such-bucket at http.*: make it, or mend"):
            ask(Bucket("s3://no-such-bucket/tables"))


def test_wrong_credentials_are_told_and_never_said(strict: str) -> None:
    with pytest.raises(RemoteError, match=r"refuses .*check AWS_ACCESS_KEY_ID") as told:
        Bucket(strict).found()
    assert "s3cret" not in str(told.value)


@pytest.mark.usefixtures("forgetful")
def test_no_credentials_are_told(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(RemoteError, match="no credentials for s3://"):
        Bucket(s3).found()


def test_a_server_that_is_not_there_is_told(s3: str) -> None:
    with pytest.raises(RemoteError, match=r"cannot reach http://127.0.0.1:9 .*AWS_ENDPOINT_URL"):
        Bucket(s3, "http://127.0.0.1:9").found()


@pytest.mark.parametrize("address", ["s3://", "s3:///x", "s3://key:s3cret@bucket/x"])
def test_an_address_that_names_no_bucket_is_refused(address: str) -> None:
    with pytest.raises(RemoteError) as told:
        Bucket(address).found()
    assert "s3cret" not in str(told.value)


@pytest.mark.usefixtures("forgetful")
def test_without_s3fs_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(RemoteError, match=r"pip install 'nightdesk\[s3\]'"):
        Bucket("s3://bucket").found()


def test_what_the_lock_says_holds_no_credentials(bucket: Bucket) -> None:
    from tasks.remote.lease import Lease

    with Lease(bucket, "me", 60):
        said = json.loads(bucket.read(".lock") or b"")
    assert set(said) == {"owner", "host", "pid", "lease_s", "renewed"}
