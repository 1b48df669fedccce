"""datapackage.json and docs/tables.md: what the tables are, for machines and for people, both made from tables.py."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks import tables
from tasks.publish.store import Store
from tasks.publish.write import read_table


def _type(kind: Any, null: bool) -> str:
    """Arrow type -> Frictionless field type.

    frictionless reads Parquet through pandas, where an integer column with nulls is one of floats and a list is a NumPy
    array, which its types "integer" and "array" refuse: these are "number" and "any", and `arrow` says what they are.
    """
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "number" if null else "integer"
    if pa.types.is_floating(kind):
        return "number"
    if pa.types.is_timestamp(kind):
        return "datetime"
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_nested(kind):
        return "any"
    return "string"


def field(arrow: Any, col: tables.Col) -> dict[str, Any]:
    """One column for a Table Schema."""
    out: dict[str, Any] = {
        "name": arrow.name,
        "type": _type(arrow.type, arrow.nullable),
        "arrow": _plain(arrow.type, True),
        "description": col.meaning,
    }
    if col.unit:
        out["unit"] = col.unit
    if not arrow.nullable:
        out["constraints"] = {"required": True}
    return out


NIGHT = {"name": "dt", "type": "date", "arrow": "date32[day]", "description": "the night, from the folder's name"}
"""The partition's column, which every reader of a table's folder finds last."""


def data_package(files: dict[str, list[str]]) -> str:
    """The Frictionless Data Package of a store, as JSON. `files`: table -> paths relative to the package.

    A resource's path is the table's folder: a list of its files would be read as pieces of one file, of which
    frictionless takes the first. So every night is validated, and the package does not grow with them.
    """
    resources = []
    for table, row in tables.TABLES.items():
        if not files.get(table):
            continue
        cols = tables.columns(table)
        fields = [*(field(f, cols[f.name]) for f in tables.schema(table)), NIGHT]
        resources.append(
            {
                "name": table.replace("_", "-"),
                "title": table,
                "description": (row.__doc__ or "").strip().splitlines()[0],
                "path": [table],
                "format": "parquet",
                "mediatype": "application/vnd.apache.parquet",
                "schema": {"fields": fields, "primaryKey": list(tables.KEYS[table])},
            }
        )
    package = {
        "profile": "data-package",
        "name": "nightdesk",
        "title": "nightdesk: quotes, sources and events from the news",
        "schema_version": tables.SCHEMA_VERSION,
        "description": "Spans count Unicode code points of articles.text, end exclusive. Times are UTC. "
        "The column dt, the night, comes from the folder names.",
        "resources": resources,
    }
    return json.dumps(package, indent=1, ensure_ascii=False) + "\n"


def _plain(kind: Any, null: bool) -> str:
    if pa.types.is_list(kind):
        inner = kind.value_type
        name = f"list of {{{', '.join(f.name for f in inner)}}}" if pa.types.is_struct(inner) else f"list of {inner}"
    elif pa.types.is_struct(kind):
        name = f"{{{', '.join(f.name for f in kind)}}}"
    else:
        name = str(kind)
    return name + ("" if null else ", never null")


EXAMPLES = Path(__file__).parent / "examples.json"
EXAMPLE_CHARS = 60


@functools.cache
def examples() -> dict[str, dict[str, Any]]:
    """Table -> column -> a value of the demo, as JSON has it."""
    stated: dict[str, dict[str, Any]] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return stated


def find_examples(store: Store) -> dict[str, dict[str, Any]]:
    """A value of each column: of the fullest row of the table, or of the next fullest where that one has none."""
    out: dict[str, dict[str, Any]] = {}
    for table in tables.TABLES:
        rows = [row for file in store.files(table) for row in read_table(file).to_pylist()]
        rows.sort(key=lambda r: sum(v in (None, [], "") for v in r.values()))
        out[table] = {
            name: next((_json(r[name]) for r in rows if r[name] not in (None, [], "")), None)
            for name in tables.schema(table).names
        }
    return out


def _json(value: Any) -> Any:
    """A value as JSON can hold it: cut where it is long."""
    if isinstance(value, str):
        return value if len(value) <= EXAMPLE_CHARS else value[: EXAMPLE_CHARS - 1] + "…"
    if isinstance(value, list):
        return [_json(v) for v in value[:2]] + (["…"] if len(value) > 2 else [])
    if isinstance(value, dict):
        return {k: _json(v) for k, v in value.items()}
    if isinstance(value, float):
        return round(value, 3)
    return value if isinstance(value, bool | int | type(None)) else str(value)


def _example(value: Any) -> str:
    if value is None:
        return ""
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    flat = " ".join(words.replace("|", "/").replace("`", "'").split())
    return f"`{flat if len(flat) <= 2 * EXAMPLE_CHARS else flat[: 2 * EXAMPLE_CHARS - 1] + '…'}`"


def tables_reference() -> str:
    """docs/tables.md."""
    out = [
        "# The tables",
        "",
        "Made from `tasks/tables.py` by `python -m tasks.publish.catalogue`; do not edit by hand.",
        "",
        "Plain Parquet under `data/processed/<table>/dt=<night>/`. Reading a table's folder adds the column `dt`, the "
        "night. For every span, `articles.text[start:end]` is the row's text (Unicode code points, end exclusive). "
        "Null means unknown, never zero. The examples are of the demo, one row of each table as far as it "
        "goes; long values are cut.",
        "",
        f"Table format: version {tables.SCHEMA_VERSION}.",
    ]
    for table, row in tables.TABLES.items():
        whole = " One partition, the newest night's, for the whole corpus." if table in tables.SNAPSHOTS else ""
        out += [
            "",
            f"## {table}",
            "",
            f"One row is: {(row.__doc__ or '').strip()[0].lower()}{(row.__doc__ or '').strip()[1:]}{whole}",
        ]
        out += [
            "",
            f"Key: {', '.join(f'`{k}`' for k in tables.KEYS[table])}.",
            "",
            "| column | type | meaning | for example |",
            "|---|---|---|---|",
        ]
        cols = tables.columns(table)
        shown = examples().get(table, {})
        for f in tables.schema(table):
            unit = f" ({cols[f.name].unit})" if cols[f.name].unit else ""
            meaning = f"{cols[f.name].meaning}{unit}"
            out.append(f"| `{f.name}` | {_plain(f.type, f.nullable)} | {meaning} | {_example(shown.get(f.name))} |")
    out += ["", "## Reasons", "", "`inputs.reason` is one of: " + ", ".join(f"`{r}`" for r in tables.Reason) + "."]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--examples":  # the folder of the demo's tables
        found = json.dumps(find_examples(Store.open(Path(sys.argv[2]))), indent=1, ensure_ascii=False)
        EXAMPLES.write_text(found + "\n", encoding="utf-8")
    (Path(__file__).parents[2] / "docs" / "tables.md").write_text(tables_reference(), encoding="utf-8")
