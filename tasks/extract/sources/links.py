"""Which sources of different articles are one: surnames, initials and other spellings put under one id.

A name alone is never enough. A bare surname goes to a bearer of the full name when the text names him elsewhere, or
when role, affiliation or company (the other names of the article) agree, and no other bearer comes near; initials go to
the body that an article introduces by them; two spellings of a full name are one when role, affiliation or company
agree. Every such answer is a `Merge`, kept in the store's log, so that it can be looked at and undone.

Linear in the rows: names are looked up by their last word, and company is compared with the bearers of that name alone.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks import tables
from tasks.extract.sources.given import gender_of, short_roles, word_list
from tasks.extract.sources.mentions import titles
from tasks.extract.sources.names import formal_name, initials, name_words, plain

MAX_COMPANY = 150
"""Names of an article that are kept, about 1 KB: memory grows by that with each article that has a source."""
MAX_BEARERS = 50
"""Bearers of one surname that are compared: of a Smith with more, nothing can be said."""
NEAR = 0.10
"""Likeness of company from which it counts as agreement, and
LEAD: how many times the next bearer's it must be. Measured on full names of PolNeAR cut to surnames, see choices.md."""
LEAD = 2.0
KEPT_ARTICLES = 40
"""Articles of one bearer whose company is read: more add nothing."""

_CAPITAL = re.compile(r"[^\W\d_a-zß-öø-ÿ][\w’'.-]*[^\W_](?:\s(?:of|for|al-\w+|[^\W\d_a-zß-öø-ÿ][\w’'.-]*[^\W_]))*")
_SUFFIX = frozenset(("jr", "sr", "ii", "iii", "iv"))
_DOING = word_list("doing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A named source in one article, as far as linking needs it."""

    source_id: str
    article_id: str
    name: str
    kind: str | None
    role: str | None = None
    affiliation: str | None = None
    named: bool = True  # else a description: "the Vermont senator"
    female: bool | None = None  # by Mr or Mrs
    short: frozenset[str] = frozenset()  # other short names it has in the article, lower case
    company: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """`source_id` of an article (of all articles if that is None) is `into`; `reason` and `likeness` say why."""

    source_id: str
    article_id: str | None
    into: str
    name: str
    into_name: str
    reason: str
    likeness: float


@dataclass(slots=True, kw_only=True, eq=False)
class Bearer:
    """A full name with everything that was seen of it."""

    source_id: str
    name: str
    words: tuple[str, ...]
    kind: str
    female: bool | None = None
    articles: int = 0
    roles: set[str] = field(default_factory=set)
    affiliations: set[str] = field(default_factory=set)
    short: Counter[str] = field(default_factory=Counter)
    company: Counter[int] = field(default_factory=Counter)
    read: int = 0

    def add(self, s: Seen) -> None:
        self.articles += 1
        self.roles |= role_words(s.role)
        self.affiliations |= telling_words(s.affiliation)
        self.short.update(s.short)
        if self.read < KEPT_ARTICLES:
            self.read += 1
            self.company.update(s.company)


def company_of(text: str) -> frozenset[int]:
    """Hashes of the names in a text and of their words, the first MAX_COMPANY: whom an article is about."""
    out: dict[int, None] = {}
    for m in _CAPITAL.finditer(text):
        words = name_words(m.group())
        for k, w in enumerate(words):
            if len(w) > 2 and (len(words) > 1 or not _begins(text, m.start())):
                out[_hash(plain(w))] = None
            if k:
                out[_hash(f"{plain(words[k - 1])} {plain(w)}")] = None
        if len(out) >= MAX_COMPANY:
            break
    return frozenset(list(out)[:MAX_COMPANY])


def _begins(text: str, start: int) -> bool:
    """Whether a capital may only be due to its place at the head of a sentence."""
    before = text[max(start - 3, 0) : start].rstrip(" “\"'‘(")
    return not before or before[-1] in ".!?:\n"


@functools.lru_cache(maxsize=200_000)
def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def seen_of(text: str, source: tables.Source, company: frozenset[int]) -> Seen | None:
    """What linking needs of a row; None for one without a name whose description fits many ("a spokesman")."""
    shown = [(m.start, text[m.start : m.end]) for m in source.mentions]
    if not source.named:
        definite = any(t.lower().startswith("the ") or text[max(a - 4, 0) : a].lower() == "the " for a, t in shown)
        if source.kind != "person" or not definite or not source.affiliation or not role_words(source.role) & _OFFICES:
            return None
    titles = {text[max(a - 5, 0) : a].split()[-1].rstrip(".") for a, _ in shown if text[max(a - 5, 0) : a].split()}
    own = name_words(source.name)
    short = {t.lower() for _, t in shown if t.isupper() and 1 < len(t) <= 10 and t.lower() not in own}
    return Seen(
        source_id=source.source_id, article_id=source.article_id, name=source.name, kind=source.kind, role=source.role,
        affiliation=source.affiliation, named=source.named,
        female=None if not titles & _FORMAL or {"Mr"} < titles & _FORMAL else not titles & {"Mr"},
        short=frozenset(short) if source.kind != "person" else frozenset(), company=company,
    )  # fmt: skip


_FORMAL = frozenset(("Mr", "Mrs", "Ms", "Miss"))
_OFFICES = word_list("offices")


def telling_words(text: str | None) -> set[str]:
    return {plain(w) for w in name_words(text or "") if len(w) > 2 and w not in _SMALL}


_SMALL = frozenset("the and for his her its their former new who".split())


def role_words(role: str | None) -> set[str]:
    """Words of a role with abbreviations in full; courtesy alone says nothing."""
    words = (w.rstrip(".") for w in name_words(role or ""))
    return {short_roles().get(w, w) for w in words} - _COURTESY - _SMALL


_COURTESY = frozenset("mr mrs ms miss sir dame dr of in at chief deputy senior head general".split())


def person_words(name: str) -> tuple[str, ...]:
    words = [p for w in name_words(name) if (p := plain(w)) and p not in _SUFFIX]
    while len(words) > 1 and words[0] in titles():
        words.pop(0)
    return tuple(words)


def folded(word: str) -> str:
    """A name's word with the differences of transliteration taken out: Muhammad and Mohamed, Sergei and Sergey."""
    w = formal_name(word)
    for old, new in (("ph", "f"), ("kh", "h"), ("ck", "k"), ("ou", "u"), ("oo", "u"), ("ee", "i"), ("dj", "j"),
                     ("ij", "iy"), ("ei", "ey"), ("q", "k"), ("w", "v"), ("z", "s"), ("-", ""), ("'", "")):  # fmt: skip
        w = w.replace(old, new)
    w = re.sub(r"(.)\1", r"\1", w)
    head, rest = w[:1], w[1:]
    return head + re.sub(r"[aeiouy]+", "a", rest).rstrip("a")


def link_sources(
    rows: Sequence[Seen], known: Iterable[Bearer] = (), keep_apart: frozenset[str] = frozenset()
) -> list[Merge]:
    """The merges among the named sources of a batch and those known of earlier nights, in the order of the rows.

    `keep_apart`: ids that a person decided shall not be merged into others.
    """
    bearers = {b.source_id: b for b in known}
    old = set(bearers)
    counts: Counter[int] = Counter()
    seen_articles: dict[str, frozenset[int]] = {}
    for s in rows:
        seen_articles.setdefault(s.article_id, s.company)
        bearer_in(bearers, s)
    for company in seen_articles.values():
        counts.update(company)
    scale = _Scale(counts=counts, articles=max(len(seen_articles), 1))
    out = [*_spellings(bearers, old, scale), *_initials(bearers, old)]
    into = {m.source_id: m.into for m in out}
    out += _surnames(rows, bearers, into, scale)
    out += _descriptions(rows, bearers, into)
    return [m for m in out if m.source_id not in keep_apart]


def bearer_in(bearers: dict[str, Bearer], s: Seen) -> None:
    """Note a source under its id, if it has a name that others can be a form of."""
    words = person_words(s.name)
    if not s.named or (len(words) < 2 and s.kind == "person"):
        return
    b = bearers.get(s.source_id)
    if b is None:
        female = gender_of(words[0]) if s.kind == "person" and words else None
        b = Bearer(source_id=s.source_id, name=s.name, words=words, kind=s.kind or "organisation", female=female)
        bearers[s.source_id] = b
    elif len(words) > len(b.words) and b.kind != "person":
        b.name, b.words = s.name, words
    b.add(s)


def remember(bearers: dict[str, Bearer], row: dict[str, Any]) -> None:
    """Add what the index of sources knows of a full name: roles and affiliations of all nights."""
    words = person_words(row["name"])
    if len(words) < 2 and row["kind"] == "person":
        return
    b = bearers.get(row["source_id"])
    if b is None:
        female = gender_of(words[0]) if row["kind"] == "person" else None
        b = Bearer(source_id=row["source_id"], name=row["name"], words=words, kind=row["kind"] or "organisation",
                   female=female)  # fmt: skip
        bearers[row["source_id"]] = b
    b.articles = max(b.articles, row["n_articles"])
    for role in row["roles"]:
        b.roles |= role_words(role["name"])
    for affiliation in row["affiliations"]:
        b.affiliations |= telling_words(affiliation)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """How much each name of an article tells: rare ones more."""

    counts: Counter[int]
    articles: int

    def weight(self, name: int) -> float:
        return math.log((self.articles + 1) / (self.counts[name] + 0.5)) if self.counts[name] else 0.0

    def likeness(self, company: frozenset[int], of: Bearer, without: frozenset[int]) -> float:
        """Cosine of an article's names and a bearer's, the names themselves left out."""
        if not of.read:
            return 0.0
        dot = ours = theirs = 0.0
        for name in company - without:
            w = self.weight(name)
            ours += w * w
            if name in of.company:
                dot += w * w * of.company[name] / of.read
        if not dot:
            return 0.0
        theirs = sum((self.weight(n) * c / of.read) ** 2 for n, c in of.company.items() if n not in without)
        return dot / math.sqrt(ours * theirs) if ours and theirs else 0.0


def _own_names(words: tuple[str, ...]) -> frozenset[int]:
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(words)]
    return frozenset(_hash(w) for w in (*words, *pairs))


# --------------------------------------------------------------------------- bare surnames


def _surnames(rows: Sequence[Seen], bearers: dict[str, Bearer], into: dict[str, str], scale: _Scale) -> list[Merge]:
    by_last: dict[str, list[Bearer]] = defaultdict(list)
    for b in bearers.values():
        if b.kind == "person" and len(b.words) > 1 and b.source_id not in into:
            by_last[b.words[-1]].append(b)
    out = []
    for s in rows:
        words = person_words(s.name)
        options = by_last.get(words[0], []) if len(words) == 1 and s.named else []
        if s.kind == "organisation" and options:  # "Kasich" that was taken for a body
            options = [] if s.source_id in into or bearers[s.source_id].short else options
        if s.kind in ("person", "organisation") and 0 < len(options) <= MAX_BEARERS:
            found = bearer_of(s, words[0], options, scale)
            if found is not None and (s.kind == "person" or found[1] != "company" or found[2] > 2 * NEAR):
                b, reason, score = found
                out.append(Merge(source_id=s.source_id, article_id=s.article_id, into=b.source_id, name=s.name,
                                 into_name=b.name, reason=reason, likeness=round(score, 3)))  # fmt: skip
    return out


def bearer_of(s: Seen, surname: str, options: list[Bearer], scale: _Scale) -> tuple[Bearer, str, float] | None:
    """The bearer of a full name that a bare surname stands for; None where nothing but the name agrees."""
    named = [b for b in options if _hash(f"{b.words[-2]} {surname}") in s.company or
             _hash(f"{b.words[0]} {surname}") in s.company]  # fmt: skip
    named = [b for b in named if s.female is None or b.female in (None, s.female)]
    widest = max(b.articles for b in options)
    if len(named) == 1 and named[0].articles * 5 >= widest:
        return named[0], "named in the text", 1.0
    pool = [b for b in options if s.female is None or b.female in (None, s.female)]
    without = frozenset(n for b in options for n in _own_names(b.words))
    scored = []
    for b in pool:
        like = scale.likeness(s.company, b, without)
        role = bool(role_words(s.role) & b.roles)
        clash = bool(role_words(s.role) and b.roles and not role)
        affiliation = bool(telling_words(s.affiliation) & b.affiliations)
        scored.append(
            (like * (1 + 0.5 * role + 0.5 * affiliation) * (0.5 if clash else 1.0), like, role, affiliation, b)
        )
    scored.sort(key=lambda t: (-t[0], t[4].source_id))
    if not scored:
        return None
    best = scored[0]
    next_ = scored[1][0] if len(scored) > 1 else 0.0
    reason = "role" if best[2] else "affiliation" if best[3] else "company"
    need = NEAR * (0.6 if best[2] or best[3] else 1.0)
    if best[0] < need or best[0] < LEAD * next_:
        return None
    return best[4], reason, best[0]


def _descriptions(rows: Sequence[Seen], bearers: dict[str, Bearer], into: dict[str, str]) -> list[Merge]:
    """ "The Vermont senator" is the senator of Vermont whose surname the article has; no other may be."""
    by_place: dict[str, list[Bearer]] = defaultdict(list)
    for b in bearers.values():
        if b.kind == "person" and len(b.words) > 1 and b.source_id not in into:
            for place in b.affiliations:
                by_place[place].append(b)
    out = []
    for s in rows:
        if s.named:
            continue
        fits = {b.source_id: b for place in telling_words(s.affiliation) for b in by_place.get(place, ())
                if role_words(s.role) & _OFFICES & b.roles and _hash(b.words[-1]) in s.company}  # fmt: skip
        if len(fits) == 1:
            b = next(iter(fits.values()))
            out.append(Merge(source_id=s.source_id, article_id=s.article_id, into=b.source_id, name=s.name,
                             into_name=b.name, reason="role and affiliation", likeness=1.0))  # fmt: skip
    return out


# --------------------------------------------------------------------------- spellings and initials


def _spellings(bearers: dict[str, Bearer], old: set[str], scale: _Scale) -> list[Merge]:
    """Two spellings of a person's name, and a company's with and without "Inc"."""
    groups: dict[tuple[str, ...], list[Bearer]] = defaultdict(list)
    for b in bearers.values():
        if b.kind == "person" and len(b.words) > 1:
            groups["person", folded(b.words[0]), folded(b.words[-1])].append(b)
        elif b.kind != "person" and b.words:
            groups["body", *(w for w in b.words if w not in _DOING and w != "the")].append(b)
    out = []
    for key, found in groups.items():
        found.sort(key=lambda b: (b.source_id not in old, -b.articles, b.source_id))
        for b in found[1:MAX_BEARERS]:
            first = found[0]
            like = scale.likeness(frozenset(b.company), first, _own_names(b.words) | _own_names(first.words))
            agree = b.roles & first.roles or b.affiliations & first.affiliations or like >= NEAR
            if key[0] == "person" and not agree:
                continue
            if b.source_id not in old:
                out.append(_whole(b, first, "spelling", like))
    return out


def _initials(bearers: dict[str, Bearer], old: set[str]) -> list[Merge]:
    """DNC and the Democratic National Committee, where articles introduce one by the other and no other body so."""
    by_short: dict[str, Counter[str]] = defaultdict(Counter)
    for b in bearers.values():
        if b.kind == "organisation" and len(b.words) > 1:
            made = {i for i in initials(b.words) if len(i) > 2}
            for short, n in b.short.items():
                by_short[short][b.source_id] += n
            for short in made:
                by_short[short][b.source_id] += 0
    out = []
    for b in bearers.values():
        if b.kind == "person" or len(b.words) != 1 or b.words[0] not in by_short:
            continue
        options = by_short[b.words[0]].most_common(2)
        sure = options[0][1] > 0 and (len(options) == 1 or options[0][1] >= 3 * options[1][1])
        alone = len(options) == 1 and len(b.words[0]) > 3
        if (sure or alone) and b.source_id not in old:
            out.append(_whole(b, bearers[options[0][0]], "initials", float(options[0][1])))
    return out


def _whole(b: Bearer, into: Bearer, reason: str, likeness: float) -> Merge:
    return Merge(source_id=b.source_id, article_id=None, into=into.source_id, name=b.name, into_name=into.name,
                 reason=reason, likeness=round(likeness, 3))  # fmt: skip
