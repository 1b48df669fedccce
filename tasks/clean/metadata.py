"""Title, authors, dates and the other facts of an article, decided from what its page states and shows."""

from __future__ import annotations

import datetime as dt
import functools
import html
import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import htmldate

from tasks.clean.dates import Moment, not_after, parse_moment
from tasks.clean.facts import facts, says_any
from tasks.clean.structured import Structured

_SEPARATOR = re.compile(r"\s+[|–—\-·•»:]\s+|\s*[|]\s*")
_FOLD = re.compile(r"\w+")
# Weights of the places a title stands in, when they disagree: measured on the 77 pages of dev that have a gold title.
_WEIGHTS = {"ld": 1.3, "og": 1.2, "h1": 1.0, "twitter": 0.4, "tag": 0.5}


MAX_SITE_WORDS = 7
"""A name longer than that is no site's."""


def fold(text: str | None) -> str:
    return " ".join(_FOLD.findall((text or "").lower()))


def _tidy(value: object) -> str:
    """A stated string without entities, tags and extra space."""
    text = html.unescape(html.unescape(value)) if isinstance(value, str) else ""
    return " ".join(re.sub(r"<[^<>]{0,200}>", " ", text).split()) if "<" in text else " ".join(text.split())


def _first(values: Iterable[object]) -> str | None:
    return next((t for t in map(_tidy, values) if t), None)


# --------------------------------------------------------------------------- title


def site_names(page: Structured, outlet: str | None) -> set[str]:
    """Folded names of the site: what may be cut off the end of a title."""
    names = {fold(n) for n in page.meta.get("og:site_name", []) + page.meta.get("application-name", [])}
    publisher = (page.article or {}).get("publisher")
    for p in publisher if isinstance(publisher, list) else [publisher]:
        if isinstance(p, dict) and isinstance(p.get("name"), str):
            names.add(fold(p["name"]))
    if outlet:
        label = outlet.split(".")[-2] if outlet.count(".") else outlet
        names |= {fold(outlet), label.lower()}
    return {n for n in names if n}


def _is_site(piece: str, sites: set[str]) -> bool:
    folded = fold(piece)
    squeezed = folded.replace(" ", "")
    return any(
        folded == s
        or squeezed == s.replace(" ", "")
        or (len(squeezed) > 3 and squeezed.removeprefix("the") == s.replace(" ", "").removeprefix("the"))
        for s in sites
    )


def strip_site(title: str, sites: set[str], others: Iterable[str] = ()) -> str:
    """A title without the site's name, a section or a date hung on at its ends.

    An end goes if it names the site, or if what is left is a title that stands elsewhere on the page.
    """
    known = {fold(o) for o in others}
    cuts = list(_SEPARATOR.finditer(title))
    for cut in cuts[::-1]:
        head, tail = title[: cut.start()], title[cut.end() :]
        if head and (_is_site(tail, sites) or fold(head) in known or _is_site(tail.split(".")[0], sites)):
            return strip_site(head, sites, ())
    for cut in cuts[:1]:
        head, tail = title[: cut.start()], title[cut.end() :]
        if tail and _is_site(head, sites):
            return tail
    return title


def _candidates(page: Structured) -> list[tuple[str, str]]:
    ld = page.article or {}
    found = [("ld", _tidy(ld.get("headline") or ld.get("name")))]
    found += [("og", _tidy(t)) for t in page.meta.get("og:title", [])[:1]]
    found += [("h1", _tidy(t)) for t in page.headings[:3]]
    found += [("twitter", _tidy(t)) for t in page.meta.get("twitter:title", [])[:1]]
    found += [("tag", _tidy(page.title_tag))]
    return [(where, text) for where, text in found if text]


def find_title(page: Structured, outlet: str | None) -> str | None:
    """The headline most places of the page agree on, without the site's name; None where no place has one.

    A JSON-LD headline cut short with an ellipsis gives way to the longer form that begins with it.
    """
    sites = site_names(page, outlet)
    raw = _candidates(page)
    texts = [t for _, t in raw]
    stripped = [(w, strip_site(t, sites, (o for o in texts if len(o) < len(t)))) for w, t in raw]
    scores: dict[str, float] = {}
    for order, (where, text) in enumerate(stripped):
        key = fold(text)
        if not key or _is_site(text, sites):
            continue
        weight = _WEIGHTS[where]
        if where == "h1" and order and len(key.split()) < 3:
            weight *= 0.5
        scores[key] = scores.get(key, 0.0) + weight
    if not scores:  # some pages state their headline as the name of the site
        return next((text for _, text in raw if len(text.split()) > MAX_SITE_WORDS), None)
    best = max(scores, key=lambda k: scores[k])
    return next(text for _, text in stripped if fold(text) == best)


def find_description(page: Structured) -> str | None:
    ld = page.article or {}
    return _first([ld.get("description"), *page.meta.get("og:description", []), *page.meta.get("description", [])])


# --------------------------------------------------------------------------- authors

_SPLIT = re.compile(r"\s*(?:;|\||/|,\s+(?=[^,]*\s)|\s+(?:and|und|et|y|e|og|och|en|with|&|＆)\s+)\s*")
_DATEY = re.compile(r"\d{1,2}:\d{2}|\d{4}|@|https?:|www\.|\.com\b")
_PREFIX = re.compile(
    rf"^(?:{'|'.join(sorted(map(re.escape, facts()['byline_prefixes']), key=len, reverse=True))})\b\s*:?\s+", re.I
)
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]{0,60}[)\]]\s*$")
_FOR = re.compile(r"\s+for\s+\S+.*$", re.I)


@functools.cache
def _endings() -> tuple[str, ...]:
    return tuple(facts()["author_endings"])


def _is_desk(name: str) -> bool:
    """Whether a name is that of a desk or a team: "News Bureau"."""
    low = name.lower()
    if not low.endswith(_endings()):
        return False
    return not low[-1].isascii() or any(low == e or low.endswith(" " + e) for e in _endings())


def _is_thing(name: str) -> bool:
    """Whether what only stands where a name would is none: "The Russian", "Syrian ministries"."""
    last = name.split()[-1]
    if agency_of(name):
        return False  # it says whose copy this is
    return name.lower().startswith("the ") or (
        name[0].isupper() and last.isascii() and last.isalpha() and last.islower()
    )


def clean_names(text: str) -> list[str]:
    """The names in one by-line: "By A B and C D, political editor" -> ["A B", "C D"]."""
    names = []
    if "://" in text or text.startswith("www."):
        return []
    for piece in _SPLIT.split(_PREFIX.sub("", _tidy(text))):
        name = _PREFIX.sub("", _BRACKETS.sub("", piece)).strip(" ,.:;-–|•")
        name = _FOR.sub("", name)
        low = name.lower()
        if not 2 <= len(name) <= 60 or _DATEY.search(name) or low in facts()["not_authors"]:
            continue
        if low in facts()["author_roles"] or len(name.split()) > 6 or not any(c.isalpha() for c in name):
            continue
        if not _is_desk(name):
            names.append(name)
    return names


def _stated_names(value: Any) -> list[str]:
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        name = item.get("name") if isinstance(item, dict) else item
        for n in name if isinstance(name, list) else [name]:
            if isinstance(n, str):
                found.extend(clean_names(n))
    return found


_PERSON = re.compile(r"^[A-ZÀ-ÖØ-Þ][\w.’'\-]*(?:\s+(?:[a-z]{2,3}\s+)?[A-ZÀ-ÖØ-Þ][\w.’'\-]*){1,3}$")


_SIGN_END = re.compile(r"(?<=\w{3})\.(?:\s|$)|[,;|•·–—(/]|\d|\s-\s")

_MONTH_END = re.compile(r"\s*(?:on\s+)?(?:Jan|Febr)uary$|\s*(?:March|July|August|(?:Sept|Nov|Dec)ember|October)$")


def _signed(line: str) -> list[str]:
    """Names after "By" in a line that goes on with a date or the like: "Por A B. 3 de mayo"."""
    prefix = _PREFIX.match(line)
    if prefix is None or len(line) > 120:
        return []
    stretch = _SIGN_END.split(line[prefix.end() :], maxsplit=1)[0]
    return clean_names(_MONTH_END.sub("", stretch.strip()))


def _printed_names(lines: Iterable[str]) -> list[str]:
    """Names in the lines above the body: "By A B"; next to the body also a line that is nothing but names."""
    found: list[str] = []
    near = list(lines)
    for k, line in enumerate(near):
        names = clean_names(line) if len(line) <= 80 and not says_any(line, "not_people") else []
        if not names or not all(_PERSON.match(n) for n in names):
            names = _signed(line)
        if names and (_PREFIX.match(line) or k >= len(near) - 2) and all(_PERSON.match(n) for n in names):
            found.extend(n for n in names if n not in found)
    return found[:6]


def find_authors(page: Structured, outlet: str | None, printed: Iterable[str] = ()) -> list[str]:
    """Who wrote it: JSON-LD first, then author metas, names marked in the page, and lines printed above the body.

    No doubles, the page's order. A site that signs its own texts (JSON-LD author of type Organization) is kept only if
    no person is named anywhere; a desk or team of it is not.
    """
    sites = site_names(page, outlet)
    meta = page.meta
    fields: list[list[str]] = [_stated_names((page.article or {}).get(k)) for k in ("author", "creator")]
    for key in (
        "author",
        "parsely-author",
        "article:author",
        "sailthru.author",
        "dc.creator",
        "dcterms.creator",
        "byl",
        "byline",
    ):
        fields.append([n for v in meta.get(key, [])[:10] for n in clean_names(v)])
    fields.append(
        [n for v in page.author_nodes[:2] for n in clean_names(v) if 2 <= len(n.split()) <= 4 and not _is_thing(n)]
    )
    fields.append([n for n in _printed_names(printed) if not _is_thing(n)])
    fallback: list[str] = []
    for names in fields:
        unique = list({fold(n): n for n in reversed(names)}.values())[::-1]
        people = [n for n in unique if not _is_site(n, sites)]
        if people:
            return people
        fallback = fallback or unique
    return fallback


# --------------------------------------------------------------------------- dates


class Published(NamedTuple):
    moment: Moment | None
    source: str | None


_META_PUBLISHED = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "article.published", "published_at", "publish-date", "publication_date", "pubdate",
    "dc.date.issued",
    "dcterms.created", "dcterms.date", "dc.date", "dc.date.created", "article_date_original", "originalpublicationdate",
    "cxenseparse:recs:publishtime", "bt:pubdate", "date",
)  # fmt: skip
_META_MODIFIED = ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified")
_URL_DATE = re.compile(r"/((?:19|20)\d{2})[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?:[/\-_.]|$)")


WITNESS_DAYS = 30
CLOCK_DAYS = 400


def _best(values: Iterable[object], limit: dt.datetime | None) -> Moment | None:
    for value in values:
        if isinstance(value, str) and (moment := not_after(parse_moment(value), limit)):
            return moment
    return None


def trusted_limit(
    page: Structured, fetched: dt.datetime | None, headers: dict[str, str] | None = None
) -> dt.datetime | None:
    """The instant after which a stated date is wrong: when the page was fetched.

    Strictly so where the server's own Date header confirms that time to a day, as in every live fetch and real crawl.
    Archives made later have no such header and a made-up fetch time. There, where two statements of the page, exact to
    the minute, agree within a month on a time at most CLOCK_DAYS after the fetch, the archive's clock is wrong.
    """
    if fetched is None:
        return None
    served = parse_moment((headers or {}).get("date"))
    if served and abs(served.at - fetched) <= dt.timedelta(days=1):
        return fetched
    ld = page.article or {}
    stated = [ld.get("datePublished"), ld.get("dateModified"), *(t for t, _ in page.times[:1])]
    stated += [v for k in ("article:published_time", "article:modified_time", "date") for v in page.meta.get(k, [])[:1]]
    moments = [m for m in (parse_moment(v) for v in stated if isinstance(v, str)) if m]
    late = [m.at for m in moments if m.at > fetched and m.precision in ("second", "minute")]
    if len(late) < 2 or len(late) < len(moments):
        return fetched
    spread, ahead = max(late) - min(late), max(late) - fetched
    return max(late) if spread.days <= WITNESS_DAYS and ahead.days <= CLOCK_DAYS else fetched


def find_published(page: Structured, url: str | None, given: str | None, limit: dt.datetime | None) -> Published:
    """When it was published and where that is stated: json-ld, meta, time element, address, or given with the input."""
    ld = page.article or {}
    found = _best([ld.get("datePublished"), ld.get("dateCreated")], limit)
    if found:
        return Published(found, "json-ld")
    found = _best((v for k in _META_PUBLISHED for v in page.meta.get(k, [])[:2]), limit)
    if found:
        return Published(found, "meta")
    marked = [t for t, is_publication in page.times if is_publication]
    found = _best(marked[:1] or [t for t, _ in page.times[:1]], limit)
    if found:
        return Published(found, "time")
    if url and (m := _URL_DATE.search(url)):
        found = _best(["-".join(m.groups())], limit)
        if found:
            return Published(found, "url")
    found = _best([given], None)
    return Published(found, "given") if found else Published(None, None)


def find_printed_date(html: str, url: str | None, limit: dt.datetime | None) -> Published:
    """The day printed on the page near the headline, by htmldate without its search for any date at all."""
    try:
        value = htmldate.find_date(html, extensive_search=False, original_date=True, url=url, outputformat="%Y-%m-%d")
    except (ValueError, TypeError, AttributeError, RecursionError):  # malformed trees, as in finders.py
        return Published(None, None)
    found = _best([value], limit)
    return Published(found, "text") if found else Published(None, None)


def find_modified(page: Structured, limit: dt.datetime | None) -> dt.datetime | None:
    values = [(page.article or {}).get("dateModified"), *(v for k in _META_MODIFIED for v in page.meta.get(k, [])[:2])]
    found = _best(values, limit)
    return found.at if found else None


# --------------------------------------------------------------------------- the rest


def find_section(page: Structured) -> str | None:
    section = (page.article or {}).get("articleSection")
    stated = section[:1] if isinstance(section, list) else [section]
    keys = ("article:section", "parsely-section", "section")
    return _first([*stated, *(v for k in keys for v in page.meta.get(k, []))])


def find_tags(page: Structured) -> list[str]:
    """Keywords, at most 40, first spelling kept."""
    keywords = (page.article or {}).get("keywords")
    stated = keywords if isinstance(keywords, list) else [keywords]
    values = [
        *stated,
        *page.meta.get("article:tag", []),
        *page.meta.get("news_keywords", []),
        *page.meta.get("keywords", []),
    ]
    tags: dict[str, str] = {}
    for value in values[:100]:
        for part in re.split(r"[,;|]", _tidy(value)):
            tag = part.strip()
            if 1 < len(tag) <= 80 and not re.match(r"^\w+:", tag):
                tags.setdefault(fold(tag), tag)
    return list(tags.values())[:40]


def find_access(page: Structured, shown: str) -> Literal["free", "paywalled"] | None:
    """What the page states (schema.org isAccessibleForFree, content tier), else if it shows a subscription wall."""
    free = str((page.article or {}).get("isAccessibleForFree", "")).lower()
    tier = " ".join(page.meta.get("article:content_tier", []) + page.meta.get("content_tier", [])).lower()
    if free in ("false", "http://schema.org/false") or tier in ("locked", "metered", "paid", "premium"):
        return "paywalled"
    if says_any(shown, "paywall"):
        return "paywalled"
    return "free" if free == "true" or tier == "free" else None


def find_rights(page: Structured, headers: dict[str, str]) -> list[str]:
    """Stated rights as `name: value`: robots directives, TDM reservation (W3C TDMRep), licence."""
    found = []
    for key in ("robots", "googlebot-news", "tdm-reservation", "tdm-policy"):
        found += [f"{key}: {v}" for v in page.meta.get(key, [])[:2]]
    for key in ("x-robots-tag", "tdm-reservation", "tdm-policy"):
        if key in headers:
            found.append(f"{key}: {headers[key][:200]}")
    found += [f"license: {v[:200]}" for v in page.links.get("license", [])[:2]]
    stated = (page.article or {}).get("license") or (page.article or {}).get("copyrightNotice")
    if isinstance(stated, str):
        found.append(f"license: {_tidy(stated)[:200]}")
    return list(dict.fromkeys(found))


_DATELINE = re.compile(r"^[^\n]{0,60}?[(/\[]\s*([^()/\[\]\n]{2,40}?)\s*[)/\]]\s*[-–—.:]|^([A-Z]{2,4})\s*[-–—]\s")
_CREDIT = re.compile(
    r"(?:^|\n)[^\n]{0,40}?(?:[(\[/]|source:|quelle:|fuente:|—|–|reporting by|with material from|"
    r"mit material (?:von|der))"
    r"\s*([^()\[\]\n]{2,60}?)\s*[)\]/]?\s*$",
    re.I,
)


def agency_of(name: str | None) -> str | None:
    """The wire agency a name means, None if it is none."""
    words = fold(name)
    if words in _agencies():
        return _agencies()[words]
    at = words.find(" in ")
    return _agencies().get(words[:at]) if at > 0 else None


@functools.cache
def _agencies() -> dict[str, str]:
    """Folded spellings -> the agency."""
    return {fold(s): str(agency) for agency, spellings in facts()["agencies"].items() for s in spellings}


def find_agency(authors: Iterable[str], bylines: Iterable[str], text: str) -> str | None:
    """The agency that a by-line, the dateline "PARIS (Reuters) -" or the credit in the last line names."""
    for name in [*authors, *bylines]:
        for part in [name, *re.split(r"[,/;|]|\band\b|\bund\b|\s-\s", name)]:
            if found := agency_of(_PREFIX.sub("", part.strip())):
                return found
    names: list[str] = []
    for line in text[:1500].split("\n")[:3]:
        if m := _DATELINE.match(line):
            names.append(m.group(1) or m.group(2))
    if m := _CREDIT.search(text[-200:]):
        names.append(m.group(1))
    for name in names:
        for part in re.split(r"[,/;|]|\band\b|\bund\b", name):
            if found := agency_of(part.strip()):
                return found
    return None
