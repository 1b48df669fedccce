"""The state between nights: what goes in comes out, older forms are brought up, damage costs politeness alone."""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.discover.memory import SourceMemory
from tasks.discover.parse import Entry
from tasks.scrape.state import State, StateError
from tasks.scrape.visits import Visited
from tests.scrape import postgres

AT = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)


def page(url: str, **more: object) -> Visited:
    return Visited(url=url, outlet="post.example", first_at=AT, asked_at=AT, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    reason = postgres.missing()
    if reason:
        pytest.skip(reason)
    with postgres.server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | Path]:
    """Where an empty state can be kept: a file, or a database."""
    if request.param == "sqlite":
        yield tmp_path / "s.sqlite"
        return
    address = request.getfixturevalue("database")
    yield address
    engine = sa.create_engine(address)
    found = sa.MetaData()
    found.reflect(engine)
    found.drop_all(engine)
    engine.dispose()


def test_source_comes_back_as_it_was_kept(where: str | Path) -> None:
    source = SourceMemory(
        url="https://post.example/rss", outlet="post.example", etag='"a"', digest="d", location="https://post.example/f",
        entries=(Entry(link="/a", title="Fähre", published=AT), Entry(link="/s.xml", kind="sitemap", updated=AT)),
        asked_at=AT, next_at=AT + dt.timedelta(hours=1), gap_s=3600.0, fails=2, reason="timeout",
    )  # fmt: skip
    with State.open(where) as state:
        assert state.source(source.url) is None
        state.keep_source(source)
    with State.open(where) as state:
        assert state.source(source.url) == source
        state.keep_source(SourceMemory(url=source.url, outlet="post.example"))
        assert state.sources() == [SourceMemory(url=source.url, outlet="post.example")]


def test_pages_are_found_by_every_form_of_their_address(where: str | Path) -> None:
    known = page("https://www.post.example/a/", final_url="https://post.example/b", moved=True, got_at=AT)
    with State.open(where) as state:
        state.keep_pages([known], ["run-1"])
        asked = ["http://post.example/a", "https://post.example/b/", "https://post.example/c"]
        assert state.pages(asked) == {asked[0]: known, asked[1]: known}
        assert state.learnt() == {"run-1"}
        assert state.counts() == {"sources": 0, "pages": 1, "hosts": 0, "learnt": 1}


def test_due_gives_the_longest_due_first_within_the_limit(where: str | Path) -> None:
    pages = [page(f"https://post.example/{i}", next_at=AT + dt.timedelta(hours=i)) for i in range(5)]
    with State.open(where) as state:
        state.keep_pages([*pages, page("https://post.example/never")])
        assert state.due("post.example", AT + dt.timedelta(hours=3), 2) == pages[:2]
        assert state.due("other.example", AT + dt.timedelta(hours=3), 2) == []


def test_many_pages_are_kept_at_once(where: str | Path) -> None:
    pages = [page(f"https://post.example/{i}") for i in range(2_000)]
    with State.open(where) as state:
        state.keep_pages(pages)
        state.keep_pages(pages)
        assert len(state.pages(p.url for p in pages)) == state.counts()["pages"] == 2_000


def test_quiet_hosts_are_forgotten_when_their_time_has_come(where: str | Path) -> None:
    until = AT + dt.timedelta(hours=2)
    with State.open(where) as state:
        state.keep_quiet_hosts({"post.example": until})
        assert state.quiet_hosts(AT) == {"post.example": until}
        assert state.quiet_hosts(until) == {}


def test_damaged_file_is_put_aside_and_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with caplog.at_level(logging.WARNING), State.open(path) as state:
        assert state.counts()["pages"] == 0
    assert "damaged" in caplog.text
    assert path.with_name("s.sqlite.damaged").is_file()


def test_state_of_a_newer_nightdesk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    State.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute("update meta set value = '99'")
    db.close()
    with pytest.raises(StateError, match="newer nightdesk"):
        State.open(path)


def test_state_without_a_step_done_is_brought_to_todays_form(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("create table meta (name varchar(40) primary key, value varchar(200) not null)")
    db.close()
    with State.open(path) as state:
        state.keep_pages([page("https://post.example/a")])


@pytest.mark.parametrize(
    "address",
    ["mysql+nodriver://x/y", "nonsense://x", "postgresql+asyncpg://x/y", "postgresql+pg8000://nobody@127.0.0.1:1/x"],
)
def test_address_that_cannot_be_used_is_a_sentence(address: str) -> None:
    with pytest.raises(StateError, match="state"):
        State.open(address)


def test_state_of_the_first_form_keeps_its_rows(where: str | Path) -> None:
    source = SourceMemory(url="https://post.example/rss", outlet="post.example", etag='"a"')
    with State.open(where) as state:
        state.keep_source(source)
    engine = sa.create_engine(where if isinstance(where, str) else f"sqlite:///{where}")
    with engine.begin() as db:
        db.execute(sa.text("alter table sources drop column stand_in"))
        db.execute(sa.text("update meta set value = '1'"))
    engine.dispose()
    with State.open(where) as state:
        assert state.source(source.url) == source
