"""Which of the pieces found are worth a row: the chance each needs, by what kind of evidence it rests on.

The tagger learnt from texts whose annotators marked every attitude of everybody; in other news the same words are no
statement. So the weaker the signs (no known cue, no clause, no speaker), the surer the models must be. The numbers
were set by hand on training texts that the tagger had not seen, on the world dev texts and on our own passages.
"""

from __future__ import annotations

from tasks.extract.quotes.asides import aside_at, breaks_clause
from tasks.extract.quotes.frame import hashes, is_in
from tasks.extract.quotes.spans import Piece
from tasks.extract.quotes.speakers import Cue, Scene

NEEDED = 0.25
NO_CLAUSE = 0.5
"""Told, without a subject in it and without a known cue: "displays his victim's body"."""
NO_SPEAKER = 0.5
NOT_CLAUSE_NOR_SPEAKER = 0.6
"""Told, or marked in part, with neither: "The dish" is known as "golden rice" along the coast."""
LONE_PRONOUN = 0.6
LONE_PERSON = 0.8
"""The same for "who", "what", "he": far more often the subject of the saying than what was said."""
BROKEN = 0.15
"""The other half of a clause that its cue breaks: what the surer half says needs it."""
NEVER = 2.0
FEW = 0.2
"""Share of words in marks below which these are a name or a term in what is told."""
MOST = 0.5
"""Share of words in marks from which a stretch is speech even without a known cue."""
LONG = 6
"""Words from which a stretch in marks is speech, not a title or a scare quote."""
ALL_MARKED = 0.9
ANCHOR = 0.8
"""In a text where nothing is said this surely, only clauses and quoted words after a known cue count."""

_SEEMING = frozenset(hashes("seem", "appear", "look", "sound").tolist())
_SEEN = frozenset(hashes("view", "regard", "deem").tolist())
_NAMING = frozenset(hashes("call", "dub", "know", "term", "name", "nickname", "title", "entitle").tolist())
_DASHES = "—―–-"
_SIGNS = ("accord", ":")  # they attribute without being words of the lexicon: "according to", "SMITH:"
_PRONOUNS = frozenset(("who", "what", "which", "he", "she", "it", "they", "that", "this"))


def is_told(scene: Scene, pieces: list[Piece]) -> bool:
    """Whether no word of it stands in quotation marks, or so few that they are a name or a term in it."""
    return marked_share(scene, pieces) < FEW


def marked_share(scene: Scene, pieces: list[Piece]) -> float:
    """Share of its words that stand in quotation marks."""
    f = scene.frame
    words = sum(int(f.is_word[p.lo : p.hi].sum()) for p in pieces)
    marked = sum(int((f.is_word[p.lo : p.hi] & (f.quote[p.lo : p.hi] >= 0)).sum()) for p in pieces)
    return marked / max(words, 1)


def has_known_cue(scene: Scene, cue: Cue | None) -> bool:
    if cue is None:
        return False
    lemmas = scene.frame.lemma[cue.lo : cue.hi]
    dash = scene.frame.text[scene.frame.end[cue.hi - 1] - 1] in _DASHES
    return dash or bool((scene.frame.cue[cue.lo : cue.hi] > 0).any() or is_in(lemmas, hashes(*_SIGNS)).any())


def has_clause(scene: Scene, piece: Piece) -> bool:
    """Whether it holds a verb with its subject; a subject alone ("The dish", is known as) is no clause."""
    f = scene.frame
    subject = is_in(f.dep[piece.lo : piece.hi], hashes("nsubj", "nsubjpass", "csubj", "expl"))
    head = f.head[piece.lo : piece.hi]
    return bool((subject & (head >= piece.lo) & (head < piece.hi)).any())


def is_broken(scene: Scene, piece: Piece, cue: Cue | None) -> bool:
    """Whether it is one half of a clause that its cue breaks: "The river, farmers say, has not been so low"."""
    a = aside_at(scene.frame, cue.main) if cue is not None else None
    if a is None or not breaks_clause(scene.frame, a):
        return False
    before = a.first <= piece.lo and a.lo - 2 <= piece.hi <= a.lo
    return before or (a.hi <= piece.lo <= a.hi + 2 and piece.hi <= a.last)


def is_anchor(scene: Scene, pieces: list[Piece], cue: Cue | None, confidence: float) -> bool:
    """Whether this is so surely said that the text is one in which people speak."""
    full = not is_told(scene, pieces) or has_clause(scene, pieces[0]) or is_broken(scene, pieces[0], cue)
    return confidence >= ANCHOR and full and has_known_cue(scene, cue)


def needed(
    scene: Scene,
    pieces: list[Piece],
    cue: Cue | None,
    speaker: int | None,
    *,
    anchored: bool,
) -> float:
    """The chance that a quote needs to become a row; above 1 if none is enough."""
    f, first = scene.frame, pieces[0]
    told, known = is_told(scene, pieces), has_known_cue(scene, cue)
    broken = is_broken(scene, first, cue)
    clause = broken or has_clause(scene, first)
    need = BROKEN if broken else NEEDED
    if told and not known and not clause:
        need = NO_CLAUSE
    if told and speaker is None:
        need = max(need, NO_SPEAKER)
    share = marked_share(scene, pieces)
    if speaker is None and not clause and share < ALL_MARKED:
        need = max(need, NOT_CLAUSE_NOR_SPEAKER)
    if first.hi - first.lo == 1 and f.words[first.lo] in _PRONOUNS:
        need = max(need, LONE_PRONOUN if f.words[first.lo] in ("which", "it", "that", "this") else LONE_PERSON)
    if told and speaker is not None:
        need = NEVER if _tells_nothing(scene, speaker, cue) else need
    if speaker is None and _is_term(scene, pieces, cue):
        need = NEVER
    if told and not clause and cue is not None and f.words[cue.main] == ":":
        need = max(need, NO_CLAUSE)  # "Ann Lee: possession of a knife", a line of a list
    if _label_before_colon(scene, cue, speaker) or (told and speaker is None and _of_nobody(scene, first, cue, clause)):
        need = NEVER
    speech = share >= MOST and first.hi - first.lo >= LONG
    if not (anchored or speech or (known and (clause or not told))):
        need = NEVER
    return need


def _is_term(scene: Scene, pieces: list[Piece], cue: Cue | None) -> bool:
    """Whether it is what a thing is called: "this is known as “pigeon breeder’s lung”"."""
    f = scene.frame
    if cue is None or int(f.lemma[cue.main]) not in _NAMING or f.tag[cue.main] != hashes("VBN")[0]:
        return False
    lo, hi = pieces[0].lo, pieces[0].hi
    words = (f.is_word[lo:hi] & (f.quote[lo:hi] >= 0)).sum() or hi - lo
    return len(pieces) == 1 and words < LONG and lo >= cue.hi and not has_clause(scene, pieces[0])


def _tells_nothing(scene: Scene, speaker: int, cue: Cue | None) -> bool:
    """ "No one knows how it ends", "it would seem that": nobody says it."""
    f, x = scene.frame, scene.mentions[speaker]
    word = f.words[x.head]
    if cue is not None and f.words[max(cue.main - 2, 0) : cue.main + 1] in (["not", "to", "say"], ["is", "to", "say"]):
        return True  # "which is not to say that"
    seems = word == "it" and cue is not None and int(f.lemma[cue.main]) in _SEEMING
    return seems or word in ("nobody", "none", "nothing") or f.words[x.lo : x.lo + 2] == ["no", "one"]


def _of_nobody(scene: Scene, piece: Piece, cue: Cue | None, clause: bool) -> bool:
    """Told by nobody: without any cue ("the promise of 300 jobs"), or the bare subject of a passive ("talks on one are
    expected", "the minister was told")."""
    if cue is None:
        return True
    f = scene.frame
    if f.tag[cue.main] == hashes("VB")[0] and (cue.main == 0 or f.sent[cue.main - 1] != f.sent[cue.main]):
        return True  # "Expect the senator to have a new plan"
    near = slice(max(cue.main - 12, 0), cue.main + 12)
    kids = f.dep[near][f.head[near] == cue.main]
    if int(f.lemma[cue.main]) in _SEEN and (kids == hashes("auxpass")[0]).any():
        return True  # "he is viewed as a potential successor"
    passive = is_in(kids, hashes("auxpass", "nsubjpass")).any() and not (kids == hashes("agent")[0]).any()
    return bool(passive) and not clause and piece.hi <= cue.lo


def _label_before_colon(scene: Scene, cue: Cue | None, speaker: int | None) -> bool:
    """ "Cover image: …", "Laos poisonings: …": a colon speaks only after a name or a word in capitals."""
    f = scene.frame
    if cue is None or cue.hi - cue.lo != 1 or f.text[f.start[cue.lo] : f.end[cue.lo]] != ":":
        return False
    if speaker is None:
        return True
    x = scene.mentions[speaker]
    return not x.ent and not f.text[f.start[x.lo] : f.end[x.hi - 1]].isupper()
