"""One row of a text corpus -> a text: which columns are understood, and what a cell may hold."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Sequence
from typing import Any

from tasks.scrape.records import RawText
from tasks.scrape.shards import InputError, InputOptions
from tasks.tables import Failure, Fate, Reason

HALF_PAIR = re.compile("[\ud800-\udfff]")

Row = dict[str, Any]


def check_columns(path: str, columns: Sequence[str], options: InputOptions) -> None:
    """Raises InputError, which names the columns that are there, if the text or the id column is not."""
    shown = ", ".join(map(repr, columns[:40])) + (" …" if len(columns) > 40 else "")
    if find_column(columns, options.text_column or "text") is None:
        wanted = options.text_column or "text"
        near = difflib.get_close_matches(wanted, columns, n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(
            f"{path} has no column {wanted!r}; it has {shown or 'none'}.{hint} "
            "Name the one that holds the text with --text-column."
        )
    if options.id_column is not None and find_column(columns, options.id_column) is None:
        raise InputError(
            f"{path} has no column {options.id_column!r}; it has {shown}. "
            "Name the one that holds the id with --id-column."
        )


def find_column(columns: Sequence[str], wanted: str) -> str | None:
    """The column of that name; case counts only where two differ by nothing else."""
    if wanted in columns:
        return wanted
    return next((c for c in columns if c.strip().lower() == wanted.lower()), None)


def _value(row: Row, *names: str | None) -> Any:
    for name in names:
        column = find_column(list(row), name) if name else None
        if column is not None and row[column] is not None and row[column] != "":
            return row[column]
    return None


def _string(value: Any) -> str | None:
    """A cell as text, or None where it holds nothing. Dates in ISO form; half a surrogate pair becomes U+FFFD."""
    if value is None or value != value or isinstance(value, (list, dict)):
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value)
    return HALF_PAIR.sub("\ufffd", text).strip() or None


def _authors(value: Any) -> tuple[str, ...]:
    """A list of names (or of objects with a name), or one string that separates them by ";", else by ","."""
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, (list, tuple)):
        names = [_string(v.get("name") if isinstance(v, dict) else v) for v in value]
    else:
        text = _string(value) or ""
        names = [_string(n) for n in text.split(";" if ";" in text else ",")]
    return tuple(n for n in names if n)


def read_row(row: Row, ref: str, name: str, number: int, options: InputOptions) -> RawText | Failure:
    given = _value(row, options.text_column or "text")
    if isinstance(given, bytes):
        try:
            given = given.decode("utf-8")
        except UnicodeDecodeError as err:
            return unreadable(ref, Reason.RECORD_UNREADABLE, f"the text is not UTF-8: {err}")
    url = _string(_value(row, "url"))
    if not isinstance(given, str) or not given.strip():
        why = "the text column is empty" if given is None or isinstance(given, str) else "the text column holds no text"
        return unreadable(ref, Reason.NO_TEXT_COLUMN_VALUE, why, url=url, fate=Fate.SKIPPED)
    title = _string(_value(row, "title"))
    return RawText(
        ref=ref,
        file=name,
        offset=number,
        text=HALF_PAIR.sub("\ufffd", given),
        external_id=_string(_value(row, options.id_column or "id")),
        title=title,
        url=url,
        outlet=_string(_value(row, "outlet")) or options.outlet,
        authors=_authors(_value(row, "authors")),
        published_given=_string(_value(row, "published_at", "date")) or options.published,
        language=_string(_value(row, "language")),
        title_in_text=title is None and not options.already_clean,
    )


def unreadable(ref: str, reason: Reason, detail: str, *, url: str | None = None, fate: Fate = Fate.FAILED) -> Failure:
    return Failure(ref=ref, url=url, step="read", reason=reason, detail=detail[:500], fate=fate)
