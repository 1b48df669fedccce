"""Where and when each event of an article was: by its own clause, else by what was told just before.

A text names the town and the day once and goes on: "Gunmen attacked a market in Kaduna on Tuesday. … They also took two
hostages." An event that names neither inherits them from the event told before it, where nothing between speaks against
it. Nothing is inherited by what only is said, by what is told as earlier ("had fled"), or over another place or day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks import tables
from tasks.extract.events import dates, place_names, places
from tasks.extract.events.draft import Draft
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.place_guards import in_place_position
from tasks.extract.events.place_names import Mention
from tasks.extract.events.syntax import above, children, classes, is_passive, lemma, lower, sentence

Token = Any
REACH = 2
"""Sentences back from which a place or a day is inherited."""
_SAYING = frozenset({"say", "report", "tell", "announce", "add", "confirm", "state", "warn"})
_THE = frozenset({"the", "these", "those", "this", "that"})
_ANAPHORS = frozenset({"they", "he", "she", "them", "there", "it", "others", "other", "another", "also", "both"})
_DEFINITE = frozenset({"rebel", "police", "military", "protester", "attackword", "protestword", "casualty", "building"})
_ELSEWHEN = word_lists("words.txt")["elsewhen"]
_WORK = word_lists("words.txt")["work"]
_ELSEWHERE = word_lists("words.txt")["elsewhere"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Place and day of one event, each with where in the text it was read, or why there is none."""

    where: Mention | None
    country: str | None
    place_from: str
    when: dates.When | None
    date_from: str


def set_events(
    doc: Any,
    article: tables.Article,
    drafts: Sequence[Draft],
    spans: Sequence[tuple[int, int]],
    *,
    caseless: bool,
    about_a_work: bool,
) -> list[Setting]:
    """The setting of each draft, in their order; `spans` are the tokens of their evidence. `about_a_work`: see
    `on_a_work`."""
    mentions, country = place_names.survey(doc, caseless)
    if about_a_work:
        country = None  # the country of a film's making is not where its story's fights are
    triggers = {x.i for d in drafts for x in (d.c.token, *d.c.also)}
    out: list[Setting] = []
    for n, (d, span) in enumerate(zip(drafts, spans, strict=True)):
        rivals = triggers - {d.c.token.i, *(x.i for x in d.c.also)}
        before = list(zip(drafts[:n], out, strict=True))
        where, place_from = _where(doc, d, span, mentions, before)
        when, date_from = _when(doc, article, d, rivals), "clause"
        if when is None:
            when, date_from = _inherited_day(doc, article, d, before)
        land = where.country if where else None
        if where is None and country is not None and place_from in ("none", "unclear") and _home(mentions, d, country):
            land, place_from = country, "article"
        out.append(Setting(where=where, country=land, place_from=place_from, when=when, date_from=date_from))
    return out


def on_a_work(doc: Any) -> bool:
    """Whether a text is about films, novels or songs: their words thrice and one in a hundred."""
    told = sum(lower(t) in _WORK for t in doc)
    return told >= 3 and told * 100 >= len(doc)


# --------------------------------------------------------------------------- place


def _where(
    doc: Any, d: Draft, span: tuple[int, int], mentions: list[Mention], before: list[tuple[Draft, Setting]]
) -> tuple[Mention | None, str]:
    """The place of an event and where it was read; else null and why."""
    sides = {i for r in (d.actor, d.recipient) if r is not None for i in range(max(r.left_edge.i, r.i - 8), r.i + 1)}
    speaker = _speaker_tokens(d)
    usable = [m for m in mentions if m.first not in speaker]  # "…, Captain X of Anbar police said"
    found = places.place_of(d.c.of.traits, [d.c.token, *d.c.also], span, usable, sides, d.recipient)
    if found is not None:
        return found, "clause" if span[0] <= found.first <= span[1] else "sentence"
    if not d.c.has("bodily") or _told_elsewhere(d):
        return None, "not bodily" if not d.c.has("bodily") else "elsewhere"
    sent = sentence(d.c.token)
    here = [m for m in usable if sent.start <= m.first < sent.end and in_place_position(doc, m.first)]
    if here:
        return None, "unclear"  # the sentence names places, and none of them is this event's
    linked = _goes_on(d)
    for other, setting in reversed(before):
        apart = d.sentence - other.sentence
        if apart > REACH:
            break
        if not other.c.has("bodily") or setting.where is None or other.mood not in tables.REAL:
            continue
        if linked or (apart == 0 and _within(d.c.token, other)):
            return setting.where, "earlier" if apart else "sentence"
    return _scene(doc, d, usable) if linked or d.sentence <= 1 else (None, "none")


def _home(mentions: list[Mention], d: Draft, country: str) -> bool:
    """Whether the article's one country is an event's: a bodily one, whose sentence names no place of another."""
    sent = sentence(d.c.token)
    here = [m for m in mentions if sent.start <= m.first < sent.end]
    return d.c.has("bodily") and all(m.country in (country, None) for m in here)


def _goes_on(d: Draft) -> bool:
    """Told as part of what was told before: "they", "the attackers", "the blast", "two others", "also"."""
    t = d.c.token
    verb = t if t.pos_ in ("VERB", "AUX") else next((h for h in above(t) if h.pos_ in ("VERB", "AUX")), t)
    for w in (t, *t.children, *verb.children, *(x for s in children(verb, "nsubj", "nsubjpass") for x in s.children)):
        if lower(w) in _ANAPHORS:
            return True
        if w.pos_ in ("NOUN", "PROPN") and classes(w) & _DEFINITE and any(lower(x) in _THE for x in w.children):
            return True
    if is_passive(verb) and any(s.pos_ == "NUM" or children(s, "nummod") for s in children(verb, "nsubjpass")):
        return not children(verb, "agent")  # "Eleven militants were arrested.": what came of it
    return any(lower(o) == "police" or lower(o) in _ANAPHORS for o in children(verb, "agent", "nsubj", "dobj"))


def _scene(doc: Any, d: Draft, mentions: list[Mention]) -> tuple[Mention | None, str]:
    """The one place that the sentence before tells something to be in, or the dateline of a text's first sentences."""
    sent = sentence(d.c.token)
    start = sent.start
    if start > 0:
        last = sentence(doc[start - 1]) if not doc[start - 1].is_space or start < 2 else sentence(doc[start - 2])
        told = [m for m in mentions if last.start <= m.first < last.end and in_place_position(doc, m.first)]
        pinned = {m.name for m in told}
        if len(pinned) == 1 and len(told) == 1 and d.mood in tables.REAL:
            return told[0], "earlier"
    line = next((m for m in mentions if m.first <= 1 and place_names.is_dateline(doc, m)), None)
    if line is not None and d.sentence <= REACH and d.mood in tables.REAL:
        return line, "dateline"
    return None, "none"


def _told_elsewhere(d: Draft) -> bool:
    """ "similar attacks elsewhere", "in other towns", "abroad"."""
    return any(lower(w) in _ELSEWHERE for w in sentence(d.c.token))


def _speaker_tokens(d: Draft) -> set[int]:
    """Tokens of the phrase of who says so, as far as it stands in the event's sentence."""
    if d.said is None:
        return set()
    out = {w.i for w in sentence(d.c.token) if d.said.start <= w.idx < d.said.end}
    if d.said.verb is not None:
        out |= {w.i for s in d.said.verb.children if s.dep_ == "nsubj" for w in s.subtree}
    return out


# --------------------------------------------------------------------------- day


def _inherited_day(
    doc: Any, article: tables.Article, d: Draft, before: list[tuple[Draft, Setting]]
) -> tuple[dates.When | None, str]:
    """The day of the event told before, for one that is told as part of the same happening."""
    if d.mood not in tables.REAL or not d.c.has("bodily") or _earlier_telling(d.c.token):
        return None, "none"
    sent = sentence(d.c.token)
    lo, hi = doc[sent.start].idx, doc[sent.end - 1].idx + len(doc[sent.end - 1].text)
    linked = _goes_on(d)
    dated_here = bool(dates.find_dates(article.text[lo:hi], lo, None))
    for other, setting in reversed(before):
        apart = d.sentence - other.sentence
        if apart > REACH:
            break
        if setting.when is None or setting.when.first is None or other.mood not in tables.REAL:
            continue
        if not other.c.has("bodily") or setting.when.precision not in ("day", "range"):
            continue
        if apart == 0 and _within(d.c.token, other):
            return setting.when, "clause"
        if (
            apart > 0
            and (linked or (apart == 1 and _one_paragraph(d, other)))
            and not dated_here
            and d.c.token.tag_ in ("VBD", "VBN", "VBG", "NN", "NNS")
        ):
            return setting.when, "earlier"
    return None, "none"


def _one_paragraph(d: Draft, other: Draft) -> bool:
    doc = d.c.token.doc
    return not any("\n" in w.text for w in doc[other.c.token.i : d.c.token.i])


def _within(t: Token, other: Draft) -> bool:
    """Told in a participle under the other ("indulging in arson", "killing nine") or joined to it by "and"."""
    own = {other.c.token.i, *(x.i for x in other.c.also)}
    w = t
    for h in above(t):
        if w.dep_ in ("relcl", "ccomp", "csubj") or (w.dep_ == "prep" and lower(w) not in ("in", "with", "by", "of")):
            return False
        if w.dep_ in ("advcl", "acl") and w.tag_ not in ("VBG", "VB") and not (_at_once(w) or lemma(w) in _SAYING):
            return False
        if h.i in own:
            return True
        w = h
    return False


def _at_once(v: Token) -> bool:
    """ "… were killed when they attacked a base": two things of one moment."""
    return v.dep_ == "advcl" and any(x.dep_ in ("mark", "advmod") and lower(x) == "when" for x in v.children)


def _earlier_telling(t: Token) -> bool:
    """What is told as having been before: "had fled", "earlier attacks", "a previous raid", "since then"."""
    verb = t if t.pos_ in ("VERB", "AUX") else next((h for h in above(t) if h.pos_ in ("VERB", "AUX")), t)
    if any(lower(x) in ("had", "'d", "has", "have") for x in children(verb, "aux")):
        return True
    near = [*t.children, *verb.children, *(w for x in verb.children for w in x.children)]
    return any(lower(w) in _ELSEWHEN or lemma(w) in _ELSEWHEN for w in near)


def _when(doc: Any, article: tables.Article, d: Draft, rivals: set[int]) -> dates.When | None:
    t = d.c.token
    sent = sentence(t)
    lo, hi = doc[sent.start].idx, doc[sent.end - 1].idx + len(doc[sent.end - 1].text)
    published = article.published_at.date() if article.published_at else None
    found = dates.find_dates(article.text[lo:hi], lo, published, ahead=d.mood in ("planned", "expected"))
    best, best_score = None, 0.0
    for w in found:
        span = doc.char_span(w.start, w.end)
        if span is None:
            continue
        # what is told as real cannot lie after the telling: that date is of what was agreed, asked or threatened
        if published and w.first and w.first > published and d.mood in tables.REAL:
            continue
        score = _date_score(d, rivals, span)
        if score > best_score:
            best, best_score = w, score
    return best


def _date_score(d: Draft, rivals: set[int], span: Any) -> float:
    """How well a date belongs to an event: below its words best, below a verb of saying or another event not at all."""
    t = d.c.token
    also = {x.i for x in d.c.also}
    own = {t.i} | also
    if span.end < len(t.doc) and lemma(t.doc[span.end]) in _SAYING and span.end not in own:
        return 0.0  # "the party on Friday said …"
    ups = {a.i for w in (t, *d.c.also) for a in above(w)}
    root = span.root
    near = min(0.4, float(abs(root.i - t.i)) / 100)
    for k, h in enumerate([root, *above(root)]):
        if h.i in own:
            return (3.0 if h.i == t.i else 2.4) - k / 10 - near
        if h.i in rivals:  # "on Monday ten were killed and two were caught" dates both
            return 0.9 - near if t.dep_ == "conj" and t.head.i == h.i and root.i < t.i else 0.0
        if h.dep_ == "nsubj" and lemma(h.head) in _SAYING and h.head.i not in own:
            return 0.0  # "the party on Friday said …"
        if k == 0 or h.pos_ not in ("VERB", "AUX", "NOUN", "PROPN"):
            continue
        if h.pos_ in ("NOUN", "PROPN"):
            if h.i in ups:
                return 1.4 - near
            continue
        if lemma(h) in _SAYING and not (t.head.i == h.i and t.dep_ in ("dobj", "xcomp")):
            return 0.0
        if h.i in ups:
            return 1.2 - near
        if h.dep_ in ("relcl", "acl") and h.tag_ in ("VBD", "VBZ", "VBP") and h.head.i not in own:
            return 0.0  # "a town that flooded last year"
        if any(
            x.dep_ in ("mark", "advmod") and lower(x) in ("after", "before", "since", "because", "until")
            for x in h.children
        ):
            return 0.0
        return (0.8 if h.head.i in own else 0.5) - near
    return 0.3
