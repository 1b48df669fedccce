"""Undecoded bytes of a page -> text, whatever charset it states, hides or lies about."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What browsers read under these labels (WHATWG Encoding Standard, section 4.2): supersets of what the label says.
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-zA-Z0-9_:.\-]{2,40})""", re.I)
_XML = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([a-zA-Z0-9_.\-]{2,40})""", re.I)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([a-zA-Z0-9_:.\-]{2,40})""", re.I)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_BYTES = bytes(c for c in range(128) if _CONTROL.match(chr(c)))
_HEAD_BYTES = 4096
_MAX_BAD_SHARE = 0.02
"""More replacement and control characters than this and it is no text: none of 1,134 real pages has it."""


def _codec(label: str | None) -> str | None:
    if not label:
        return None
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    return _SUPERSETS.get(name, name)


def declared_charsets(body: bytes, content_type: str | None) -> list[str]:
    """Codecs that the page states, strongest first: HTTP header, XML declaration, meta element."""
    head = body[:_HEAD_BYTES]
    header = _HEADER.search(content_type or "")
    labels = [header.group(1) if header else None]
    for pattern in (_XML, _META):
        found = pattern.search(head)
        labels.append(found.group(1).decode("ascii") if found else None)
    return [c for c in map(_codec, labels) if c]


def _strict(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except (UnicodeDecodeError, UnicodeError, LookupError):
        return None


def _wide_without_bom(body: bytes) -> str | None:
    """UTF-16 shows as a NUL in every second byte of markup."""
    head = body[:400]
    if len(head) < 8:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) * 0.35 and even < odd / 4:
        return "utf-16-le"
    if even > len(head) * 0.35 and odd < even / 4:
        return "utf-16-be"
    return None


def decode(body: bytes, content_type: str | None = None) -> str | None:
    """The page as text, without NUL and other control characters; None if it is no text at all.

    Order: byte order mark, valid UTF-8 (a false claim of another charset never survives this test, since chance does
    not make valid multi-byte UTF-8), the charsets the page states, and what is left over with replacement characters.
    """
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return _usable(body[len(mark) :].decode(codec, "replace"))
    wide = _wide_without_bom(body)
    if wide:
        return _usable(body.decode(wide, "replace"))
    stated = declared_charsets(body, content_type)
    for codec in ["utf-8", *(c for c in stated if not c.startswith("utf-16") and not c.startswith("utf-32"))]:
        text = _strict(body, codec)
        if text is not None and not (codec == "utf-8" and _is_seven_bit(text, stated)):
            return _usable(text, body if codec == "utf-8" else None)
    best = body.decode("utf-8", "replace")
    if best.count("\ufffd") > len(best) * 0.001:  # a few broken bytes are a damaged UTF-8 page, more is another charset
        best = body.decode(next((c for c in stated if c not in ("utf-8",)), "cp1252"), "replace")
    return _usable(best)


def _is_seven_bit(text: str, stated: list[str]) -> bool:
    """ISO-2022 and HZ are valid ASCII, and so valid UTF-8: there the page's word counts."""
    return any(c.startswith(("iso2022", "hz")) for c in stated) and text.isascii()


def _usable(text: str, data: bytes | None = None) -> str | None:
    """The text without control characters, None if it is none. `data`: the same in UTF-8, where that is at hand."""
    nuls = text.count("\x00")
    # most pages have none, and a search of their bytes is a tenth of a pass over their characters
    data = text.encode("utf-8", "surrogatepass") if data is None else data
    clean = text if len(data.translate(None, _CONTROL_BYTES)) == len(data) else _CONTROL.sub("", text)
    bad = text.count("\ufffd") + len(text) - nuls - len(clean)
    # NUL is what broken writers pad with; other control characters belong to pictures and archives
    return None if bad > max(20, len(text) * _MAX_BAD_SHARE) or nuls > max(200, len(text) * 0.3) else clean
