"""Events of one article: triggers, sides, place, date, counts, modality and who says so, put together as rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasks import tables
from tasks.extract.events import candidates, counts, modality, roles, setting, told_by
from tasks.extract.events.candidates import Candidate
from tasks.extract.events.context import Context, signals
from tasks.extract.events.draft import Draft
from tasks.extract.events.ontology import PLOVER, EventType, Ontology, load_ontology
from tasks.extract.events.syntax import MAX_WALK, PRONOUNS, above, classes, hyphened, lemma, lower, sentence
from tasks.extract.tokens import Tokens, read_tokens

Token = Any
MAX_SENTENCE = 400
"""Tokens of one sentence that are read: what is longer is a list or a broken page."""
MAX_EVENTS = 400
_PERSONS = ("killed", "injured", "arrested", "displaced")
_POLITICAL = frozenset({"government", "military", "rebel", "police", "entity", "organisation", "protester"})


def _is_caseless(text: str) -> bool:
    letters = [c for c in text[:4000] if c.isalpha()]
    return len(letters) > 20 and sum(c.isupper() for c in letters) < 0.005 * len(letters)


def find_events(
    doc: Any,
    article: tables.Article,
    quotes: list[tables.Quote],
    sources: list[tables.Source],
    ontology: str = PLOVER,
) -> list[tables.Event]:
    """Events of an article, in the order of their triggers; empty where it tells none.

    In:  doc, the article's parse (`language.parse`); quotes and sources of the article, which may be empty; the name of
         an ontology (ontology.py).
    Out: rows whose spans point into article.text; story_id is null (a later step sets it).
    """
    kinds = load_ontology(ontology)
    doc = read_tokens(doc)
    drafts = find_drafts(doc, quotes, kinds)
    if not drafts:
        return []
    drafts = drafts[:MAX_EVENTS]
    spans = [_bounded(doc, d) for d in drafts]
    on_a_work = setting.on_a_work(doc)
    settings = setting.set_events(
        doc, article, drafts, spans, caseless=_is_caseless(article.text), about_a_work=on_a_work
    )
    rows: dict[str, tables.Event] = {}
    for d, span, at in zip(drafts, spans, settings, strict=True):
        if on_a_work and d.c.has("violent") and at.when is None:
            continue  # a fight of a film's story, not of the world
        row = _row(doc, article, d, span, at, sources, kinds)
        rows.setdefault(row.event_id, row)
    return sorted(rows.values(), key=lambda e: (e.trigger_start, e.trigger_end, e.type))


def _sentences(doc: Tokens) -> list[list[Token]]:
    out = []
    for s in doc.sents:
        tokens = [t for t in s if not t.is_space][:MAX_SENTENCE]
        if tokens:
            out.append(tokens)
    return out


def find_drafts(doc: Any, quotes: list[tables.Quote], ontology: Ontology) -> list[Draft]:
    """Events of a text in the making, sentence by sentence."""
    known = ontology.lemmas
    doc = read_tokens(doc)
    sentences = _sentences(doc)
    hit = [
        any(lemma(t) in known or lower(t) in known or any(h in known for h in hyphened(t)) for t in s)
        for s in sentences
    ]
    if not any(hit):
        return []
    seen = [signals(doc, s[0].i, s[-1].i + 1) for s in sentences]
    out: list[Draft] = []
    for k, sent in enumerate(sentences):
        ctx = _context(sent, seen, k)
        told = hit[k] and not _title_only(sent)
        mine = [_draft(c, k, quotes, ontology) for c in candidates.find(sent, ctx, ontology)] if told else []
        mine = [d for m in mine if (d := _converted(m, ontology)) is not None]
        tolls = counts.find_counts(sent) if seen[k].get("casualty") or hit[k] or _flight(sent) else []
        _attach(tolls, mine, out, k)
        out.extend(mine)
    return out


def _title_only(sent: list[Token]) -> bool:
    """ "Killing", "The Attacks": a name or a teaser of one word, which says of nobody that it was."""
    words = [t for t in sent if not t.is_punct and t.dep_ != "det" and t.pos_ != "DET"]
    return len(words) < 2


def _flight(sent: list[Token]) -> bool:
    return any(lemma(t) in ("flee", "displace", "evacuate", "homeless", "toll") for t in sent)


def _context(sent: list[Token], seen: list[dict[str, int]], k: int) -> Context:
    around: Counter[str] = Counter()
    for j in {0, 1, k - 2, k - 1, k + 1}:
        if 0 <= j < len(seen) and j != k:
            around.update(seen[j])
    around.update(seen[k])
    return Context(here=seen[k], around=dict(around), words=frozenset(lower(t) for t in sent))


def _draft(c: Candidate, k: int, quotes: list[tables.Quote], ontology: Ontology) -> Draft:
    said = told_by.attribute(c, quotes)
    actor, recipient = roles.find_roles(c, ontology)
    if c.fixed or told_by.by_itself(c, actor, said):
        said = None
    return Draft(c=c, sentence=k, actor=actor, recipient=recipient, said=said, mood=modality.judge(c, said))


def _converted(d: Draft, ontology: Ontology) -> Draft | None:
    """PLOVER tells what a side says it will do as a promise or a threat, and what it will not as a refusal."""
    t, c = d.c.token, d.c
    if c.rule is None or c.has("final") or t.dep_ == "relcl":
        return d
    political = d.actor is not None and bool(classes(d.actor) & _POLITICAL)
    own = t.pos_ == "VERB" and any(
        lower(x) in ("will", "wo", "would", "shall", "'ll") for x in t.children if x.dep_ == "aux"
    )
    if not (own and political and d.mood in ("planned", "negated", "expected")):
        return d
    if any(lower(x) == "if" for x in sentence(t) if x.dep_ == "mark") and d.mood == "planned" and c.has("cooperative"):
        return d
    cooperative = c.has("cooperative")
    if d.mood == "negated":
        new = ontology.act("refusal" if cooperative else "promise")
    else:
        new = ontology.act("promise" if cooperative else "threat")
    return replace_draft(d, new) if new is not None else d


def replace_draft(d: Draft, of: EventType) -> Draft:
    """The same happening as another type: said, so it is real as soon as it is said."""
    c = replace(d.c, of=of, mode=None)
    mood = "reported" if d.said is not None else "asserted"
    return Draft(
        c=c, sentence=d.sentence, actor=d.actor, recipient=d.recipient, said=d.said, mood=mood, counts=d.counts
    )


def _attach(tolls: list[counts.Count], mine: list[Draft], earlier: list[Draft], k: int) -> None:
    """Give each number of people to its event: the word itself, the nearest of its sentence, or the one before."""
    for n in tolls:
        fits = [d for d in mine if d.c.has(n.field)]
        own = [d for d in mine if n.token.i in {d.c.token.i, *(x.i for x in d.c.also)} and d.c.has(n.field)]
        if own:
            target = own[0]
        elif fits:
            target = min(
                fits,
                key=lambda d: min(
                    _distance(d.c.token, n.token), *(_distance(x, n.token) for x in (*d.c.also, d.c.token))
                ),
            )
        else:
            before = [d for d in earlier if d.sentence == k - 1 and d.c.has(n.field)]
            if not before or n.field == "displaced":
                continue
            target = before[-1]
        target.counts.append(n)


def _distance(a: Token, b: Token) -> int:
    ups = [b.i, *(h.i for h in above(b))]
    if a.i in ups:
        return ups.index(a.i)
    return 5 + int(abs(a.i - b.i))


def _total(found: list[counts.Count]) -> tuple[int | None, int | None, list[counts.Count]]:
    """The range of one field: numbers of joined verbs are summed, a later telling of the same number is not."""
    if not found:
        return None, None, []
    used = [found[0]]
    for c in found[1:]:
        last = used[-1].token
        joined = c.token.i == last.i or (
            c.token.dep_ == "conj" and c.token.head.i == last.i and lemma(c.token) != "arrest"
        )
        if joined and sentence(c.token).start == sentence(last).start and (c.min or c.max):
            used.append(c)
    low = None if any(u.min is None for u in used) else sum(u.min or 0 for u in used)
    high = None if any(u.max is None for u in used) else sum(u.max or 0 for u in used)
    return low, high, used


def _evidence(d: Draft) -> tuple[int, int]:
    """Tokens of the clause that tells the event, all its trigger words within."""
    words = [d.c.token, *d.c.also]
    start, end = d.c.token.i, d.c.token.i
    for w in words:
        v = w
        if w.pos_ not in ("VERB", "AUX"):
            for h in above(w):
                v = h
                if h.pos_ in ("VERB", "AUX"):
                    break
        edges = (v.left_edge.i, v.right_edge.i)
        start, end = min(start, edges[0]), max(end, edges[1])
    for n in d.counts:
        if sentence(n.token).start == sentence(d.c.token).start:
            start, end = min(start, n.token.i), max(end, n.token.i)
    sent = sentence(d.c.token)
    return max(start, sent.start), min(end, sent.end - 1)


def _bounded(doc: Any, d: Draft) -> tuple[int, int]:
    start, end = _evidence(d)
    at = d.c.token.i
    start, end = max(start, at - MAX_WALK * 2), min(end, at + MAX_WALK * 2)
    while start < at and (doc[start].is_space or doc[start].text in (",", ";", "-", "–", "—", ":")):
        start += 1
    while end > at and (doc[end].is_space or doc[end].text in (",", ";", ".", "-", "–", "—", ":")):
        end -= 1
    return start, end


def _trigger(d: Draft) -> tuple[int, int]:
    """Code points of the trigger, with its particle or the noun that makes its sense ("opened fire", "car bomb")."""
    t = d.c.token
    start, end = t.idx, t.idx + len(t.text)
    if hyphened(t):  # "sit-in", "stone-pelting": the tokeniser splits them
        start = t.doc[t.i - 2].idx
    for c in t.children:
        if c.dep_ == "prt" and c.i == t.i + 1:
            end = c.idx + len(c.text)
        elif t.pos_ == "VERB" and c.dep_ == "dobj" and c.i == t.i + 1 and lower(c) in ("fire", "hostage", "control"):
            end = c.idx + len(c.text)
        elif t.pos_ == "NOUN" and c.dep_ == "compound" and c.i == t.i - 1 and c.pos_ == "NOUN":
            start = c.idx
    return start, end


def _source_id(start: int, end: int, sources: list[tables.Source]) -> str | None:
    for s in sources:
        if any(m.start < end and start < m.end for m in s.mentions):
            return s.source_id
    return None


def marks(d: Draft) -> list[str]:
    """What the chance of being right is read from (train.py fits a weight to each)."""
    t = d.c.token
    out = [f"type={d.c.type}", f"mood={d.mood}", f"pos={t.pos_}", f"dep={t.dep_}", f"also={min(2, len(d.c.also))}"]
    out.append(f"actor={'none' if d.actor is None else d.actor.ent_type_ or d.actor.pos_}")
    out.append(f"recipient={'none' if d.recipient is None else 'some'}")
    out.append(f"said={d.said is not None}")
    out.append(f"counts={bool(d.counts)}")
    out.append(f"rule={'construction' if d.c.rule is None else d.c.rule.kind}")
    return out


def _confidence(d: Draft, weights: Mapping[str, float]) -> float:
    z = weights.get("bias", 0.0) + sum(weights.get(m, 0.0) for m in marks(d))
    return round(min(0.97, max(0.03, 1 / (1 + math.exp(-z)))), 2)


def _side(name: str, role: roles.Role | None, sources: list[tables.Source]) -> dict[str, Any]:
    """Columns of actor or recipient."""
    values = (
        (
            role.text,
            role.start,
            role.end,
            role.kind,
            role.country,
            role.sector,
            _source_id(role.start, role.end, sources),
        )
        if role
        else (None,) * 7
    )
    columns = ("text", "start", "end", "kind", "country", "sector", "source_id")
    return {f"{name}_{column}": value for column, value in zip(columns, values, strict=True)}


def _pin(at: setting.Setting) -> dict[str, Any]:
    """Columns of the place; coordinates only where the gazetteer knows it."""
    where = at.where
    pin = where.place if where else None
    kind = pin.kind if pin and pin.kind != "sea" else None
    return {
        "place_text": where.text if where else None,
        "place_start": where.start if where else None,
        "place_end": where.end if where else None,
        "place_name": where.name if where else None,
        "place_country": at.country,
        "place_admin1": pin.admin1 if pin else None,
        "lat": pin.lat if pin else None,
        "lon": pin.lon if pin else None,
        "geonames_id": pin.geonames_id if pin else None,
        "place_precision": kind or ("country" if at.country and pin is None else None),
        "place_from": at.place_from,
    }


def _day(at: setting.Setting) -> dict[str, Any]:
    when = at.when
    return {
        "date_text": when.text if when else None,
        "date_start": when.first if when else None,
        "date_end": when.last if when else None,
        "date_precision": when.precision if when else None,
        "date_from": at.date_from,
    }


def _numbers(d: Draft) -> dict[str, Any]:
    """Columns of the counts, with where their words stand."""
    out: dict[str, Any] = {}
    spans = []
    for f in _PERSONS:
        out[f"{f}_min"], out[f"{f}_max"], used = _total([n for n in d.counts if n.field == f])
        spans += [tables.CountSpan(field=f, start=n.start, end=n.end) for n in used]
    return {**out, "count_spans": spans}


def _telling(said: told_by.Attribution | None, sources: list[tables.Source]) -> dict[str, Any]:
    source = (said.source_id or _source_id(said.start, said.end, sources)) if said else None
    text = said.text if said else None
    if text is not None and text.lower() in PRONOUNS:  # "it said": the name that the article gives it elsewhere
        text = next((s.name for s in sources if s.source_id == source), text)
    return {
        "attributed_to": text,
        "attributed_source_id": source,
        "attributed_quote_id": said.quote_id if said else None,
    }


def _row(
    doc: Any,
    article: tables.Article,
    d: Draft,
    span: tuple[int, int],
    at: setting.Setting,
    sources: list[tables.Source],
    ontology: Ontology,
) -> tables.Event:
    first, last = span
    trigger_start, trigger_end = _trigger(d)
    start = min(doc[first].idx, trigger_start)
    end = max(doc[last].idx + len(doc[last].text), trigger_end)
    columns = {
        **_side("actor", roles.describe(d.actor) if d.actor is not None else None, sources),
        **_side("recipient", roles.describe(d.recipient, d.actor) if d.recipient is not None else None, sources),
        **_pin(at),
        **_day(at),
        **_numbers(d),
        **_telling(d.said, sources),
    }
    return tables.Event(
        event_id=tables.make_id("e", article.article_id, trigger_start, trigger_end, d.c.type),
        article_id=article.article_id,
        type=d.c.type,  # type: ignore[arg-type]
        mode=d.c.mode,
        evidence=article.text[start:end],
        start=start,
        end=end,
        trigger=article.text[trigger_start:trigger_end],
        trigger_start=trigger_start,
        trigger_end=trigger_end,
        modality=d.mood,  # type: ignore[arg-type]
        goldstein=ontology.score(d.c.type, d.c.mode),
        quad=d.c.of.quad,  # type: ignore[arg-type]
        story_id=None,
        confidence=_confidence(d, ontology.weights),
        **columns,
    )
