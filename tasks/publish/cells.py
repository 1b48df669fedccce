"""Values of the tables as text: cells of CSV, values of JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterable
from typing import Any

GUARD = "'"
# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection), full-width forms among them.
# Apostrophes before it count too: a text that begins with '= gets another, so that taking one away gives the text back.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def guarded(text: str) -> str:
    """The text, harmless for spreadsheets: with an apostrophe before what could be a formula and is no number."""
    return GUARD + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith(GUARD) and _FORMULA.match(cell) else cell


def moment(value: dt.date) -> str:
    """ISO 8601; instants in UTC, with Z."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat()


def plain(value: Any) -> Any:
    """A value that JSON has: dates as text, no NaN."""
    if isinstance(value, dt.date):
        return moment(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def as_json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def cell(value: Any) -> str:
    """A CSV cell as it stands in the file: nothing for null, texts and JSON in quotes, text guarded.

    Texts are always in quotes, so that no other separator splits them and an empty one is not taken for null.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dt.date):
        return moment(value)
    text = guarded(value) if isinstance(value, str) else as_json(value)
    return '"' + text.replace('"', '""') + '"'


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as RFC 4180 has them, lines ended by CR LF."""
    return "".join(",".join(map(cell, row)) + "\r\n" for row in rows)


def tab_line(values: Iterable[Any]) -> str:
    """A line of tab-separated values as GDELT has them: no quotes, so white space within a value becomes a blank."""
    flat = (
        "" if v is None else str(v) if isinstance(v, int | float) else guarded(" ".join(str(v).split())) for v in values
    )
    return "\t".join(flat) + "\n"
