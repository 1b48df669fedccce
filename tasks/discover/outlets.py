"""outlets.toml -> the outlets of a night."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks.discover.records import OutletConfig

__all__ = ["OutletConfig", "OutletsError", "load_outlets"]

_LISTS = ("feeds", "sitemaps", "pages")
_KEYS = ("name", "domain", *_LISTS, "country", "language")
_DOMAIN = re.compile(r"(?!-)[^\W_](?:[\w-]{0,62}\.?){1,10}(?::\d{1,5})?")
_EXAMPLE = """Give at least one, for example:
[[outlet]]
name = "The Example"
domain = "example.org"
feeds = ["https://example.org/rss.xml"]"""


class OutletsError(ValueError):
    """The list of outlets cannot be used; the message says where and what to do."""


def load_outlets(path: Path) -> list[OutletConfig]:
    """The outlets of an outlets.toml, in its order. Raises OutletsError for anything that is not as it must be."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as err:
        raise OutletsError(f"{path} is not UTF-8 text: save it as UTF-8") from err
    except FileNotFoundError as err:
        raise OutletsError(f"there is no list of outlets at {path}: name yours with --outlets, or write one") from err
    except OSError as err:
        raise OutletsError(f"{path} cannot be read: {err.strerror or err}") from err
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise OutletsError(f"{path} is not valid TOML: {err}") from err
    for key in data:
        if key != "outlet":
            raise OutletsError(f"{path}: unknown key {key!r}: an outlet begins with the line [[outlet]]")
    entries = data.get("outlet")
    if not entries:
        raise OutletsError(f"{path} lists no outlet. {_EXAMPLE}")
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise OutletsError(f"{path}: write [[outlet]] with two brackets, once before each outlet")
    return _outlets(entries, str(path), [text.count("\n", 0, m.start()) + 1 for m in _HEADERS.finditer(text)])


_HEADERS = re.compile(r"^[ \t]*\[\[[ \t]*outlet[ \t]*\]\]", re.M)


def _outlets(entries: list[dict[str, Any]], path: str, lines: list[int]) -> list[OutletConfig]:
    out: list[OutletConfig] = []
    seen: dict[str, str] = {}
    for i, entry in enumerate(entries):
        label = entry.get("name") or entry.get("domain") or f"number {i + 1}"
        where = f"{path}, outlet {label!r}" + (f" (line {lines[i]})" if len(lines) == len(entries) else "")
        outlet = _outlet(entry, where)
        if outlet.domain in seen:
            raise OutletsError(
                f"{where}: the domain {outlet.domain} is listed twice: put all its feeds in one [[outlet]]"
            )
        seen[outlet.domain] = where
        out.append(outlet)
    return out


def _outlet(entry: dict[str, Any], where: str) -> OutletConfig:
    for key in entry:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_KEYS)}"
            raise OutletsError(f"{where}: unknown key {key!r}: {hint}")
    for key in ("name", "domain", "country", "language"):
        if key in entry and not isinstance(entry[key], str):
            raise OutletsError(f'{where}: {key} must be text in quotes, as in {key} = "…"')
    domain = entry.get("domain", "").strip().lower().rstrip(".")
    if not domain:
        raise OutletsError(f'{where}: the domain is missing: add a line like domain = "example.org"')
    if not _DOMAIN.fullmatch(domain) or len(domain) > 253:
        raise OutletsError(f"{where}: {entry['domain']!r} is not a domain: give the bare name, like example.org")
    lists = {key: _addresses(entry.get(key, []), key, where) for key in _LISTS}
    if not any(lists.values()):
        raise OutletsError(
            f"{where}: it has no feed, sitemap or page to be found by: add one to feeds, sitemaps or pages"
        )
    return OutletConfig(
        name=entry.get("name", "").strip() or domain,
        domain=domain,
        country=_code(entry.get("country"), "country", r"[A-Za-z]{2}", "GB", where),
        language=_code(entry.get("language"), "language", r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", "en", where),
        **lists,
    )


def _code(value: str | None, key: str, pattern: str, example: str, where: str) -> str | None:
    if not value:
        return None
    if not re.fullmatch(pattern, value.strip()):
        raise OutletsError(f"{where}: {key} = {value!r} is no code: write it like {example!r}")
    return value.strip().upper() if key == "country" else value.strip().lower()


def _addresses(value: Any, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise OutletsError(f'{where}: {key} must be a list, as in {key} = ["https://example.org/…"]')
    for address in value:
        if not isinstance(address, str):
            raise OutletsError(f"{where}: {key} holds {address!r}: put each address in quotes")
        try:
            parts = urlsplit(address.strip())
            good = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or re.search(r"\s", address.strip()):
            raise OutletsError(
                f"{where}: {address!r} in {key} is not a web address: it must begin with http:// or https:// and a host"
            )
    return tuple(dict.fromkeys(a.strip() for a in value))
