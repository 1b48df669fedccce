"""Addresses: one form for each, and which links of a front page may lead to an article."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from courlan import is_navigation_page, is_not_crawlable

MAX_ADDRESS = 4000
_SAFE = "%/:=&?~#+!$,;'@()*[]|"
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_NOT_PAGES = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|ico|css|js|json|xml|rss|atom|pdf|docx?|xlsx?|pptx?|zip|gz|mp[34]|m4a|mov|avi|webm|ogg|epub|apk|exe)$",
    re.I,
)
_PLACES = re.compile(
    r"/(?:tags?|topics?|categor(?:y|ies)|authors?|writers?|profiles?|search|login|signin|sign-in|sign-up|register|"
    r"subscri(?:be|ptions?)|newsletters?|account|contact|about(?:-us)?|privacy|terms|cookies?|help|faq|jobs|careers|"
    r"advertis(?:e|ing)|rss|feeds?|shop|puzzles|games|weather|page)(?:[/._-]|$)",
    re.I,
)


@functools.cache
def _tracking() -> tuple[frozenset[str], tuple[str, ...], frozenset[str]]:
    lines = (Path(__file__).parent / "tracking.txt").read_text(encoding="utf-8").splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    exact = frozenset(n for n in names if n[0] != "?" and n[-1] != "*")
    return exact, tuple(n[:-1] for n in names if n[-1] == "*"), frozenset(n[1:] for n in names if n[0] == "?")


def _is_tracking(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    name = name.lower()
    exact, prefixes, weak = _tracking()
    return name in exact or name.startswith(prefixes) or (name in weak and not any(c.isdigit() for c in value))


def normalise(address: str, *, base: str | None = None) -> str | None:
    """The address in its one form, resolved against `base`; None if it is no http(s) address.

    Scheme and host in lower case, host in IDNA form, no default port, no user name, no fragment, no tracking
    parameters; every other parameter stays, in its place and as written: `?id=7` and `?7` name articles. (courlan's
    own normalisation drops parameters without a value, and any whose name begins like a tracker's, e.g. `gallery`.)
    """
    address = _CONTROL.sub("", address.strip().replace("&amp;", "&"))
    if not address or len(address) > MAX_ADDRESS:
        return None
    try:
        parts = urlsplit(urljoin(base, address) if base else address)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").rstrip("."), parts.port
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        path = quote(parts.path, safe=_SAFE) or "/"
        query = quote("&".join(p for p in parts.query.split("&") if p and not _is_tracking(p)), safe=_SAFE)
    except ValueError:  # UnicodeError is one
        return None
    if scheme not in ("http", "https") or not host:
        return None
    host = f"[{host}]" if ":" in host else host
    if port is not None and port != {"http": 80, "https": 443}[scheme]:
        host = f"{host}:{port}"
    fragment = parts.fragment if parts.fragment.startswith("!") else ""
    return urlunsplit((scheme, host, path, query, fragment))


def same_key(address: str) -> str:
    """Equal for addresses that differ by scheme, a leading www. or a last slash only."""
    return re.sub(r"^https?://(?:www\.)?", "", address).rstrip("/")


def public(address: str) -> str:
    """The address without user name and password: the form that may be shown, logged and stored."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return re.sub(r"//[^/@]*@", "//", address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else address


def may_be_article(address: str, words: str, *, page: str, domain: str) -> bool:
    """Whether a link of a front or section page may lead to an article: by its host, path and words.

    Open rather than strict: clean tells articles from other pages, but a nightly visit to each section costs the site.
    """
    here, there = urlsplit(page), urlsplit(address)
    host = there.hostname or ""
    if there.netloc != here.netloc and host != domain and not host.endswith("." + domain.removeprefix("www.")):
        return False
    path = there.path
    if (path in ("", "/") and not there.query) or same_key(address) == same_key(page) or _NOT_PAGES.search(path):
        return False
    last = path.rstrip("/").rpartition("/")[2]
    slug = len(re.findall(r"[^\W_]+", last)) >= 4
    number = re.search(r"\d{4,}", path) is not None or re.search(r"(?:^|&)[^=&]*=?\d{2,}", there.query) is not None
    if _PLACES.search(path) and not (slug and number):
        return False
    if is_not_crawlable(address) or is_navigation_page(address):
        return False
    return slug or number or len(words.split()) >= 4
