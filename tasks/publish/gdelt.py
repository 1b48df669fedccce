"""Events in the columns of GDELT 2.0's event table, for programs that read those; docs/gdelt.md says what differs.

Source of the columns: the GDELT Event Database Data Format Codebook v2.0; of the codes: CAMEO 1.1b3 (cameo.tsv).
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks import tables
from tasks.publish.cells import tab_line
from tasks.publish.store import Store
from tasks.publish.write import read_table

FILE = "gdelt-events.tsv"
_ACTOR = (
    "Code", "Name", "CountryCode", "KnownGroupCode", "EthnicCode", "Religion1Code", "Religion2Code", "Type1Code",
    "Type2Code", "Type3Code",
)  # fmt: skip
_GEO = ("Type", "Fullname", "CountryCode", "ADM1Code", "ADM2Code", "Lat", "Long", "FeatureID")
COLUMNS: tuple[str, ...] = (
    "GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate",
    *(f"Actor1{c}" for c in _ACTOR), *(f"Actor2{c}" for c in _ACTOR),
    "IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass", "GoldsteinScale", "NumMentions",
    "NumSources", "NumArticles", "AvgTone",
    *(f"{a}Geo_{c}" for a in ("Actor1", "Actor2", "Action") for c in _GEO),
    "DATEADDED", "SOURCEURL",
)  # fmt: skip
"""The 61 columns of GDELT 2.0, in its order."""
OURS = (
    "event_id", "article_id", "story_id", "modality", "confidence", "plover_type", "plover_mode", "geonames_id", "dt",
)  # fmt: skip
"""What follows them: our own ids, and what GDELT has no column for."""
_GEO_TYPES = {"country": 1, "admin1": 5, "city": 4}


@functools.cache
def cameo() -> dict[tuple[str, str], str]:
    """(PLOVER type, mode or "-") -> CAMEO code."""
    lines = (Path(__file__).parent / "cameo.tsv").read_text(encoding="utf-8").splitlines()
    parts = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(type_, mode): code for type_, mode, code, _ in parts}


def event_code(type_: str, mode: str | None) -> str:
    """CAMEO code of type and mode, of the type where the mode has none of its own."""
    codes = cameo()
    return codes.get((type_, mode or "-"), codes[type_, "-"])


def quad_class(code: str) -> int:
    """GDELT's QuadClass, which goes by CAMEO's root codes and so differs from PLOVER's quad for some types."""
    root = int(code[:2])
    return 1 if root <= 5 else 2 if root <= 8 else 3 if root <= 13 else 4


def lines(store: Store, nights: list[dt.date], *, without_text: bool, batch_rows: int) -> Iterator[str]:
    """The header, then one line an event that is told as having happened, a night after the other."""
    yield tab_line((*COLUMNS, *OURS))
    for night in nights:
        path = store.path("events", night)
        if not path.is_file():
            continue
        articles = _articles(store, night)
        real = pa.array(sorted(tables.REAL))
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=batch_rows):
                for event in batch.filter(pc.is_in(batch["modality"], real)).to_pylist():
                    row = _row(event, articles.get(event["article_id"], {}), night, without_text)
                    yield tab_line(row.get(c) for c in (*COLUMNS, *OURS))


def _articles(store: Store, night: dt.date) -> dict[str, dict[str, Any]]:
    """article_id -> url and times, of the night's articles."""
    wanted = ["article_id", "url", "published_at", "fetched_at"]
    return {a["article_id"]: a for a in read_table(store.path("articles", night), wanted).to_pylist()}


def _row(event: dict[str, Any], article: dict[str, Any], night: dt.date, without_text: bool) -> dict[str, Any]:
    code = event_code(event["type"], event["mode"])
    added = article.get("published_at") or article.get("fetched_at") or dt.datetime.combine(night, dt.time(), dt.UTC)
    row: dict[str, Any] = {
        # 63 bits of our id: GDELT's is a positive integer
        "GLOBALEVENTID": int(event["event_id"].rsplit("-", 1)[-1], 16) & (2**63 - 1),
        **_days(event["date_start"], event["date_precision"]),
        "EventCode": code,
        "EventBaseCode": code[:3],
        "EventRootCode": code[:2],
        "QuadClass": quad_class(code),
        "GoldsteinScale": event["goldstein"],
        "NumMentions": 1,
        "NumSources": 1,
        "NumArticles": 1,
        "DATEADDED": f"{added.astimezone(dt.UTC):%Y%m%d%H%M%S}",
        "SOURCEURL": article.get("url"),
        **{f"plover_{c}": event[c] for c in ("type", "mode")},
        **{c: event[c] for c in ("event_id", "article_id", "story_id", "modality", "confidence", "geonames_id")},
        "dt": night.isoformat(),
    }
    for theirs, ours in (("Actor1", "actor"), ("Actor2", "recipient")):
        country, sector = event[f"{ours}_country"], event[f"{ours}_sector"]
        name = None if without_text else event[f"{ours}_text"]
        row |= {
            f"{theirs}Code": f"{country or ''}{sector or ''}" or None,
            f"{theirs}Name": name.upper() if name else None,
            f"{theirs}CountryCode": country,
            f"{theirs}Type1Code": sector,
        }
    if event["place_name"]:
        row |= {
            "ActionGeo_Type": _GEO_TYPES.get(event["place_precision"] or ""),
            "ActionGeo_Fullname": event["place_name"],
            "ActionGeo_CountryCode": event["place_country"],
            "ActionGeo_ADM1Code": event["place_admin1"],
            "ActionGeo_Lat": event["lat"],
            "ActionGeo_Long": event["lon"],
        }
    return row


def _days(day: dt.date | None, precision: str | None) -> dict[str, Any]:
    """GDELT's date columns, as far as the date is known: a month has no day, an unknown date none of them."""
    if day is None:
        return {}
    out: dict[str, Any] = {"Year": day.year}
    if precision != "year":
        out["MonthYear"] = f"{day:%Y%m}"
    if precision not in ("year", "month"):
        out["SQLDATE"] = f"{day:%Y%m%d}"
        out["FractionDate"] = round(day.year + (day.month * 30 + day.day) / 365, 4)
    return out
