"""What makes an article the same article: addresses, outlets, hashes, ids."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from tasks.tables import make_id

# Parameters that say how a reader came, not what is read.
_TRACKING = re.compile(
    r"^(utm_|fbclid$|gclid$|mc_[ce]id$|ref$|referrer$|cmp$|cmpid$|ito$|smid$|ocid$|at_|xtor$|share$)", re.I
)
_PORTS = {"http": ":80", "https": ":443"}


def outlet_of(url: str | None) -> str | None:
    """The publisher's domain: the host of the address without www., None where there is none."""
    if not url:
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host.removeprefix("www.").rstrip(".") or None if host else None


def normal_url(url: str) -> str:
    """One spelling for one address: scheme https, host lower case without www. or m., no tracking, no fragment."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.").removeprefix("amp.")
        port = f":{parts.port}" if parts.port and f":{parts.port}" != _PORTS.get(parts.scheme) else ""
        query = urlencode(sorted((k, v) for k, v in parse_qsl(parts.query) if not _TRACKING.match(k)))
    except ValueError:
        return url.strip()
    path = re.sub(r"/(amp/?)?$", "", parts.path)
    return urlunsplit(("https" if parts.scheme in ("http", "https") else parts.scheme, host + port, path, query, ""))


def canonical_of(stated: str | None, url: str | None) -> str | None:
    """The canonical address a page states, made absolute; None for one that cannot be an article's.

    A canonical link to the bare front page is a common template error and would fold a whole outlet into one article.
    """
    if not stated:
        return None
    try:
        absolute = urljoin(url or "", stated.strip())
        parts = urlsplit(absolute)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    if parts.path.strip("/") == "" and not parts.query and url and urlsplit(url).path.strip("/"):
        return None
    return absolute


def content_hash(title: str | None, text: str) -> str:
    """Equal for equal title and text. 128 bits."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update((title or "").encode("utf-8", "surrogatepass") + b"\x00" + text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def page_key(canonical_url: str | None, url: str | None, text: str) -> str:
    address = canonical_url or url
    return make_id("k", "url", normal_url(address)) if address else make_id("k", "text", content_hash(None, text))


def text_key(external_id: str | None, outlet: str | None, url: str | None, text: str) -> str:
    """Key of a corpus text: its id within its outlet, else its address, else its very text."""
    if external_id:
        return make_id("k", "id", outlet or "", external_id)
    if url:
        return make_id("k", "url", normal_url(url))
    return make_id("k", "text", content_hash(None, text))


def article_id(article_key: str, digest: str) -> str:
    return make_id("a", article_key, digest)
