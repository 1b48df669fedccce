"""Croissant (JSON-LD) for an export of Parquet files: what machine-learning tools and data search read.

Source: the Croissant format specification 1.0, MLCommons.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from tasks import tables

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "samplingRate": "cr:samplingRate",
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
REFERENCES = {"article_id": "articles", "story_id": "stories", "quote_group": "quote_groups"}
"""Columns that point to the key of another table."""


class Described(Protocol):
    """A file of an export."""

    @property
    def name(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


def croissant(
    files: Sequence[Described], schemas: Mapping[str, Any], made_at: dt.datetime, *, without_text: bool
) -> str:
    """The description of Parquet files with the given Arrow schemas, as JSON-LD."""
    there = {f.table for f in files}
    data = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "nightdesk-export",
        "description": "Quotes, sources and events from the news, each with the place of its words in the article. "
        "Spans count Unicode code points, end exclusive; times are UTC; null means unknown."
        + (" Without the words of the articles." if without_text else ""),
        "version": f"{tables.SCHEMA_VERSION}.0.0",
        "datePublished": made_at.date().isoformat(),
        "license": "See README.md: the texts belong to their publishers",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": f.name,
                "name": f.name,
                "contentUrl": f.name,
                "contentSize": f"{f.bytes} B",
                "encodingFormat": "application/x-parquet",
                "sha256": f.sha256,
            }
            for f in files
        ],
        "recordSet": [_record_set(f, schemas[f.name], there) for f in files],
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _record_set(file: Described, schema: Any, there: set[str]) -> dict[str, Any]:
    key = [{"@id": f"{file.table}/{k}"} for k in tables.KEYS[file.table]]
    return {
        "@type": "cr:RecordSet",
        "@id": file.table,
        "name": file.table,
        "description": (tables.TABLES[file.table].__doc__ or "").strip().splitlines()[0],
        "key": key if len(key) > 1 else key[0],
        "field": [_field(file, f, there) for f in schema],
    }


def _field(file: Described, arrow: Any, there: set[str]) -> dict[str, Any]:
    col = tables.columns(file.table).get(arrow.name) or tables.Col("the night")
    kind = arrow.type
    out: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{file.table}/{arrow.name}",
        "name": f"{file.table}/{arrow.name}",
        "description": col.meaning + (f" ({col.unit})" if col.unit else ""),
        "source": {"fileObject": {"@id": file.name}, "extract": {"column": arrow.name}},
    }
    if pa.types.is_list(kind):
        out["repeated"] = True
        kind = kind.value_type
    if pa.types.is_struct(kind):
        out["subField"] = [_sub_field(file, arrow.name, part) for part in kind]
    else:
        out["dataType"] = _data_type(kind)
    target = REFERENCES.get(arrow.name)
    if target and target in there and target != file.table:
        out["references"] = {"field": {"@id": f"{target}/{arrow.name}"}}
    return out


def _sub_field(file: Described, column: str, part: Any) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{file.table}/{column}/{part.name}",
        "name": f"{file.table}/{column}/{part.name}",
        "dataType": _data_type(part.type),
        "source": {
            "fileObject": {"@id": file.name},
            "extract": {"column": column},
            "transform": {"jsonPath": part.name},
        },
    }


def _data_type(kind: Any) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind):
        return "sc:Float"
    if pa.types.is_timestamp(kind):
        return "sc:DateTime"
    if pa.types.is_date(kind):
        return "sc:Date"
    return "sc:Text"
