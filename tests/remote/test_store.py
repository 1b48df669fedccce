"""Tables in a bucket: the promises of a folder of tables (tests/publish/test_store.py), for two machines."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tasks.publish.store import Store, StoreError
from tasks.publish.write import read_table, write_rows
from tasks.remote import mirror as remote
from tasks.remote.bucket import Bucket
from tasks.remote.mirror import HEAD, Mirror
from tests import rows
from tests.remote.conftest import mirror

NEXT = rows.NIGHT + dt.timedelta(days=1)


class Killed(BaseException):
    pass


def _store(bucket: Bucket, machine: Path, lease_s: float = 60.0) -> Store:
    made = mirror(bucket, machine, lease_s)
    made.refresh()
    return Store.open(made.folder, write=True)


def _publish(store: Store, *texts: str, night: dt.date = rows.NIGHT) -> None:
    with store.lock():
        _commit(store, *texts, night=night)


def _commit(store: Store, *texts: str, night: dt.date = rows.NIGHT) -> None:
    commit = store.begin()
    articles = [rows.article(t) for t in texts]
    write_rows(commit.stage(store.path("articles", night)), "articles", articles)
    write_rows(commit.stage(store.path("runs", night)), "runs", [])
    for old in store.nights("stories"):
        if old != night:
            commit.rename_folder(store.path("stories", old).parent, store.path("stories", night).parent)
    write_rows(commit.stage(store.path("stories", night)), "stories", [])
    commit.publish()


def _texts(store: Store, night: dt.date = rows.NIGHT) -> list[str]:
    texts: list[str] = read_table(store.path("articles", night), ["text"])["text"].to_pylist()
    return texts


def test_what_one_machine_publishes_another_one_reads(bucket: Bucket, tmp_path: Path) -> None:
    _publish(_store(bucket, tmp_path / "a"), "one")
    other = _store(bucket, tmp_path / "b")
    assert _texts(other) == ["one"]
    _publish(other, "one", "two")
    assert _texts(_store(bucket, tmp_path / "a")) == ["one", "two"]
    assert [n for n in bucket.found(".commit/") if n != HEAD] == []


def test_a_corpus_wide_partition_moves_to_the_newest_night(bucket: Bucket, tmp_path: Path) -> None:
    for night in (rows.NIGHT, NEXT):
        _publish(_store(bucket, tmp_path / "a"), "one", night=night)
    assert list(bucket.found("stories/")) == [f"stories/dt={NEXT}/part-0.parquet"]
    assert _store(bucket, tmp_path / "a").nights("stories") == [NEXT]
    assert _store(bucket, tmp_path / "b").nights("stories") == [NEXT]


def test_files_are_fetched_once(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(_store(bucket, tmp_path / "a"), "one")
    fetched: list[str] = []
    fetch = Bucket.fetch

    def counted(self: Bucket, key: str, to: Path) -> None:
        fetched.append(to.name)
        fetch(self, key, to)

    monkeypatch.setattr(Bucket, "fetch", counted)
    _store(bucket, tmp_path / "b")
    assert len(fetched) == 3
    _store(bucket, tmp_path / "b")
    _store(bucket, tmp_path / "a")
    assert len(fetched) == 3


# --------------------------------------------------------------------------- killed


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_night_killed_among_its_copies_is_published(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    _publish(_store(bucket, tmp_path / "a"), "old")
    copy, copied = Bucket.copy, []

    def killed(self: Bucket, key: str, name: str) -> None:
        if len(copied) == done:
            raise Killed
        copied.append(name)
        copy(self, key, name)

    store = _store(bucket, tmp_path / "a")
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "copy", killed)
        with pytest.raises(Killed):
            _publish(store, "new")
    reader = _store(bucket, tmp_path / "b")
    assert _texts(reader) == ["new"], "a reader follows the list"
    with reader.lock():
        pass  # a writer carries it out
    assert [n for n in bucket.found(".commit/") if n != HEAD] == []
    assert _texts(_store(bucket, tmp_path / "c")) == ["new"]
    assert _texts(_store(bucket, tmp_path / "a")) == ["new"], "and so does the machine that died"


KILL = """
import os, signal, sys
from pathlib import Path
from tests import rows
from tests.remote.test_store import Bucket, _publish, _store
Bucket.copy = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
_publish(_store(Bucket(sys.argv[1]), Path(sys.argv[2])), "new")
"""


def test_a_process_killed_among_its_copies_leaves_neither_half_a_night_nor_its_lock(
    bucket: Bucket, tmp_path: Path
) -> None:
    _publish(_store(bucket, tmp_path / "a"), "old")
    killed = subprocess.run([sys.executable, "-c", KILL, bucket.address, str(tmp_path / "a")], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(StoreError, match="another nightdesk"), _store(bucket, tmp_path / "b").lock():
        pass
    with _store(bucket, tmp_path / "a").lock():
        pass  # the same machine knows that it is dead
    assert list(bucket.found("articles/")) == [f"articles/dt={rows.NIGHT}/part-0.parquet"]
    assert _texts(_store(bucket, tmp_path / "b")) == ["new"]


def test_a_night_killed_before_its_list_is_written_is_not_published(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(_store(bucket, tmp_path / "a"), "old")

    def killed(*_: object) -> None:
        raise Killed

    store = _store(bucket, tmp_path / "a")
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "replace", killed)
        with pytest.raises(Killed):
            _commit(store, "new")
    assert _texts(_store(bucket, tmp_path / "b")) == ["old"]
    assert _texts(_store(bucket, tmp_path / "a")) == ["old"]
    _publish(_store(bucket, tmp_path / "b"), "newer")
    assert [n for n in bucket.found(".commit/") if n != HEAD] == []


def test_a_night_killed_between_the_bucket_and_the_folder_is_in_both(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _store(bucket, tmp_path / "a")

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_apply", killed)
        with pytest.raises(Killed):
            _publish(store, "new")
    assert _texts(_store(bucket, tmp_path / "a")) == ["new"]


# --------------------------------------------------------------------------- two writers


def test_a_second_writer_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    one, two = _store(bucket, tmp_path / "a"), _store(bucket, tmp_path / "b")
    with one.lock(), pytest.raises(StoreError, match="another nightdesk is writing to s3://"), two.lock():
        pass


def test_of_two_writers_that_think_they_are_alone_one_publishes(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one slept through its lease."""
    one, two = _store(bucket, tmp_path / "a"), _store(bucket, tmp_path / "b")
    with one.lock():
        _commit(one, "old")
        with monkeypatch.context() as patch:
            patch.setattr("tasks.remote.lease.Lease._take_over", lambda self: "")
            with two.lock():
                _commit(two, "of two")
        with pytest.raises(StoreError, match=r"published to s3://.* meanwhile, so nothing was published"):
            _commit(one, "of one")
    assert _texts(_store(bucket, tmp_path / "c")) == ["of two"]
    assert _texts(_store(bucket, tmp_path / "a")) == ["of two"]


# --------------------------------------------------------------------------- beside the tables


def test_what_lies_beside_the_tables_goes_to_the_bucket_and_comes_from_it(bucket: Bucket, tmp_path: Path) -> None:
    store = _store(bucket, tmp_path / "a")
    _publish(store, "one")
    for name in ("reports/index.html", ".state/visits.sqlite", ".state/signatures/2026-03-04.parquet"):
        (store.root / name).parent.mkdir(parents=True, exist_ok=True)
        (store.root / name).write_text(name, encoding="utf-8")
    (store.root / ".work" / "run").mkdir(parents=True)
    (store.root / ".work" / "run" / "x").write_text("", encoding="utf-8")
    with store.lock():
        pass
    other = _store(bucket, tmp_path / "b")
    assert (other.root / "reports/index.html").read_text(encoding="utf-8") == "reports/index.html"
    assert (other.root / ".state/visits.sqlite").is_file()
    assert not bucket.found(".work/")
    assert not bucket.found(".state/signatures/"), "state that no commit staged is no one's"
    with other.lock():
        (other.root / "reports/index.html").write_text("newer", encoding="utf-8")
    assert (_store(bucket, tmp_path / "a").root / "reports/index.html").read_text(encoding="utf-8") == "newer"


def test_state_that_is_forgotten_goes_from_the_bucket(bucket: Bucket, tmp_path: Path) -> None:
    store = _store(bucket, tmp_path / "a")
    with store.lock():
        commit = store.begin()
        commit.stage(store.state_path("repeats", rows.NIGHT)).write_bytes(b"x")
        commit.publish()
        assert bucket.found(".state/repeats/")
        store.state_path("repeats", rows.NIGHT).unlink()
    assert not bucket.found(".state/")


def test_pandas_reads_a_table_from_the_bucket_whatever_is_under_way(
    bucket: Bucket, tmp_path: Path, s3_server: str
) -> None:
    store = _store(bucket, tmp_path / "a")
    _publish(store, "one")
    _publish(store, "two", "three", night=NEXT)
    bucket.create(".work/run/clean/x.tar", b"no table")
    bucket.create(".commit/dead/articles/dt=2026-03-09/part-0.parquet", b"no table")
    found = pd.read_parquet(
        f"{bucket.address}/articles", columns=["text", "dt"], storage_options={"endpoint_url": s3_server}
    )
    assert sorted(found["text"]) == ["one", "three", "two"]


# --------------------------------------------------------------------------- single files


def test_a_folder_that_is_no_mirror_stands_for_itself(tmp_path: Path) -> None:
    assert Mirror.around(tmp_path / "x" / "y") is None
    assert remote.address_of(tmp_path / "x") is None
    assert remote.at_hand(tmp_path / "x") is False


def test_a_file_of_a_mirror_is_known_by_its_address_and_fetched_when_needed(bucket: Bucket, tmp_path: Path) -> None:
    bucket.create("2026-03-04/a-00000.warc.gz", b"warc")
    file = mirror(bucket, tmp_path).folder / "2026-03-04" / "a-00000.warc.gz"
    assert remote.address_of(file) == f"{bucket.address}/2026-03-04/a-00000.warc.gz"
    assert remote.at_hand(file)
    assert file.read_bytes() == b"warc"
    remote.forget_copies(mirror(bucket, tmp_path).folder)
    assert not file.parent.exists()
    assert remote.at_hand(file)
