"""The conditions of a lexicon.tsv by name: each answers whether a word, where it stands, can name its event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.extract.events.conditions_force import (
    armedfight,
    arrestnoun,
    arrestverb,
    bomb,
    captive,
    curfew,
    killnoun,
    phys,
    protestnoun,
    protestobj,
    saidprotest,
    strike_target,
    violencenoun,
    violentagent,
)
from tasks.extract.events.conditions_sides import acted_on, acting, has_under, is_of, political, political_noun
from tasks.extract.events.conditions_words import (
    agreenoun,
    asks_whether,
    authority,
    by_public_side,
    chargeverb,
    claimverb,
    crit,
    must,
    offering,
    opinion,
    poll,
    ready,
    receives,
    requestnoun,
    suspectverb,
    talknoun,
    threatverb,
    visitverb,
    warnverb,
)
from tasks.extract.events.context import Context
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.ontology import Rule
from tasks.extract.events.syntax import (
    children,
    classes,
    doer,
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
_SILENT = word_lists("words.txt")["silent"]
_CONFLICT = word_lists("words.txt")["threatened"]


NAMED: dict[str, Callable[[Token, Context], bool]] = {
    "phys": phys,
    "business": lambda t, c: (
        c.here.get("business", 0) > 0 or c.words & {"inflation", "prices", "profits", "markets"} != set()
    ),
    "named": lambda t, c: bool(children(t, "oprd", "attr")) or len(children(t, "dobj", "ccomp")) > 0,
    "physnoun": lambda t, c: (
        t.dep_ not in ("compound",)
        and phys(t, c)
        and not (c.verbal() or c.here.get("historic", 0))
        and (c.here.get("conflict", 0) > 0)
    ),
    "violent": lambda t, c: (
        not c.disaster() and not c.sport() and (c.here.get("conflict", 0) + c.around.get("conflict", 0) > 0)
    ),
    "violentstrong": lambda t, c: c.violent() and c.here.get("conflict", 0) > 0 and not c.sport(),
    "violentagent": violentagent,
    "sport": lambda t, c: c.sport(),
    "comp": lambda t, c: any(x.dep_ in ("xcomp", "ccomp") for x in t.children),
    "noobj": lambda t, c: not children(t, "dobj"),
    "passive": lambda t, c: is_passive(t),
    "subjhuman": lambda t, c: (s := (undergoer(t) if is_passive(t) else doer(t))) is not None and is_human(s),
    "political": lambda t, c: political_noun(t, c) if t.pos_ == "NOUN" else political(t, c),
    "politicalobj": lambda t, c: any(x.dep_ in ("xcomp", "ccomp", "dobj") for x in t.children) and political(t, c),
    "politicalstep": lambda t, c: has_under(
        t, frozenset({"freedom", "freedoms", "reform", "reforms", "democracy", "openness", "right", "rights"})
    ),
    "recogniselaw": lambda t, c: (
        has_under(t, frozenset({"recognizing", "recognising", "amnesty", "reform", "autonomy", "easing"}))
        or any(lemma(w) in ("recognize", "recognise") for w in under(t, 20))
    ),
    "never": lambda t, c: False,
    "killnoun": killnoun,
    "armedfight": armedfight,
    "battlenoun": lambda t, c: (
        t.dep_ in ("nsubj", "ROOT") and c.here.get("conflict", 0) > 1 and not c.verbal() and not c.sport()
    ),
    "violencenoun": violencenoun,
    "policefiring": lambda t, c: bool(c.words & {"police", "army", "troops", "forces", "rounds", "mob", "mobs"}),
    "lightobj": lambda t, c: bool(children(t, "dobj", "nsubjpass")) or is_passive(t),
    "saidprotest": saidprotest,
    "warnverb": warnverb,
    "threatverb": threatverb,
    "threatnoun": lambda t, c: (
        t.dep_ in ("dobj", "nsubj") and noun_owner(t) is not None and any(x.dep_ == "acl" for x in t.children)
    ),
    "vowconflict": lambda t, c: any(
        lemma(w) in _CONFLICT for x in children(t, "xcomp", "ccomp") for w in [x, *x.children]
    ),
    "requestnoun": requestnoun,
    "summonverb": lambda t, c: (
        (o := undergoer(t)) is not None
        and is_human(o)
        and not any(lemma(w) in ("complain", "protest") for w in under(t, 15))
    ),
    "criticverb": crit,
    "chargeverb": chargeverb,
    "guest": receives,
    "authority": authority,
    "captive": captive,
    "suspectverb": suspectverb,
    "claimverb": claimverb,
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
        and (political(t, c) or political_noun(t, c))
    ),
    "agreenoun": agreenoun,
    "acceptverb": lambda t, c: political(t, c) and not has_under(t, frozenset({"demand", "demands"})),
    "acceptdemand": lambda t, c: has_under(t, frozenset({"demand", "demands"})),
    "refusal": lambda t, c: not any(lemma(x) in _SILENT for x in children(t, "xcomp")),
    "opinion": lambda t, c: opinion(t),
    "told": lambda t, c: any(x.dep_ in ("dobj", "ccomp", "xcomp", "prep", "nsubjpass") for x in t.children),
    "active": lambda t, c: not is_passive(t),
    "incite": lambda t, c: lemma(t.head) in ("incite", "condemn", "denounce", "end", "stop", "reduce", "fear", "risk"),
    "question": asks_whether,
    "must": must,
    "offering": offering,
    "poll": poll,
    "negready": lambda t, c: any(x.dep_ == "neg" for x in [*t.children, *t.head.children]) and NAMED["readyadj"](t, c),
    "public": by_public_side,
    "readyconflict": lambda t, c: any(lemma(w) in _CONFLICT for x in children(t, "xcomp") for w in [x]),
    "readyadj": ready,
    "talknoun": talknoun,
    "meetnoun": lambda t, c: (
        political_noun(t, c)
        and (
            any(p in ("between", "with") for p, _ in prepositions(t))
            and t.dep_ in ("nsubj", "dobj", "ROOT", "nsubjpass")
        )
    ),
    "visitnoun": lambda t, c: (
        political_noun(t, c)
        and noun_owner(t) is not None
        and any(p == "to" for p, _ in prepositions(t))
        and t.dep_ in ("nsubj", "ROOT", "dobj")
    ),
    "visitverb": visitverb,
    "consultobj": lambda t, c: political(t, c) or political_noun(t, c),
    "aidverb": lambda t, c: (
        not c.sport() and not c.here.get("business", 0) and (political(t, c) or doer(t) is not None)
    ),
    "alleged": lambda t, c: False,
    "rallyverb": lambda t, c: not c.sport() and not c.here.get("business", 0),
    "military": lambda t, c: (s := doer(t)) is not None and "military" in classes(s),
    "protestobj": protestobj,
    "protestcontext": lambda t, c: c.here.get("protestctx", 0) > 0 and not c.sport(),
    "protestnoun": protestnoun,
    "protestrally": lambda t, c: protestnoun(t, c) and c.here.get("protestctx", 0) > 1 and not c.verbal(),
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
    "curfewnoun": curfew,
    "ceasefirenoun": lambda t, c: (
        t.dep_ == "nsubj" and lemma(t.head) in ("take", "hold", "begin", "enter", "come", "start")
    ),
    "resignnoun": lambda t, c: (
        t.dep_ in ("nsubj", "dobj") and lemma(t.head) in ("announce", "submit", "tender", "hand", "accept")
    ),
    "sanctionnoun": lambda t, c: (
        t.dep_ in ("nsubj", "nsubjpass", "ROOT") and any(p in ("on", "against") for p, _ in prepositions(t))
    ),
    "bombnoun": bomb,
    "arrestnoun": arrestnoun,
    "arrestverb": arrestverb,
    "striketarget": strike_target,
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
        return is_of(acted_on(t), values)
    if name == "subj":
        return is_of(acting(t), values)
    if name == "has":
        return has_under(t, values)
    if name == "prt":
        return any(particle(t, v) for v in values)
    if name == "prep":
        return any(p in values and o.ent_type_ not in ("DATE", "TIME") for p, o in prepositions(t))
    return NAMED[name](t, ctx)
