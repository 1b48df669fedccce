"""Publication is one instant: before it the old night, after it the new one, whatever is killed."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from tasks import tables
from tasks.publish.store import Store, StoreError
from tasks.publish.write import read_table, write_rows
from tests import rows

NEXT = rows.NIGHT + dt.timedelta(days=1)


def _publish(store: Store, *texts: str, night: dt.date = rows.NIGHT) -> None:
    commit = store.begin()
    write_rows(commit.stage(store.path("articles", night)), "articles", [rows.article(t) for t in texts])
    commit.publish()


def _texts(store: Store, night: dt.date = rows.NIGHT) -> list[str]:
    texts: list[str] = read_table(store.path("articles", night), ["text"])["text"].to_pylist()
    return texts


def test_publish_replaces_the_nights_file(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "out", write=True)
    _publish(store, "one")
    _publish(store, "one", "two")
    assert _texts(store) == ["one", "two"]
    assert store.nights("articles") == [rows.NIGHT]
    assert not (store.root / ".commit").exists()


def test_staged_files_are_invisible_and_forgotten_when_killed_before_the_list_is_written(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "out", write=True)
    _publish(store, "old")
    commit = store.begin()
    write_rows(commit.stage(store.path("articles", rows.NIGHT)), "articles", [rows.article("new")])
    assert _texts(Store.open(store.root)) == ["old"]


@pytest.mark.parametrize("done", [0, 1, 2])
def test_open_finishes_a_commit_killed_among_its_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    store = Store.open(tmp_path / "out", write=True)
    _publish(store, "old")
    commit = store.begin()
    for table in ("articles", "quotes", "events"):
        data = [rows.article("new")] if table == "articles" else []
        write_rows(commit.stage(store.path(table, rows.NIGHT)), table, data)

    def killed(self: Store, moves: list[list[str]]) -> None:
        for _, source, place in moves[:done]:
            (self.root / place).parent.mkdir(parents=True, exist_ok=True)
            (self.root / source).rename(self.root / place)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_apply", killed)
        with pytest.raises(SystemExit):
            commit.publish()
    again = Store.open(store.root)
    assert _texts(again) == ["new"]
    assert again.path("quotes", rows.NIGHT).is_file()
    assert again.path("events", rows.NIGHT).is_file()


def test_corpus_wide_partition_moves_to_the_newest_night(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "out", write=True)
    for night in (rows.NIGHT, NEXT):
        commit = store.begin()
        for old in store.nights("stories"):
            commit.rename_folder(store.path("stories", old).parent, store.path("stories", night).parent)
        write_rows(commit.stage(store.path("stories", night)), "stories", [])
        commit.publish()
    assert store.nights("stories") == [NEXT]


def test_lock_refuses_a_second_writer(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "out", write=True)
    with store.lock(), pytest.raises(StoreError, match="another nightdesk"), store.lock():
        pass


def test_open_refuses_tables_of_a_newer_nightdesk(tmp_path: Path) -> None:
    package = tmp_path / "datapackage.json"
    package.write_text(json.dumps({"schema_version": tables.SCHEMA_VERSION + 1}))
    with pytest.raises(StoreError, match="newer nightdesk"):
        Store.open(tmp_path)


def test_open_says_when_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no tables at"):
        Store.open(tmp_path / "nowhere")


def test_open_for_writing_refuses_a_file_as_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        Store.open(tmp_path / "file" / "tables", write=True)


def test_a_writer_who_waited_finishes_what_the_one_before_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path / "out", write=True)
    late = Store.open(tmp_path / "out", write=True)
    commit = store.begin()
    write_rows(commit.stage(store.path("articles", rows.NIGHT)), "articles", [rows.article("one")])
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_apply", lambda *_: None)
        commit.publish()
    with pytest.raises(StoreError, match="not finished"):
        late.begin()
    with late.lock():
        assert _texts(late) == ["one"]
        late.begin()
