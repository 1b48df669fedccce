"""One more [[outlet]] in outlets.toml. What stands there already, comments too, stays byte for byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tasks.discover.outlets import OutletsError, load_outlets
from tasks.discover.records import OutletConfig


def outlet_block(outlet: OutletConfig) -> str:
    """The lines of one outlet. A JSON string is a TOML string."""

    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

    lines = ["[[outlet]]", f"name = {quoted(outlet.name)}", f"domain = {quoted(outlet.domain)}"]
    for key, values in (("feeds", outlet.feeds), ("sitemaps", outlet.sitemaps), ("pages", outlet.pages)):
        if len(values) > 1:
            lines += [f"{key} = [", *(f"    {quoted(v)}," for v in values), "]"]
        elif values:
            lines.append(f"{key} = [{quoted(values[0])}]")
    if outlet.country:
        lines.append(f"country = {quoted(outlet.country)}")
    if outlet.language:
        lines.append(f"language = {quoted(outlet.language)}")
    return "\n".join(lines) + "\n"


def add_outlet(path: Path, outlet: OutletConfig) -> None:
    """Append the outlet; the file is made if it is not there, and replaced at once. Raises OutletsError.

    Appended and not rewritten: a table that is added needs nothing of the others, so no parser must keep their text.
    """
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if before.strip():
        known = load_outlets(path)
        if any(o.domain == outlet.domain for o in known):
            raise OutletsError(f"{path}: the domain {outlet.domain} is listed already")
    gap = "" if not before.strip() else "\n" if before.endswith("\n") else "\n\n"
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(before + gap + outlet_block(outlet), encoding="utf-8")
        load_outlets(draft)  # what cannot be read again is not put in place
        os.replace(draft, path)
    except OSError as err:
        raise OutletsError(f"{path} cannot be written: {err.strerror or err}") from err
    finally:
        draft.unlink(missing_ok=True)
