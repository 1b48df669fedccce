"""Words that name events in one sentence, with what stands under another's content left out, one row an incident."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tasks.extract.events.conditions import holds
from tasks.extract.events.context import Context
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.ontology import EventType, Ontology, Rule
from tasks.extract.events.syntax import (
    above,
    children,
    classes,
    doer,
    hyphened,
    is_fire_noun,
    is_passive,
    lemma,
    lower,
    noun_owner,
    phrase,
    prepositions,
    toll_of,
    undergoer,
)

Token = Any
_CONTENT = frozenset({"dobj", "xcomp", "ccomp", "pcomp", "acl", "oprd", "nsubjpass", "acomp"})
_CONTENT_PREPS = frozenset({"to", "for", "of", "on", "with", "from", "into", "that", "about", "over", "between"})
_KIND = {"VERB": "v", "AUX": "v", "NOUN": "n", "PROPN": "n", "ADJ": "a"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A word that names an event: `also` are other words of the same incident."""

    token: Token
    of: EventType
    mode: str | None
    rule: Rule | None
    also: tuple[Token, ...] = ()
    alleged: bool = False
    actor: Token | None = None  # set where a construction fixes it ("X said Y must …")
    recipient: Token | None = None
    fixed: bool = False
    said: bool = False  # a saying of what will be: it has happened as soon as it is said

    @property
    def type(self) -> str:
        return self.of.name

    def has(self, trait: str) -> bool:
        """Whether its type has a trait (types.tsv)."""
        return trait in self.of.traits


def match(t: Token, ctx: Context, ontology: Ontology) -> Rule | None:
    """The first rule that fits a word."""
    for joined in hyphened(t):
        for key in (("n", joined), ("v", joined)):
            for rule in ontology.rules.get(key, ()):
                if holds(rule, t, ctx):
                    return rule
    kind = _KIND.get(t.pos_)
    if kind is None or t.dep_ in ("aux", "auxpass"):
        return None
    word = lemma(t)
    tries = [(kind, word)]
    if kind == "v" and t.tag_ == "VBG" and (t.dep_ in ("nsubj", "pobj", "compound", "dobj") or is_fire_noun(t)):
        tries.append(("n", lower(t)))
    if kind == "n":
        tries.append(("n", lower(t)))
    if kind == "a" and t.tag_ in ("VBN", "JJ"):
        tries.append(("v", word))
    for key in tries:
        for rule in ontology.rules.get(key, ()):
            if holds(rule, t, ctx):
                return rule
    return None


def content(t: Token) -> set[int]:
    """Positions of what a word of asking, refusing, promising … speaks of."""
    out: set[int] = set()
    for c in t.children:
        if c.dep_ in _CONTENT and not (c.dep_ == "nsubjpass" and t.pos_ == "VERB"):
            out.update(_inner(c))
        elif c.dep_ in ("prep", "prt", "dative") and lower(c) in _CONTENT_PREPS:
            out.update(_inner(c))
        elif c.dep_ == "advcl" and any(lower(x) == "to" and x.dep_ == "aux" for x in c.children):
            out.update(_inner(c))
    return out


def _inner(t: Token) -> set[int]:
    out, queue = {t.i}, [t]
    while queue and len(out) < 200:
        w = queue.pop()
        for c in w.children:
            if c.dep_ in ("relcl", "advcl") and c.tag_ in ("VBD", "VBZ", "VBP", "VBN"):
                continue
            out.add(c.i)
            queue.append(c)
    return out


def find(sent: list[Token], ctx: Context, ontology: Ontology) -> list[Candidate]:
    """Candidates of one sentence, in text order."""
    known = ontology.lemmas
    found = []
    for t in sent:
        if lemma(t) in known or lower(t) in known or any(h in known for h in hyphened(t)):
            rule = match(t, ctx, ontology)
            if rule is not None:
                found.append(Candidate(token=t, of=rule.of, mode=rule.mode, rule=rule))
    for construction in (_should, _future):
        more = [c for t in sent if (c := construction(t, ontology)) is not None]
        found += [c for c in more if not any(f.token.i == c.token.i for f in found)]
    kept = _absorb(sorted(found, key=lambda c: c.token.i))
    return _merge(_main_things(kept), ontology)


def _main_things(found: list[Candidate]) -> list[Candidate]:
    """Without what only says why or how another event was: "protested to demand", "rejected …, urging"."""
    heads = {c.token.i: c for c in found}
    out = []
    for c in found:
        t = c.token
        if t.pos_ == "VERB" and not c.has("force") and t.dep_ in ("advcl", "pcomp", "acl", "relcl"):
            if t.dep_ == "relcl" and not c.has("standing"):
                continue
            over = [h.i for h in above(t)][:6]
            adjunct = t.tag_ in ("VB", "VBG") or t.dep_ == "pcomp"
            if adjunct and any(i in heads for i in over):
                continue
            if any(x.dep_ == "mark" and lower(x) in ("if", "unless") for x in t.children):
                continue
        elif (
            t.pos_ == "VERB"
            and t.tag_ == "VB"
            and t.dep_ in ("advcl", "acl")
            and any(h.i in heads for h in [*above(t)][:4])
        ):
            continue
        elif t.dep_ == "pobj" and lower(t.head) in _BEFORE_IT and c.rule is not None and c.rule.kind == "n":
            if any(h.i in heads and heads[h.i].type != c.type for h in [*above(t)][:6]):
                continue
        out.append(c)
    return out


_BEFORE_IT = frozenset({"after", "following", "amid", "despite", "over", "before", "since"})
"""What stands behind these is told as known, where the sentence has an event of its own."""


def _future(t: Token, ontology: Ontology) -> Candidate | None:
    """What a side says it will or will not do, where the word alone is no event: "will not accept refugees"."""
    if t.pos_ != "VERB" or t.dep_ in ("advcl", "relcl"):
        return None
    aux = {lower(x) for x in t.children if x.dep_ == "aux"}
    if not aux & {"will", "wo", "would", "shall", "'ll"}:
        return None
    words, who = word_lists("verbs.txt"), doer(t)
    if who is None:
        return None
    if lower(who) in ("it", "he", "she", "they") and t.dep_ == "ccomp":
        who = doer(t.head) or who
    if not classes(who) & {"government", "military", "rebel", "police", "entity"}:
        return None
    negated = any(x.dep_ == "neg" for x in t.children)
    if lemma(t) in words["cooperate"]:
        of = ontology.act("refusal" if negated else "promise")
    elif lemma(t) == "tolerate" and (negated or any(lower(x) == "longer" for x in t.subtree)):
        of = ontology.act("threat")
    elif lemma(t) in words["conflict"] and not negated:
        of = ontology.act("threat")
    else:
        return None
    return Candidate(token=t, of=of, mode=None, rule=None, said=True) if of else None


def _should(t: Token, ontology: Ontology) -> Candidate | None:
    """ "X said that Y must …": a request of X to Y."""
    if t.pos_ not in ("VERB", "AUX") or t.dep_ != "ccomp":
        return None
    must = any(c.dep_ == "aux" and lower(c) in ("must", "should", "ought") for c in t.children)
    if not must or lemma(t.head) not in word_lists("verbs.txt")["say"]:
        return None
    who, to = doer(t.head), (undergoer(t) if is_passive(t) else doer(t))
    if who is None or to is None or lower(to) in ("he", "she", "it", "they", "we", "i", "there", "this", "that"):
        return None
    if not classes(who) & {"government", "entity", "military", "rebel", "organisation", "police", "protester"}:
        return None
    if not classes(to) & {"government", "entity", "military", "rebel", "organisation"}:
        return None
    of = ontology.act("demand")
    return Candidate(token=t, of=of, mode=None, rule=None, actor=who, recipient=to, fixed=True) if of else None


def _absorb(found: list[Candidate]) -> list[Candidate]:
    out = []
    inside: dict[int, str] = {}
    for c in found:
        flag = c.rule.absorb if c.rule else "absorb"
        if flag:
            for i in content(c.token):
                if inside.get(i) != "absorb":
                    inside[i] = flag
    for c in found:
        flag = inside.get(c.token.i)
        if flag is None:
            out.append(c)
        elif flag == "absorballeged" and c.has("force"):
            out.append(replace(c, alleged=True))
    return out


def _merge(found: list[Candidate], ontology: Ontology) -> list[Candidate]:
    """One candidate an incident: "bombings … killed", "opened fire … killing two"."""
    out: list[Candidate] = []
    for c in _with_causes(found, ontology):
        twins = [i for i, o in enumerate(out) if _same(o, c)]
        if not twins:
            out.append(c)
            continue
        near = min(twins, key=lambda i: (_apart(out[i].token, c.token), i))
        out[near] = _joined(out[near], c, ontology)
    return sorted(out, key=lambda c: c.token.i)


def _with_causes(found: list[Candidate], ontology: Ontology) -> list[Candidate]:
    """Tolls joined first with the cause that stands right under them: "killed in police firing"."""
    at = {c.token.i: c for c in found if c.has("violent")}
    taken: set[int] = set()
    out: list[Candidate] = []
    for c in found:
        if c.token.i in taken:
            continue
        if c.has("violent") and lemma(c.token) in _RESULT:
            cause = next(
                (at[o.i] for p, o in prepositions(c.token) if p in _CAUSES and o.i in at and o.i not in taken), None
            )
            if cause is not None:
                taken.add(cause.token.i)
                out = [o for o in out if o.token.i != cause.token.i]
                c = _joined(cause, c, ontology)
        out.append(c)
    return sorted(out, key=lambda c: c.token.i)


_CAUSES = frozenset({"in", "by", "during", "from", "to"})


def _joined(a: Candidate, b: Candidate, ontology: Ontology) -> Candidate:
    """Two words of one incident as one candidate, named by the better word."""
    if (not _undone(b.token), _weight(b)) > (not _undone(a.token), _weight(a)):
        a, b = b, a
    mode = a.mode or b.mode
    general = a.mode is None or ontology.mode_is(a.of, a.mode, "general")
    if general and ontology.mode_is(b.of, b.mode, "specific"):
        mode = b.mode
    return replace(a, mode=mode, also=(*a.also, b.token, *b.also), alleged=a.alleged and b.alleged)


def _undone(t: Token) -> bool:
    """ "chased and nearly lynched": what did not come about does not name what did."""
    return any(c.dep_ == "neg" or (c.dep_ == "advmod" and lower(c) in ("nearly", "almost")) for c in t.children)


def _apart(a: Token, b: Token) -> int:
    """Steps between two words in the parse, else their distance in the text."""
    for x, y in ((a, b), (b, a)):
        for k, h in enumerate(above(y)):
            if h.i == x.i:
                return k
    return 8 + int(abs(a.i - b.i))


_RESULT = frozenset("kill die succumb wound injure leave claim sustain suffer perish maim receive burn".split())


def _weight(c: Candidate) -> int:
    """A cause tells an incident better than its toll; a verb better than a noun."""
    return int((0 if lemma(c.token) in _RESULT else 2) + (c.token.pos_ == "VERB"))


def _sides(c: Candidate) -> set[int]:
    got = set()
    for x in (doer(c.token), undergoer(c.token)) if c.token.pos_ == "VERB" else ():
        if x is not None:
            got.add(x.i)
    return got


def _same(a: Candidate, b: Candidate) -> bool:
    if a.type != b.type:
        return False
    x, y = a.token, b.token
    if a.has("violent"):
        return _one_incident(a, b)
    if x.i in [h.i for h in above(y)][:4] or y.i in [h.i for h in above(x)][:4]:
        if a.has("by_mode") and x.pos_ == "VERB" and y.pos_ == "VERB" and a.mode != b.mode:
            return False
        return True
    if x.dep_ == "conj" or y.dep_ == "conj":
        return a.mode == b.mode and (y.head.i == x.i or x.head.i == y.i)
    return a.has("once")


def _attacker_died(cause: Token, toll: Token) -> bool:
    """ "Ten militants were killed when they attacked …": who died is who attacked, so two things were done."""
    if cause.pos_ != "VERB" or toll.pos_ != "VERB" or is_passive(cause) or not is_passive(toll):
        return False
    who, whom = doer(cause), undergoer(toll)
    if who is None or whom is None or lemma(cause) in ("blow", "detonate", "explode"):
        return False
    if who.i == whom.i:
        return True
    over = {h.i for h in [*above(cause)][:3]}
    under = cause.dep_ == "advcl" and bool(over & {toll.i, *(x.i for x in children(toll, "conj"))})
    return under and lower(who) in ("they", "he", "she")


def _doer_of(t: Token) -> Token | None:
    return doer(t) if t.pos_ == "VERB" else noun_owner(t)


def _rivals(a: Token, b: Token) -> bool:
    """ "police shootings … and a sniper killing five": two who bear arms, of two kinds."""
    one, other = classes(a) & _ARMED, classes(b) & _ARMED
    return bool(one and other) and not one & other


_ARMED = frozenset({"police", "military", "rebel"})


def _has_own_toll(n: Token) -> bool:
    """ "668 were killed, including 100 in police firing": one cause of several."""
    near = [w for h in [*above(n)][:3] for w in (h, *children(h, "nsubj"))]
    return any((cause := toll_of(w)) is not None and cause.i == n.i for w in near if w.like_num)


def _against(x: Token, y: Token) -> bool:
    """ "When police used tear gas, residents attacked the police": who did the one suffered the other."""
    if x.pos_ == "VERB" or y.pos_ != "VERB":
        return False
    verb = next((h for h in [*above(x)][:4] if h.pos_ == "VERB"), None)
    if verb is None or verb.i == y.i or is_passive(verb):
        return False
    who, whom = doer(verb), undergoer(y)
    return who is not None and whom is not None and who.i != whom.i and lemma(who) == lemma(whom)


def _one_incident(a: Candidate, b: Candidate) -> bool:
    """Two words of violence in one sentence are one incident unless two doers or two victims keep them apart."""
    x, y = a.token, b.token
    if a.alleged != b.alleged or _has_own_toll(x) or _has_own_toll(y) or _against(x, y) or _against(y, x):
        return False
    dx, dy = _doer_of(x), _doer_of(y)
    if dx is not None and dy is not None and _rivals(dx, dy) and not x.pos_ == y.pos_ == "VERB":
        return False
    if lemma(x) in _RESULT or lemma(y) in _RESULT:
        cause, toll = (y, x) if lemma(x) in _RESULT else (x, y)
        if lemma(cause) in _RESULT:
            return dx is None or dy is None or dx.i == dy.i
        if _attacker_died(cause, toll):
            return False
        if toll.pos_ == "VERB" and cause.pos_ == "VERB":
            who, whom = doer(toll), undergoer(cause)
            return not (
                who is not None
                and whom is not None
                and classes(who) & classes(whom) & {"military", "police"}
                and who.i != whom.i
                and is_passive(toll)
            )
        return True
    if x.pos_ == "VERB" and y.pos_ == "VERB":
        if dx is not None and dy is not None and dx.i != dy.i and phrase(dx) != phrase(dy):
            return False
    near = {h.i for h in [*above(y)][:5]} | {h.i for h in [*above(x)][:5]}
    if x.i in near or y.i in near:
        return True
    return bool(_sides(a) & _sides(b)) or abs(x.i - y.i) < 12 or bool(children(x, "conj"))
