"""WARC 1.1 records as bytes, each a gzip member of its own (ISO 28500:2017, annex D)."""

from __future__ import annotations

import base64
import hashlib
import re
import string
import uuid
import zlib
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from tasks.discover.records import Fetched
from tasks.scrape.warcs import ADDRESS_HEADER, ATTEMPTS_HEADER, MOVED_HEADER, OUTLET_HEADER

LEVEL = 6
"""zlib's: level 9 takes twice the time for one part in a hundred (measured on the pages of dev)."""
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"

Pairs = Iterable[tuple[str, str]]
_LINE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def payload_digest(payload: bytes) -> str:
    """As WARC writes it: sha1 in base 32."""
    return "sha1:" + base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode("ascii")


def record(
    kind: str, content_type: str, block: bytes, headers: Pairs, *, record_id: str, payload: bytes | None = None
) -> bytes:
    """One record as a gzip member. `payload`: what of the block has a digest of its own."""
    lines = ["WARC/1.1", f"WARC-Type: {kind}", f"WARC-Record-ID: {record_id}"]
    lines += [f"{name}: {_LINE.sub('', value)}" for name, value in headers]
    lines.append(f"WARC-Block-Digest: {payload_digest(block)}")
    if payload is not None:
        lines.append(f"WARC-Payload-Digest: {payload_digest(payload)}")
    lines += [f"Content-Type: {content_type}", f"Content-Length: {len(block)}", "", ""]
    zipped = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    parts = (zipped.compress("\r\n".join(lines).encode("utf-8", "replace")), zipped.compress(block))
    return b"".join((*parts, zipped.compress(b"\r\n\r\n"), zipped.flush()))


def new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def info(name: str, date: str, fields: Pairs) -> bytes:
    """The warcinfo record that a file begins with."""
    block = "".join(f"{key}: {_LINE.sub('', value)}\r\n" for key, value in fields).encode("utf-8", "replace")
    headers = [("WARC-Filename", name), ("WARC-Date", date)]
    return record("warcinfo", "application/warc-fields", block, headers, record_id=new_id())


def exchange(got: Fetched, outlet: str, *, same_as: tuple[str, str, str] | None = None) -> bytes:
    """A response with its request. `same_as`: (address, WARC date, digest) of the earlier response that this one
    repeats: then it is a revisit record, without the body."""
    response_id = new_id()
    date = got.fetched_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    common = [("WARC-Target-URI", got.url), ("WARC-Date", date)]
    extra = [*common, (OUTLET_HEADER, outlet), ("WARC-Protocol", got.protocol)]
    if got.address != got.url:
        extra.append((ADDRESS_HEADER, got.address))
    if got.moved:
        extra.append((MOVED_HEADER, "permanently"))
    if got.attempts > 1:
        extra.append((ATTEMPTS_HEADER, str(got.attempts)))
    if got.ip:
        extra.append(("WARC-IP-Address", got.ip))
    head = _head(f"HTTP/1.1 {got.status} {re.sub(r'[^ -~]', '', got.phrase)}".strip(), _stored(got.headers))
    answer = "application/http; msgtype=response"
    if same_as is not None:
        address, when, digest = same_as
        extra += [("WARC-Profile", NOT_MODIFIED if got.unchanged else SAME_PAYLOAD)]
        extra += [("WARC-Refers-To-Target-URI", address), ("WARC-Refers-To-Date", when)]
        extra += [("WARC-Payload-Digest", digest)]
        response = record("revisit", answer, head, extra, record_id=response_id)
    else:
        response = record("response", answer, head + got.raw, extra, record_id=response_id, payload=got.raw)
    parts = urlsplit(got.url)
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=string.punctuation)
    asked = _head(f"GET {target} HTTP/1.1", _clean(got.request_headers))
    request = record(
        "request", "application/http; msgtype=request", asked, [*common, ("WARC-Concurrent-To", response_id)],
        record_id=new_id(),
    )  # fmt: skip
    return response + request


def _head(first: str, headers: Pairs) -> bytes:
    return ("\r\n".join([first, *(f"{k}: {v}" for k, v in headers)]) + "\r\n\r\n").encode("ascii")


def _stored(headers: Pairs) -> list[tuple[str, str]]:
    """The body is kept as sent but for its chunks, whose header is renamed as archives do."""
    return [(f"X-Archive-Orig-{k}" if k.lower() == "transfer-encoding" else k, v) for k, v in _clean(headers)]


def _clean(headers: Pairs) -> list[tuple[str, str]]:
    """Headers in ASCII, other bytes as %XX: other tools take no others, and one odd server must not end the night."""
    return [(re.sub(r"[^!-9;-~]", "", k), re.sub(r"[^\t\x20-\x7e]", _percent, v)) for k, v in headers]


def _percent(character: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in character[0].encode("latin-1", "replace"))
