"""The tables as pandas frames, joined and with the right dtypes. A convenience: plain Parquet readers need none of it.

    from tasks import load
    said = load.quotes("data/processed", night="2026-03-04", min_confidence=0.8, copies=False)

Nights, outlets and every other filter are handed down to Parquet, so that what is not asked for is not read.

Dtypes: whole numbers are int64, or Int64 where they can be unknown; truth values bool or boolean likewise; columns of
few distinct values category; instants datetime64[us, UTC]; days datetime64[s] at midnight without a zone; lists stay
lists of plain Python values.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from tasks import tables
from tasks.publish.store import Store, StoreError
from tasks.remote.bucket import RemoteError, is_remote, written
from tasks.remote.mirror import Mirror, address_of
from tasks.settings import Settings, SettingsError

FOLDER = "data/processed"
ARTICLE_COLUMNS = ("outlet", "title", "published_at", "url", "language")
"""What a row of quotes, sources or events is given of its article."""
SOURCE_COLUMNS = {"name": "name", "kind": "source_kind", "role": "role", "affiliation": "affiliation", "named": "named"}
"""What a quote is given of its source, and under which name: `kind` is the quote's own."""

Night = str | dt.date
Kind = Literal["direct", "indirect", "mixed"]
SourceKind = Literal["person", "organisation", "group", "document"]


class LoadError(ValueError):
    """The tables cannot be read as asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which rows are wanted, as far as all tables of articles share it."""

    store: Store
    nights: tuple[dt.date, ...] | None
    outlet: tuple[str, ...] | None
    language: tuple[str, ...] | None
    copies: bool
    revisions: bool

    @property
    def narrows_articles(self) -> bool:
        return self.outlet is not None or self.language is not None or not (self.copies and self.revisions)


# --------------------------------------------------------------------------- the tables


def articles(
    folder: str | Path = FOLDER,
    *,
    night: Night | None = None,
    nights: tuple[Night | None, Night | None] | None = None,
    outlet: str | Sequence[str] | None = None,
    language: str | Sequence[str] | None = None,
    min_confidence: float | None = None,
    copies: bool = True,
    revisions: bool = True,
    text: bool = True,
) -> pd.DataFrame:
    """One row per revision of an article. `text=False` leaves text and removed out, which are most of the bytes.

    copies=False drops near-identical copies, revisions=False all but the newest wording (of the nights asked for).
    """
    scope = _scope(folder, night, nights, outlet, language, copies, revisions)
    wanted = _names("articles", leave=() if text else ("text", "removed"))
    condition = _and(_at_least(min_confidence), _member("outlet", scope.outlet), _member("language", scope.language))
    found = _read(scope, "articles", wanted, condition)
    if not (copies and revisions):
        found = found.filter(pc.is_in(found["article_id"], value_set=_article_ids(scope)))
    return _frame(found, "articles")


def quotes(
    folder: str | Path = FOLDER,
    *,
    night: Night | None = None,
    nights: tuple[Night | None, Night | None] | None = None,
    outlet: str | Sequence[str] | None = None,
    language: str | Sequence[str] | None = None,
    kind: Kind | Sequence[Kind] | None = None,
    min_confidence: float | None = None,
    copies: bool = True,
    revisions: bool = True,
) -> pd.DataFrame:
    """One row per quote, with outlet, title, published_at, url, language of its article.

    Of its source it has name, source_kind, role, affiliation, named: null where the quote has no source.
    """
    scope = _scope(folder, night, nights, outlet, language, copies, revisions)
    kinds = _one_of("kind", kind, get_args(Kind))
    found = _read_scoped(scope, "quotes", _and(_at_least(min_confidence), _member("kind", kinds)))
    joined = _with_source(scope, _with_article(scope, found))
    return _frame(joined, "quotes", "articles", "sources")


def sources(
    folder: str | Path = FOLDER,
    *,
    night: Night | None = None,
    nights: tuple[Night | None, Night | None] | None = None,
    outlet: str | Sequence[str] | None = None,
    language: str | Sequence[str] | None = None,
    kind: SourceKind | Sequence[SourceKind] | None = None,
    named: bool | None = None,
    copies: bool = True,
    revisions: bool = True,
) -> pd.DataFrame:
    """One row per source and article, with outlet, title, published_at, url, language of the article."""
    scope = _scope(folder, night, nights, outlet, language, copies, revisions)
    kinds = _one_of("kind", kind, get_args(SourceKind))
    condition = _and(_member("kind", kinds), None if named is None else ds.field("named") == named)
    return _frame(_with_article(scope, _read_scoped(scope, "sources", condition)), "sources", "articles")


def events(
    folder: str | Path = FOLDER,
    *,
    night: Night | None = None,
    nights: tuple[Night | None, Night | None] | None = None,
    outlet: str | Sequence[str] | None = None,
    language: str | Sequence[str] | None = None,
    type: tables.EventType | Sequence[tables.EventType] | None = None,
    min_confidence: float | None = None,
    all_modalities: bool = False,
    copies: bool = True,
    revisions: bool = True,
) -> pd.DataFrame:
    """One row per event mention, with outlet, title, published_at, url, language of its article.

    Only what is told as having happened (asserted, reported, alleged) unless `all_modalities`: an attack that is
    planned, feared or denied is no attack.
    """
    scope = _scope(folder, night, nights, outlet, language, copies, revisions)
    types = _one_of("type", type, get_args(tables.EventType))
    told = None if all_modalities else _member("modality", tuple(sorted(tables.REAL)))
    found = _read_scoped(scope, "events", _and(_at_least(min_confidence), _member("type", types), told))
    return _frame(_with_article(scope, found), "events", "articles")


def stories(
    folder: str | Path = FOLDER,
    *,
    night: Night | None = None,
    nights: tuple[Night | None, Night | None] | None = None,
    outlet: str | Sequence[str] | None = None,
    min_articles: int = 1,
) -> pd.DataFrame:
    """One row per story. With nights or outlets: the stories that an article of theirs belongs to, counted in whole."""
    scope = _scope(folder, night, nights, outlet, None, True, True)
    condition = ds.field("n_articles") >= min_articles
    if scope.nights is not None or scope.outlet is not None:
        told = _read(scope, "articles", ["story_id"], _member("outlet", scope.outlet))["story_id"]
        condition = _and(condition, ds.field("story_id").isin(pc.unique(told.drop_null())))
    return _frame(_read(scope, "stories", _names("stories"), condition), "stories")


def coverage(
    folder: str | Path = FOLDER,
    *,
    night: Night | None = None,
    nights: tuple[Night | None, Night | None] | None = None,
    outlet: str | Sequence[str] | None = None,
    usable: bool = False,
) -> pd.DataFrame:
    """One row per outlet and night. `usable=True` leaves only those that a count over time may use."""
    scope = _scope(folder, night, nights, outlet, None, True, True)
    condition = _and(_member("outlet", scope.outlet), ds.field("usable_for_trends") == True if usable else None)  # noqa: E712
    return _frame(_read(scope, "coverage", _names("coverage"), condition), "coverage")


def inputs(
    folder: str | Path = FOLDER,
    *,
    night: Night | None = None,
    nights: tuple[Night | None, Night | None] | None = None,
    outlet: str | Sequence[str] | None = None,
    fate: str | Sequence[str] | None = None,
    reason: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per input of a run and what became of it."""
    scope = _scope(folder, night, nights, outlet, None, True, True)
    fates = _one_of("fate", fate, [str(f) for f in tables.Fate])
    reasons = _one_of("reason", reason, [str(r) for r in tables.Reason])
    condition = _and(_member("outlet", scope.outlet), _member("fate", fates), _member("reason", reasons))
    return _frame(_read(scope, "inputs", _names("inputs"), condition), "inputs")


# --------------------------------------------------------------------------- what is asked for


def _scope(
    folder: str | Path,
    night: Night | None,
    nights: tuple[Night | None, Night | None] | None,
    outlet: str | Sequence[str] | None,
    language: str | Sequence[str] | None,
    copies: bool,
    revisions: bool,
) -> Scope:
    store = _open(Path(folder))
    scope = Scope(
        store=store,
        nights=_nights(store, night, nights),
        outlet=_several(outlet),
        language=_several(language),
        copies=copies,
        revisions=revisions,
    )
    _check_outlets(scope)
    return scope


def _open(folder: Path) -> Store:
    if is_remote(folder):
        folder = _fetched(folder)
    if folder.name in tables.TABLES and not (folder / "articles").is_dir():
        raise LoadError(f"{folder} is one table: give the folder above it, {folder.parent}")
    if not folder.is_dir():
        demo = Path("data/demo/processed")
        hint = f"; the demo's tables are in {demo}" if demo.is_dir() else ""
        raise LoadError(f"no tables at {folder}, seen from {Path.cwd()}: give the folder that --out named{hint}")
    try:
        store = Store.open(folder)
    except StoreError as err:
        raise LoadError(str(err)) from err
    if not store.nights("runs"):
        place = address_of(folder) or folder
        raise LoadError(f"no tables in {place}: it has no run; give the folder that holds articles/, quotes/, …")
    return store


def _fetched(address: Path) -> Path:
    """The local mirror of tables in a bucket, brought up to date; the settings say where it lies."""
    if address.name in tables.TABLES:
        raise LoadError(f"{written(address)} is one table: give the address above it, {written(address.parent)}")
    try:
        rules = Settings.load().s3
        mirror = Mirror.make(written(address), rules, what="tables")
        mirror.refresh()
    except (RemoteError, SettingsError) as err:
        raise LoadError(str(err)) from err
    return mirror.folder


def _nights(
    store: Store, night: Night | None, nights: tuple[Night | None, Night | None] | None
) -> tuple[dt.date, ...] | None:
    """The nights wanted, or None for all. Raises LoadError if there is none of them."""
    if night is None and nights is None:
        return None
    if night is not None and nights is not None:
        raise LoadError("give night or nights, not both")
    first: dt.date | None
    last: dt.date | None
    if night is not None:
        first = last = _date(night)
    else:
        if not isinstance(nights, tuple | list) or len(nights) != 2:
            raise LoadError(f"nights is a pair (first, last), both included, either None: not {nights!r}")
        first, last = (None if n is None else _date(n) for n in nights)
    if first and last and first > last:
        raise LoadError(f"nights ends before it begins: {first} to {last}")
    known = store.nights("runs")
    wanted = tuple(n for n in known if (first is None or n >= first) and (last is None or n <= last))
    if not wanted:
        span = str(first) if first == last else f"from {first or 'the first'} to {last or 'the last'}"
        listed = ", ".join(str(n) for n in known[-5:])
        raise LoadError(f"{store.root} has no night {span}; it has {len(known)}, the newest: {listed}")
    return wanted


def _date(value: Night) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (ValueError, TypeError) as err:
        raise LoadError(f"{value!r} is no night: write it as YYYY-MM-DD, or give a date") from err


def _several(value: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


def _one_of(option: str, value: Any, known: Collection[str]) -> tuple[str, ...] | None:
    wanted = _several(value)
    for v in wanted or ():
        if v not in known:
            raise LoadError(f"{option}={v!r}: {_near(str(v), known)}")
    return wanted


def _near(value: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known)[:30]) or 'none'}"


def _check_outlets(scope: Scope) -> None:
    """An outlet that the tables never met is a slip of the pen; one without rows in these nights is an answer."""
    if not scope.outlet:
        return
    known: set[str] = set()
    for table in ("outlets", "inputs"):
        files = scope.store.files(table)
        if files:
            column = ds.dataset(files, schema=tables.schema(table)).to_table(columns=["outlet"])["outlet"]
            known |= set(pc.unique(column.drop_null()).to_pylist())
        if known.issuperset(scope.outlet):
            return
    for name in scope.outlet:
        if name not in known:
            raise LoadError(f"no outlet {name!r} in {scope.store.root}: {_near(name, known)}")


# --------------------------------------------------------------------------- reading


def _and(*conditions: Any) -> Any:
    found = None
    for condition in conditions:
        if condition is not None:
            found = condition if found is None else found & condition
    return found


def _at_least(confidence: float | None) -> Any:
    if confidence is None:
        return None
    if not 0 <= confidence <= 1:
        raise LoadError(f"min_confidence={confidence}: it is a chance from 0 to 1")
    return ds.field("confidence") >= confidence


def _member(column: str, values: tuple[str, ...] | None) -> Any:
    return None if values is None else ds.field(column).isin(list(values))


def _names(table: str, leave: Collection[str] = ()) -> list[str]:
    return [n for n in tables.schema(table).names if n not in leave]


def _read(scope: Scope, table: str, columns: list[str], condition: Any) -> Any:
    """Arrow table of the wanted nights (of a table over the whole corpus: its one partition), with the column dt."""
    store, base = scope.store, scope.store.root / table
    nights = store.nights(table)
    if scope.nights is not None and table not in tables.SNAPSHOTS:
        nights = [n for n in nights if n in scope.nights]
    night = pa.field("dt", pa.date32())
    schema = tables.schema(table).append(night)
    if not nights:
        return schema.empty_table().select([*columns, "dt"])
    data = ds.dataset(
        [str(store.path(table, n)) for n in nights],
        schema=schema,
        format="parquet",
        partitioning=ds.partitioning(pa.schema([night]), flavor="hive"),
        partition_base_dir=str(base),
    )
    return data.to_table(columns=[*columns, "dt"], filter=condition)


def _read_scoped(scope: Scope, table: str, condition: Any) -> Any:
    if scope.narrows_articles:
        condition = _and(condition, ds.field("article_id").isin(_article_ids(scope)))
    return _read(scope, table, _names(table), condition)


def _article_ids(scope: Scope) -> Any:
    """Ids of the articles of the scope."""
    condition = _and(_member("outlet", scope.outlet), _member("language", scope.language))
    if not scope.copies:
        condition = _and(condition, ds.field("is_original").is_null() | ds.field("is_original"))
    found = _read(scope, "articles", ["article_id", "article_key", "revision"], condition)
    if not scope.revisions:
        newest = found.group_by("article_key").aggregate([("revision", "max")])
        top = newest["revision_max"].take(pc.index_in(found["article_key"], value_set=_flat(newest["article_key"])))
        found = found.filter(pc.equal(found["revision"], top))
    return _flat(found["article_id"])


def _flat(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _with_article(scope: Scope, rows: Any) -> Any:
    found = _read(
        scope, "articles", ["article_id", *ARTICLE_COLUMNS], ds.field("article_id").isin(pc.unique(rows["article_id"]))
    )
    at = pc.index_in(rows["article_id"], value_set=_flat(found["article_id"]))
    for name in ARTICLE_COLUMNS:
        rows = rows.append_column(name, found[name].take(at))
    return rows


def _with_source(scope: Scope, rows: Any) -> Any:
    found = _read(
        scope,
        "sources",
        ["source_id", "article_id", *SOURCE_COLUMNS],
        ds.field("article_id").isin(pc.unique(rows["article_id"])),
    )
    at = pc.index_in(_pair(rows), value_set=_flat(_pair(found)))
    at = pc.if_else(pc.is_null(rows["source_id"]), None, at)
    for name, ours in SOURCE_COLUMNS.items():
        rows = rows.append_column(ours, found[name].take(at))
    return rows


def _pair(rows: Any) -> Any:
    """Key of sources in one column: ids hold no blank."""
    return pc.binary_join_element_wise(pc.fill_null(rows["source_id"], ""), rows["article_id"], " ")


# --------------------------------------------------------------------------- dtypes


def _few_valued(*names: str) -> frozenset[str]:
    few = {c for t in names for c, col in tables.columns(t).items() if col.low_cardinality}
    return frozenset(few | ({"source_kind"} if "sources" in names else set()))


def _frame(rows: Any, *origins: str) -> pd.DataFrame:
    few = _few_valued(*origins)
    return pd.DataFrame({f.name: _series(rows[f.name], f.nullable, f.name in few) for f in rows.schema}, copy=False)


def _series(column: Any, null: bool, few: bool) -> pd.Series[Any]:
    kind = column.type
    if (null or column.null_count) and pa.types.is_integer(kind):
        return pd.Series(column.to_pandas(types_mapper={kind: pd.Int64Dtype()}.get))
    if (null or column.null_count) and pa.types.is_boolean(kind):
        return pd.Series(column.to_pandas(types_mapper={kind: pd.BooleanDtype()}.get))
    if pa.types.is_date(kind):
        return pd.Series(column.cast(pa.timestamp("s")).to_pandas())
    if pa.types.is_nested(kind):
        return pd.Series(column.to_pylist(), dtype="object")
    if few:
        return pd.Series(column.dictionary_encode().unify_dictionaries().to_pandas())
    return pd.Series(column.to_pandas())
