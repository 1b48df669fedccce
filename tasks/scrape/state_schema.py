"""The tables of the state, and the numbered steps that bring an older one to today's form.

A step is added, never changed: it works on tables as they were then, and the number of steps done is kept in `meta`.
(alembic would do the same with a folder of generated files and a configuration of its own.)
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

metadata = sa.MetaData()

meta = sa.Table(
    "meta", metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)  # fmt: skip

sources = sa.Table(
    "sources", metadata,
    sa.Column("key", sa.String(24), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("outlet", sa.String(260), nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("digest", sa.String(64)),
    sa.Column("location", sa.Text),
    sa.Column("moved", sa.Boolean, nullable=False),
    sa.Column("listing", sa.Boolean, nullable=False),
    sa.Column("entries", sa.LargeBinary),
    sa.Column("asked_at", sa.Double),
    sa.Column("answered_at", sa.Double),
    sa.Column("changed_at", sa.Double),
    sa.Column("gap_s", sa.Double),
    sa.Column("fails", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("detail", sa.Text),
    sa.Column("next_at", sa.Double),
    sa.Column("stand_in", sa.Text),
)  # fmt: skip

pages = sa.Table(
    "pages", metadata,
    sa.Column("key", sa.String(24), primary_key=True),
    sa.Column("final_key", sa.String(24)),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("outlet", sa.String(260), nullable=False),
    sa.Column("final_url", sa.Text),
    sa.Column("moved", sa.Boolean, nullable=False),
    sa.Column("first_at", sa.Double, nullable=False),
    sa.Column("asked_at", sa.Double, nullable=False),
    sa.Column("got_at", sa.Double),
    sa.Column("changed_at", sa.Double),
    sa.Column("visits", sa.Integer, nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("digest", sa.String(80)),
    sa.Column("page_date", sa.String(40)),
    sa.Column("fails", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("detail", sa.Text),
    sa.Column("next_at", sa.Double),
    sa.Index("pages_final_key", "final_key"),
    sa.Index("pages_due", "outlet", "next_at"),
)  # fmt: skip

hosts = sa.Table(
    "hosts", metadata,
    sa.Column("host", sa.String(300), primary_key=True),
    sa.Column("quiet_until", sa.Double, nullable=False),
)  # fmt: skip

learnt = sa.Table(
    "learnt", metadata,
    sa.Column("run_id", sa.String(200), primary_key=True),
)  # fmt: skip


def _first(db: sa.Connection) -> None:
    metadata.create_all(db, tables=[sources, pages, hosts, learnt])


def _second(db: sa.Connection) -> None:
    """sources.stand_in; a state begun after it has it already."""
    if "stand_in" not in {c["name"] for c in sa.inspect(db).get_columns("sources")}:
        db.execute(sa.text("alter table sources add column stand_in text"))


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (_first, _second)
