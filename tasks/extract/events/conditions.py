"""The conditions of lexicon.tsv by name: each answers whether a word, where it stands, can name its event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.extract.events.context import Context
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.ontology import Rule
from tasks.extract.events.syntax import (
    above,
    children,
    classes,
    doer,
    grammatical_subject,
    hyphened,
    is_human,
    is_passive,
    lemma,
    lower,
    noun_owner,
    particle,
    prepositions,
    sentence,
    under,
    undergoer,
)

Token = Any
POLITICAL = frozenset({"government", "military", "rebel", "police", "entity", "organisation", "person", "protester"})
STRONG = frozenset({"government", "military", "rebel", "police", "entity", "organisation"})
_POLITY = frozenset({"GPE", "NORP"})


def _has(t: Token, values: frozenset[str]) -> bool:
    if t.pos_ == "VERB" and t.dep_ == "xcomp" and is_passive(t):  # "curfew is likely to be imposed"
        raised = grammatical_subject(t)
        if raised is not None and lemma(raised) in values:
            return True
    for w in under(t, 25):
        if w.ent_type_ == "DATE":
            continue  # "is planned for March 15" plans no march
        if lemma(w) in values or lower(w) in values or any(h in values for h in hyphened(w)):
            return True
    return (
        any(c.dep_ in ("prt", "advmod", "acomp", "oprd") and lower(c) in values for c in t.children)
        or (t.i + 1 < len(t.doc) and lower(t.nbor(1)) in values)
        or (t.i > 0 and t.dep_ != "ROOT" and lower(t.nbor(-1)) in values)
    )


def _in(t: Token | None, values: frozenset[str]) -> bool:
    if t is None:
        return False
    if "any" in values:
        return True
    c = classes(t)
    if c & values or lemma(t) in values or ("person" in values and "civilian" in c):
        return True
    for p, o in prepositions(t):  # "dozens of rebels", "members of the army", "part of a stronghold"
        if p == "of" and (lemma(t) in _QUANTITIES or t.pos_ == "NUM") and (classes(o) & values or lemma(o) in values):
            return True
    return False


_QUANTITIES = word_lists("words.txt")["quantities"]


def _acted_on(t: Token) -> Token | None:
    if t.pos_ == "NOUN":
        return next((o for p, o in prepositions(t) if p in ("of", "on", "against", "at")), None)
    return undergoer(t)


def _acting(t: Token) -> Token | None:
    return noun_owner(t) if t.pos_ == "NOUN" else doer(t)


def _phys(t: Token, ctx: Context) -> bool:
    """A bodily attack, not one in words, on a pitch or on a market."""
    if ctx.sport() or any(lemma(c) in _FIGURATIVE for c in t.children):
        return False
    if t.pos_ == "NOUN" and any(lower(c) in ("9/11", "sept.", "sept", "september") for c in under(t, 8)):
        return False  # the attacks of 2001, told as an age and not as news
    if ctx.here.get("casualty", 0):
        return True
    obj, subj = _acted_on(t), _acting(t)
    if t.pos_ == "VERB" and subj is not None and subj.ent_type_ == "PERSON" and not ctx.here.get("casualty", 0):
        if obj is None or not classes(obj) & {"building", "territory", "protester", "police", "military"}:
            return False  # one named person attacks another in words
    if t.pos_ == "VERB" and obj is None and subj is not None and not is_passive(t) and subj.pos_ == "PROPN":
        if subj.ent_type_ not in _POLITY and not classes(subj) & {"military", "rebel", "police", "protester"}:
            return False  # "United attacked and shot past the keeper"
    if ctx.here.get("conflict", 0) > 1:
        return True
    kinds = (classes(obj) if obj is not None else frozenset()) | (classes(subj) if subj is not None else frozenset())
    if kinds & {"military", "rebel", "police", "building", "territory", "protester"}:
        return not ctx.verbal()
    named = obj is not None and bool(classes(obj) & {"entity", "person", "organisation"})
    return (is_passive(t) or not named) and not ctx.verbal() and not ctx.here.get("business", 0)


def _killnoun(t: Token, ctx: Context) -> bool:
    if ctx.disaster() or ctx.here.get("historic", 0):
        return False
    return (
        bool(list(prepositions(t)))
        or noun_owner(t) is not None
        or ctx.here.get("conflict", 0) > 1
        or t.dep_ in ("nsubj", "dobj", "nsubjpass")
    )


def _violentagent(t: Token, ctx: Context) -> bool:
    who = doer(t)
    if who is not None and classes(who) & {
        "police",
        "military",
        "rebel",
        "protester",
        "government",
        "entity",
        "civilian",
    }:
        return not ctx.disaster()
    return ctx.violent() and ctx.here.get("disaster", 0) == 0


def _political(t: Token, ctx: Context) -> bool:
    if ctx.sport():
        return False
    sides = [x for x in (_acting(t), _acted_on(t)) if x is not None]
    if any(classes(x) & STRONG for x in sides):
        return True
    return any(x.ent_type_ == "PERSON" or "person" in classes(x) for x in sides) and not ctx.here.get("business", 0)


def _armedfight(t: Token, ctx: Context) -> bool:
    if ctx.sport() or ctx.verbal():
        return False
    sides = [
        x
        for x in (_acting(t), undergoer(t), *(o for p, o in prepositions(t) if p in ("with", "against")))
        if x is not None
    ]
    return any(classes(x) & {"military", "rebel", "police"} for x in sides) and ctx.here.get("conflict", 0) > 0


def _saidprotest(t: Token, ctx: Context) -> bool:
    """To protest in words: with a clause, or a spokesman's protest."""
    if any(c.dep_ == "ccomp" for c in t.children):
        return True
    who = _acting(t)
    return who is not None and not classes(who) & {"protester", "civilian"} and bool(children(t, "dobj"))


def _public(t: Token, ctx: Context) -> bool:
    """Said or done by a side of public life: a state, an office, a force, an organisation, a named person."""
    who = _acting(t)
    if who is None:
        return is_passive(t)
    if ctx.sport():
        return False
    if classes(who) & STRONG or "protester" in classes(who) or who.ent_type_ == "PERSON":
        return True
    return lower(who) in ("he", "she", "they", "it", "who") and any(classes(w) & STRONG for w in sentence(t))


def _question(t: Token, ctx: Context) -> bool:
    """ "asked whether", "was asked how"."""
    words = {lower(w) for x in children(t, "ccomp") for w in x.children}
    return bool(words & {"whether", "if", "how", "why", "what", "when", "who"})


def _must(t: Token, ctx: Context) -> bool:
    """To insist on something, or that somebody do it: not that something is so."""
    if any(p == "on" for p, _ in prepositions(t)):
        return True
    return any(x.tag_ == "VB" or any(lower(a) in ("must", "should") for a in x.children) for x in children(t, "ccomp"))


def _poll(t: Token, ctx: Context) -> bool:
    """Answers of voters: "52 percent agreed"."""
    who = _acting(t)
    return who is not None and (
        lemma(who) in ("percent", "voter", "majority", "percentage") or who.ent_type_ == "PERCENT"
    )


def _opinion(t: Token) -> bool:
    """To agree *that* something is so: an opinion, unless states or armed sides agree that something shall be."""
    if not children(t, "ccomp") or children(t, "xcomp", "dobj"):
        return False
    who = _acting(t)
    return who is None or not (who.ent_type_ in _POLITY or classes(who) & {"military", "rebel", "government"})


def _offering(t: Token, ctx: Context) -> bool:
    """An offer between sides: of aid, talks, troops, concessions, or to do something."""
    if children(t, "xcomp"):
        return True
    given = undergoer(t)
    if given is None:
        return False
    return bool(classes(given) & {"aid", "talks", "military", "weapon", "agreement", "demand"}) or lemma(given) in (
        "concession",
        "refuge",
        "amnesty",
        "mediation",
        "truce",
        "ceasefire",
        "reward",
        "help",
        "support",
        "cooperation",
    )


def _warnverb(t: Token, ctx: Context) -> bool:
    """A warning that threatens a consequence of the speaker's own side."""
    who = _acting(t)
    if who is None or not classes(who) & {"government", "rebel", "military", "police", "entity"}:
        return False
    words = {lemma(w) for c in children(t, "ccomp") for w in [c, *c.children]}
    return bool(words & {"will", "would", "wo", "shall", "tolerate", "retaliate", "face", "consequence"}) or _has(
        t,
        frozenset(
            {"consequence", "consequences", "retaliation", "war", "sanctions", "action", "reprisal", "reprisals"}
        ),
    )


_FIGURATIVE = word_lists("words.txt")["figurative"]
_ABSTRACT = word_lists("words.txt")["unarrestable"]
_OFFERED = word_lists("words.txt")["offered"]
_SILENT = word_lists("words.txt")["silent"]
_CONFLICT = word_lists("words.txt")["threatened"]


def _ready(t: Token, ctx: Context) -> bool:
    """ "is ready to talk" of a public side; not "she holds a maize, ready to sell it"."""
    if not children(t, "xcomp") or t.head.pos_ not in ("AUX", "VERB"):
        return False
    if t.dep_ in ("advcl", "amod", "acl") or (t.head.pos_ == "VERB" and children(t.head, "dobj")):
        return False
    return any(classes(s) & POLITICAL or lower(s) in ("he", "she", "it", "they") for s in children(t.head, "nsubj"))


def _chargeverb(t: Token, ctx: Context) -> bool:
    """To charge somebody with a wrong, not a phone with a cable."""
    whom = undergoer(t)
    if whom is None or not is_human(whom):
        return False
    things = [whom, *(x for p, x in prepositions(t) if p in ("with", "via", "from"))]
    return not any(x.ent_type_ == "PRODUCT" or lemma(x) in _CHARGED or lower(x) in _CHARGED for x in things)


def _guest(t: Token, ctx: Context) -> bool:
    """A side of public life receives somebody: not a letter, a call, a share of a revenue."""
    met = children(t, "nsubjpass") if is_passive(t) else children(t, "dobj")
    if not met or met[0].pos_ == "NUM" or met[0].ent_type_ in _MEASURES:
        return False
    if not classes(met[0]) & {"government", "person", "rebel", "military", "protester"} and met[0].ent_type_ != "GPE":
        return lower(met[0]) in ("him", "her", "them") and _named_side(grammatical_subject(t))
    host = _agent(t) if is_passive(t) else grammatical_subject(t)
    return host is None or _named_side(host)


def _agent(v: Token) -> Token | None:
    return next((o for c in children(v, "agent") for o in children(c, "pobj")), None)


def _named_side(who: Token | None) -> bool:
    """A state, an office, a force, or a person by name or pronoun."""
    if who is None:
        return False
    return bool(classes(who) & STRONG) or who.ent_type_ == "PERSON" or lower(who) in ("he", "she", "they", "who", "we")


def _authority(t: Token, ctx: Context) -> bool:
    """Allowed by a side that could have forbidden it: a method, a telescope or an app only makes it possible."""
    if any(lemma(x) in _ENABLED for x in children(t, "xcomp", "ccomp")):
        return False
    who = doer(t)
    if who is None:
        return True
    if any(c.isdigit() for c in who.text) or who.ent_type_ in ("PRODUCT", "WORK_OF_ART", "LAW"):
        return False
    return bool(who.ent_type_) or bool(classes(who) - {"entity"})


def _captive(t: Token, ctx: Context) -> bool:
    """Somebody set free, not a product or a report put out."""
    whom = undergoer(t)
    if whom is None or classes(whom) & {"civilian", "military", "hostage", "government", "rebel", "police", "person"}:
        return whom is None or whom.ent_type_ not in ("PRODUCT", "WORK_OF_ART")
    return bool(ctx.words & _CAPTIVITY)


_CHARGED = word_lists("words.txt")["charged"]
_MEASURES = frozenset({"PERCENT", "MONEY", "QUANTITY", "CARDINAL", "DATE", "TIME"})
_ENABLED = word_lists("words.txt")["enabled"]
_CAPTIVITY = word_lists("words.txt")["captivity"]


def _threatverb(t: Token, ctx: Context) -> bool:
    who = _acting(t)
    return who is not None and is_human(who)


def _violencenoun(t: Token, ctx: Context) -> bool:
    if ctx.disaster() or _has(t, frozenset({"domestic", "gun", "media", "film"})):
        return False
    return t.dep_ in ("nsubj", "nsubjpass", "ROOT") or any(
        lemma(c) in ("communal", "sectarian", "ethnic", "mob", "deadly", "political", "fresh") for c in t.children
    )


def _requestnoun(t: Token, ctx: Context) -> bool:
    return t.dep_ in ("dobj", "nsubj", "nsubjpass", "ROOT") and (noun_owner(t) is not None or t.dep_ == "nsubjpass")


def _agreenoun(t: Token, ctx: Context) -> bool:
    if not _political_noun(t, ctx):
        return False
    return (
        t.dep_ == "ROOT" or t.dep_ == "nsubj" or lemma(t.head) in {"reach", "near", "strike", "announce", "part"}
    ) and (any(p in ("to", "on", "between", "with") for p, _ in prepositions(t)) or bool(children(t, "acl", "relcl")))


def _political_noun(t: Token, ctx: Context) -> bool:
    if ctx.sport():
        return False
    near = [w for w in sentence(t) if w.ent_type_ in _POLITY or classes(w) & {"government", "military", "rebel"}]
    return bool(near) and not ctx.here.get("business", 0)


def _curfew(t: Token, ctx: Context) -> bool:
    return (
        lemma(t.head)
        in {"impose", "clamp", "declare", "enforce", "continue", "remain", "reimpose", "order", "announce", "place"}
        or t.dep_ == "ROOT"
        or (t.dep_ == "pobj" and lower(t.head) == "under")
    )


def _arrestnoun(t: Token, ctx: Context) -> bool:
    if t.dep_ == "compound" or any(lower(c) in ("house", "cardiac") for c in t.children):
        return any(lower(c) == "house" for c in t.children)
    return (
        bool([o for p, o in prepositions(t) if p in ("of", "by")])
        or noun_owner(t) is not None
        or t.tag_ == "NNS"
        or lemma(t.head) in {"make", "lead", "follow"}
    )


def _arrestverb(t: Token, ctx: Context) -> bool:
    """To arrest somebody, not a decline or a situation."""
    whom = undergoer(t)
    if whom is None or is_human(whom) or whom.pos_ in ("PROPN", "PRON", "NUM"):
        return True
    return lemma(whom) not in _ABSTRACT and not classes(whom)


def _suspectverb(t: Token, ctx: Context) -> bool:
    return any(p == "of" for p, _ in prepositions(t)) and t.dep_ in ("ROOT", "ccomp", "conj")


def _strike_target(t: Token, ctx: Context) -> bool:
    if not ctx.here.get("conflict", 0) or _has(
        t, frozenset({"hunger", "general", "worker", "union", "labor", "labour"})
    ):
        return False
    return any(
        p in ("on", "against", "in") and classes(o) & {"territory", "building", "rebel", "military", "entity"}
        for p, o in prepositions(t)
    )


def _bomb(t: Token, ctx: Context) -> bool:
    if t.dep_ == "compound" or ctx.disaster() or any(lemma(h) in _UNUSED for h in [*above(t)][:3]):
        return False
    return t.dep_ in ("nsubj", "nsubjpass", "pobj", "ROOT") and any(
        c.dep_ in ("compound", "amod", "relcl", "acl") for c in t.children
    )


_UNUSED = word_lists("words.txt")["unused"]


def _claimverb(t: Token, ctx: Context) -> bool:
    return bool(ctx.here.get("conflict", 0) or ctx.here.get("casualty", 0)) and _has(
        t, frozenset({"responsibility", "credit"})
    )


def _protestnoun(t: Token, ctx: Context) -> bool:
    if t.dep_ in ("compound", "amod") or (lower(t) == "march" and t.is_title and t.ent_type_ == "DATE"):
        return False
    if lemma(t) == "march" and any(c.like_num for c in t.children):
        return False
    if t.nbor(1).like_num if t.i + 1 < len(t.doc) and lemma(t) == "march" else False:
        return False
    who = noun_owner(t)
    return (
        t.dep_ in ("nsubj", "nsubjpass", "dobj", "ROOT", "conj", "attr")
        or who is not None
        or lower(t.head) in ("during", "in", "at", "of", "after", "amid")
    )


_GATHERINGS = frozenset(
    {"rally", "march", "jatha", "yatra", "vigil", "dharna", "bandh", "picket", "walkout", "procession"}
)


def _protestobj(t: Token, ctx: Context) -> bool:
    """A protest that is held: not a candidate's rally."""
    if ctx.sport():
        return False
    held = [*children(t, "dobj", "nsubjpass", "attr"), *(o for _, o in prepositions(t))]
    found = [o for o in held if "protestword" in classes(o) or lemma(o) in _GATHERINGS]
    if not found:
        return False
    who = _acting(t)
    campaign = ctx.around.get("verbal", 0) >= 2 or (who is not None and who.ent_type_ == "PERSON")
    return not (campaign and all(lemma(o) == "rally" for o in found))


def _talknoun(t: Token, ctx: Context) -> bool:
    if not _political_noun(t, ctx):
        return False
    return (
        any(p in ("between", "with") for p, _ in prepositions(t)) and t.dep_ in ("nsubj", "ROOT", "dobj", "nsubjpass")
    ) or lemma(t.head) in {"hold", "begin", "resume", "have"}


def _visitverb(t: Token, ctx: Context) -> bool:
    who = _acting(t)
    return (
        who is not None
        and bool(classes(who) & {"government", "entity"})
        and not (classes(who) & {"protester"} and not classes(who) & {"government"})
    )


def _crit(t: Token, ctx: Context) -> bool:
    who, to = doer(t), undergoer(t)
    if ctx.sport():
        return False
    if lemma(t) in {"slam", "blast", "rap", "assail"}:
        people = {"government", "entity", "organisation", "person"}
        return (
            who is not None
            and bool(classes(who) & people)
            and to is not None
            and bool(classes(to) & (people | {"abstract"}))
            and not ctx.here.get("casualty", 0)
        )
    return who is None or is_human(who)


NAMED: dict[str, Callable[[Token, Context], bool]] = {
    "phys": _phys,
    "business": lambda t, c: (
        c.here.get("business", 0) > 0 or c.words & {"inflation", "prices", "profits", "markets"} != set()
    ),
    "named": lambda t, c: bool(children(t, "oprd", "attr")) or len(children(t, "dobj", "ccomp")) > 0,
    "physnoun": lambda t, c: (
        t.dep_ not in ("compound",)
        and _phys(t, c)
        and not (c.verbal() or c.here.get("historic", 0))
        and (c.here.get("conflict", 0) > 0)
    ),
    "violent": lambda t, c: (
        not c.disaster() and not c.sport() and (c.here.get("conflict", 0) + c.around.get("conflict", 0) > 0)
    ),
    "violentstrong": lambda t, c: c.violent() and c.here.get("conflict", 0) > 0 and not c.sport(),
    "violentagent": _violentagent,
    "sport": lambda t, c: c.sport(),
    "comp": lambda t, c: any(x.dep_ in ("xcomp", "ccomp") for x in t.children),
    "noobj": lambda t, c: not children(t, "dobj"),
    "passive": lambda t, c: is_passive(t),
    "subjhuman": lambda t, c: (s := (undergoer(t) if is_passive(t) else doer(t))) is not None and is_human(s),
    "political": lambda t, c: _political_noun(t, c) if t.pos_ == "NOUN" else _political(t, c),
    "politicalobj": lambda t, c: any(x.dep_ in ("xcomp", "ccomp", "dobj") for x in t.children) and _political(t, c),
    "politicalstep": lambda t, c: _has(
        t, frozenset({"freedom", "freedoms", "reform", "reforms", "democracy", "openness", "right", "rights"})
    ),
    "recogniselaw": lambda t, c: (
        _has(t, frozenset({"recognizing", "recognising", "amnesty", "reform", "autonomy", "easing"}))
        or any(lemma(w) in ("recognize", "recognise") for w in under(t, 20))
    ),
    "never": lambda t, c: False,
    "killnoun": _killnoun,
    "armedfight": _armedfight,
    "battlenoun": lambda t, c: (
        t.dep_ in ("nsubj", "ROOT") and c.here.get("conflict", 0) > 1 and not c.verbal() and not c.sport()
    ),
    "violencenoun": _violencenoun,
    "policefiring": lambda t, c: bool(c.words & {"police", "army", "troops", "forces", "rounds", "mob", "mobs"}),
    "lightobj": lambda t, c: bool(children(t, "dobj", "nsubjpass")) or is_passive(t),
    "saidprotest": _saidprotest,
    "warnverb": _warnverb,
    "threatverb": _threatverb,
    "threatnoun": lambda t, c: (
        t.dep_ in ("dobj", "nsubj") and noun_owner(t) is not None and any(x.dep_ == "acl" for x in t.children)
    ),
    "vowconflict": lambda t, c: any(
        lemma(w) in _CONFLICT for x in children(t, "xcomp", "ccomp") for w in [x, *x.children]
    ),
    "requestnoun": _requestnoun,
    "summonverb": lambda t, c: (
        (o := undergoer(t)) is not None
        and is_human(o)
        and not any(lemma(w) in ("complain", "protest") for w in under(t, 15))
    ),
    "criticverb": _crit,
    "chargeverb": _chargeverb,
    "guest": _guest,
    "authority": _authority,
    "captive": _captive,
    "suspectverb": _suspectverb,
    "claimverb": _claimverb,
    "allegenoun": lambda t, c: t.dep_ in ("nsubj", "ROOT") and noun_owner(t) is not None,
    "investnoun": lambda t, c: t.dep_ in ("nsubj", "nsubjpass", "ROOT", "dobj"),
    "rejectnoun": lambda t, c: t.dep_ in ("nsubj", "ROOT") and noun_owner(t) is not None,
    "agreeverb": lambda t, c: (
        (
            bool(children(t, "dobj"))
            or any(x.dep_ in ("xcomp", "ccomp") for x in t.children)
            or any(p in ("to", "on", "upon") for p, _ in prepositions(t))
            or is_passive(t)
        )
        and (_political(t, c) or _political_noun(t, c))
    ),
    "agreenoun": _agreenoun,
    "acceptverb": lambda t, c: _political(t, c) and not _has(t, frozenset({"demand", "demands"})),
    "acceptdemand": lambda t, c: _has(t, frozenset({"demand", "demands"})),
    "refusal": lambda t, c: not any(lemma(x) in _SILENT for x in children(t, "xcomp")),
    "opinion": lambda t, c: _opinion(t),
    "told": lambda t, c: any(x.dep_ in ("dobj", "ccomp", "xcomp", "prep", "nsubjpass") for x in t.children),
    "active": lambda t, c: not is_passive(t),
    "incite": lambda t, c: lemma(t.head) in ("incite", "condemn", "denounce", "end", "stop", "reduce", "fear", "risk"),
    "question": _question,
    "must": _must,
    "offering": _offering,
    "poll": _poll,
    "negready": lambda t, c: any(x.dep_ == "neg" for x in [*t.children, *t.head.children]) and NAMED["readyadj"](t, c),
    "public": _public,
    "readyconflict": lambda t, c: any(lemma(w) in _CONFLICT for x in children(t, "xcomp") for w in [x]),
    "readyadj": _ready,
    "talknoun": _talknoun,
    "meetnoun": lambda t, c: (
        _political_noun(t, c)
        and (
            any(p in ("between", "with") for p, _ in prepositions(t))
            and t.dep_ in ("nsubj", "dobj", "ROOT", "nsubjpass")
        )
    ),
    "visitnoun": lambda t, c: (
        _political_noun(t, c)
        and noun_owner(t) is not None
        and any(p == "to" for p, _ in prepositions(t))
        and t.dep_ in ("nsubj", "ROOT", "dobj")
    ),
    "visitverb": _visitverb,
    "consultobj": lambda t, c: _political(t, c) or _political_noun(t, c),
    "aidverb": lambda t, c: (
        not c.sport() and not c.here.get("business", 0) and (_political(t, c) or doer(t) is not None)
    ),
    "alleged": lambda t, c: False,
    "rallyverb": lambda t, c: not c.sport() and not c.here.get("business", 0),
    "military": lambda t, c: (s := doer(t)) is not None and "military" in classes(s),
    "protestobj": _protestobj,
    "protestcontext": lambda t, c: c.here.get("protestctx", 0) > 0 and not c.sport(),
    "protestnoun": _protestnoun,
    "protestrally": lambda t, c: _protestnoun(t, c) and c.here.get("protestctx", 0) > 1 and not c.verbal(),
    "riotnoun": lambda t, c: (
        t.dep_ in ("nsubj", "nsubjpass", "ROOT", "conj", "dobj")
        or (t.dep_ == "pobj" and lower(t.head) in ("in", "during", "by"))
    ),
    "negstrike": lambda t, c: lemma(t) in ("call",) and particle(t, "off"),
    "territorial": lambda t, c: any(classes(w) & {"territory", "building", "entity"} for w in under(t, 20)),
    "weaponnear": lambda t, c: any("weapon" in classes(w) for w in sentence(t)),
    "weaponfind": lambda t, c: not c.disaster(),
    "militarybase": lambda t, c: bool(
        c.words
        & {"military", "army", "forces", "troops", "turkish", "soldiers", "force", "militants", "fighters", "rebels"}
    ),
    "curfewnoun": _curfew,
    "ceasefirenoun": lambda t, c: (
        t.dep_ == "nsubj" and lemma(t.head) in ("take", "hold", "begin", "enter", "come", "start")
    ),
    "resignnoun": lambda t, c: (
        t.dep_ in ("nsubj", "dobj") and lemma(t.head) in ("announce", "submit", "tender", "hand", "accept")
    ),
    "sanctionnoun": lambda t, c: (
        t.dep_ in ("nsubj", "nsubjpass", "ROOT") and any(p in ("on", "against") for p, _ in prepositions(t))
    ),
    "bombnoun": _bomb,
    "arrestnoun": _arrestnoun,
    "arrestverb": _arrestverb,
    "striketarget": _strike_target,
}


_CARRIERS = frozenset({"campaign", "raid", "attack", "operation", "spree", "wave", "incident", "attempt", "plot"})
_GENERIC = frozenset({"you", "anyone", "everyone", "someone", "anybody", "nobody", "one"})
_NO_SIDE = frozenset({"animal"})
_MANDATED = frozenset({"task", "charge", "entrust"})
_DESCRIBED_BY = frozenset({"person", "civilian"})
_DONE_TO = frozenset({"force", "demand"})


def holds(rule: Rule, t: Token, ctx: Context) -> bool:
    """Whether every condition of a rule is met by a word."""
    traits = rule.of.traits
    if ctx.disaster() and (not ctx.here.get("conflict", 0) or "physical" not in traits):
        return False  # accidents and disasters: even their inquiries and evacuations are no political events
    if t.dep_ in ("compound", "amod", "nmod") and rule.kind == "n" and lemma(t.head) not in _CARRIERS:
        return False  # "protest song", "fighting force"
    if t.dep_ == "pcomp" and lower(t.head) == "with" and lemma(t.head.head) in _MANDATED:
        return False  # "the coalition tasked with fighting …"
    if (
        rule.kind == "v"
        and t.dep_ == "amod"
        and classes(t.head) & _DESCRIBED_BY
        and t.head.dep_ in ("poss", "compound")
    ):
        return False  # "a displaced persons' camp"
    if rule.kind == "v" and any(lower(x) in _GENERIC for x in (doer(t), undergoer(t)) if x is not None):
        return False  # "you get shot"
    if rule.kind == "v" and traits & _DONE_TO:
        who, whom = doer(t), undergoer(t)
        if who is not None and classes(who) & (_NO_SIDE | {"trade"}) and "demand" not in traits:
            return False  # "a shark attacked", "retailers are raiding the high street"
        if any(x is not None and "work" in classes(x) for x in (who, whom)):
            return False  # "murdered the song", "the recipe calls for"
    if "described_only" in traits and t.pos_ == "VERB" and t.dep_ in ("acl", "amod") and t.tag_ in ("VBN", "VBG"):
        return False  # "backed by", "accused of", "calling for" only describe a side
    return all(_one(name, values, t, ctx) != negated for name, values, negated in rule.conditions)


def _one(name: str, values: frozenset[str], t: Token, ctx: Context) -> bool:
    if name == "obj":
        return _in(_acted_on(t), values)
    if name == "subj":
        return _in(_acting(t), values)
    if name == "has":
        return _has(t, values)
    if name == "prt":
        return any(particle(t, v) for v in values)
    if name == "prep":
        return any(p in values and o.ent_type_ not in ("DATE", "TIME") for p, o in prepositions(t))
    return NAMED[name](t, ctx)
