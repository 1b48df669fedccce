"""A parsed article -> its quotes and sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tasks import tables
from tasks.extract.quotes.asides import aside_at, breaks_clause
from tasks.extract.quotes.calibrate import evidence
from tasks.extract.quotes.chains import inner_statements, linked
from tasks.extract.quotes.crf import F64, best_labels
from tasks.extract.quotes.features import token_features
from tasks.extract.quotes.frame import I64, Frame, build_frame, hashes
from tasks.extract.quotes.judge import is_anchor, needed
from tasks.extract.quotes.lexicon import cue_classes, stance_contexts
from tasks.extract.quotes.mend import mend
from tasks.extract.quotes.models import Models, load_models
from tasks.extract.quotes.net import SHARE, scores_of
from tasks.extract.quotes.spans import Piece, char_span, find_pieces
from tasks.extract.quotes.speakers import (
    Cue,
    Scene,
    cue_of,
    find_cues,
    rank,
    speaker_tokens,
)
from tasks.extract.sources.identity import Cast, Entity, cast_of
from tasks.extract.sources.mentions import find_mentions
from tasks.extract.sources.rows import source_rows
from tasks.extract.tokens import read_tokens

LANGUAGES = ("en", None)
BEGIN_BIAS = 0.7
"""Added to the score of every beginning, so that doubtful pieces come up for judgement."""
BIAS = np.array([0.0, BEGIN_BIAS, 0.0, 0.0, 0.0, 0.0, BEGIN_BIAS])  # of the labels O B I U S E W, see corpus.py
COARSE = np.array([0, 1, 2, 3, 4, 2, 1])
"""Of each of the tagger's labels the one that the rest of the code knows."""


@dataclass(slots=True, kw_only=True)
class Said:
    """A quote in the making: its pieces, cue and speaking mention."""

    pieces: list[Piece]
    cue: Cue | None
    speaker: int | None  # index of the mention
    named_by: tuple[int, int] | None  # tokens of the words that name it
    speaker_chance: float
    evidence: dict[str, float]
    confidence: float


def find_quotes(doc: Any, article: tables.Article) -> tuple[list[tables.Quote], list[tables.Source]]:
    """Quotes of a parsed article in the order of the text, and a row for every source that has one.

    `doc` is the parse of `article.text`. `quote_group` stays None: it is set over many articles. A text in a language
    that the models do not know gives none. Raises ValueError if doc and article differ.
    """
    doc = read_tokens(doc)
    if doc.text != article.text:
        raise ValueError("the parse is of another text than the article")
    if article.language not in LANGUAGES:
        return [], []
    models = load_models()
    frame = build_frame(doc)
    if not len(frame):
        return [], []
    scene, said = read_scene(frame, models)
    said = [s for s in said if not _anybody(scene, s, article)]
    said = [*said, *_told_inside(scene, said)]
    speaking = [s.speaker for s in said if s.speaker is not None]
    spans = [(p.lo, p.hi) for s in said for p in s.pieces]
    cast = cast_of(frame, scene.mentions, speaking, spans)
    sources, ids = source_rows(
        frame,
        scene.mentions,
        cast,
        article.article_id,
        [(s.speaker, s.pieces) for s in said],
    )
    paragraphs = np.unique(frame.para, return_inverse=True)[1]  # number of each token's paragraph, empty ones left out
    rows = [_row(frame, s, cast, ids, article, paragraphs) for s in said]
    return linked(_unique(rows)), sources


def _anybody(scene: Scene, s: Said, article: tables.Article) -> bool:
    """Whether the speaker is the reader ("if you think …") or, told, the writer of a text without a by-line, unless
    that is a report: "I said"."""
    if s.speaker is None:
        return False
    f, i = scene.frame, scene.mentions[s.speaker].head
    if scene.mentions[s.speaker].form != "pronoun":
        return False
    if f.words[i] in _READER:
        return True
    if f.words[i] not in _WRITER or f.quote[i] >= 0 or f.quote[s.pieces[0].lo] >= 0 or len(article.authors or ()) == 1:
        return False
    return s.cue is None or int(f.lemma[s.cue.main]) not in _REPORTS


_READER = frozenset(("you", "your"))
_WRITER = frozenset(("i", "me", "my"))
_REPORTS = frozenset(hashes("say", "tell", "ask", "reply", "answer", "write", "add", "warn", "promise").tolist())


def _told_inside(scene: Scene, said: list[Said]) -> list[Said]:
    """What somebody is told to have said inside a statement of another: rows of their own, a little less sure."""
    return [
        Said(
            pieces=[piece], cue=cue, speaker=speaker, named_by=speaker_tokens(scene, speaker),
            speaker_chance=s.speaker_chance, evidence={}, confidence=0.9 * s.confidence,
        )
        for s in said
        for outer in s.pieces
        for piece, cue, speaker in inner_statements(scene, outer)
    ]  # fmt: skip


def read_scene(frame: Frame, models: Models, *, all_of_it: bool = False) -> tuple[Scene, list[Said]]:
    """The tagged text, and what is said in it by whom."""
    scene, pieces = set_scene(frame, models)
    said: list[Said] = []
    last: int | None = None
    for piece in pieces:
        cue = cue_of(scene, piece, pieces)
        if said and _continues(frame, said[-1], piece, cue):
            said[-1].pieces.append(piece)
            continue
        speaker, chance = rank(scene, piece, cue, pieces, last, models.ranker)
        last = speaker
        shown = evidence(scene, piece, cue, speaker, chance)
        said.append(
            Said(
                pieces=[piece],
                cue=cue,
                speaker=speaker,
                named_by=None if speaker is None else speaker_tokens(scene, speaker),
                speaker_chance=chance,
                evidence=shown,
                confidence=models.calibration.chance(shown),
            )
        )
    return scene, said if all_of_it else keep(scene, said)


def set_scene(frame: Frame, models: Models) -> tuple[Scene, list[Piece]]:
    """The tagged text and the pieces of it that somebody said."""
    chances = models.cues.chances(frame, models.prior)
    labels, marginals = tag(frame, models, chances)
    labels = mend(frame, labels, marginals, chances)
    pieces = find_pieces(frame, labels, marginals)
    mentions = find_mentions(frame) if pieces else []
    heads = [m.head for m in mentions]
    cues = find_cues(labels, chances)
    return Scene(
        frame=frame,
        labels=labels,
        marginals=marginals,
        chances=chances,
        mentions=mentions,
        heads=heads,
        cues=cues,
    ), pieces


def tag(frame: Frame, models: Models, chances: F64) -> tuple[I64, F64]:
    """Label (O B I U S) and marginals of every token."""
    features = token_features(frame, models.prior, chances)
    scores, moves = models.crf.scores(features), models.crf.transitions
    more = scores_of(models.net, frame, features, chances)
    if more is not None:
        scores = (1 - SHARE) * scores + SHARE * more
        moves = (1 - SHARE) * moves + SHARE * models.net.transitions
    labels, fine = best_labels(scores + BIAS, moves, frame.para)
    marginals = fine[:, :5].copy()
    for i in range(5, fine.shape[1]):
        marginals[:, COARSE[i]] += fine[:, i]
    return COARSE[labels], marginals


def keep(scene: Scene, said: list[Said]) -> list[Said]:
    """The quotes sure enough for a row."""
    anchored = any(is_anchor(scene, s.pieces, s.cue, s.confidence) for s in said)
    return [s for s in said if s.confidence >= needed(scene, s.pieces, s.cue, s.speaker, anchored=anchored)]


def _continues(frame: Frame, before: Said, piece: Piece, cue: Cue | None) -> bool:
    """ "A," she said. "B.": the same cue between both, in one paragraph, all of it in marks; or a clause that an aside
    breaks, "The river, farmers say, has not been so low"."""
    last = before.pieces[-1]
    if cue is None or cue != before.cue or len(before.pieces) > 3 or not last.hi <= cue.lo < cue.hi <= piece.lo:
        return False
    if frame.quote[last.lo] >= 0 and frame.quote[piece.lo] >= 0:
        return bool(frame.para[last.hi - 1] == frame.para[piece.lo])
    one = frame.sent[last.lo] == frame.sent[piece.lo] and (frame.quote[last.lo] < 0 and frame.quote[piece.lo] < 0)
    return bool(one) and (aside := aside_at(frame, cue.main)) is not None and breaks_clause(frame, aside)


def _row(
    frame: Frame, s: Said, cast: Cast, ids: dict[int, str], article: tables.Article, paragraphs: I64
) -> tables.Quote:
    spans = [char_span(frame, p) for p in s.pieces]
    start, end = spans[0][0], spans[-1][1]
    text = article.text
    entity = cast.of.get(s.speaker) if s.speaker is not None else None
    cue_span = (int(frame.start[s.cue.lo]), int(frame.end[s.cue.hi - 1])) if s.cue else None
    speaker_span = (int(frame.start[s.named_by[0]]), int(frame.end[s.named_by[1] - 1])) if s.named_by else None
    return tables.Quote(
        quote_id=tables.make_id("q", article.article_id, start, end),
        article_id=article.article_id,
        kind=_kind(frame, s.pieces),
        text=text[start:end],
        start=start,
        end=end,
        parts=[tables.Span(start=a, end=b) for a, b in spans] if len(spans) > 1 else [],
        cue=text[cue_span[0] : cue_span[1]] if cue_span else None,
        cue_start=cue_span[0] if cue_span else None,
        cue_end=cue_span[1] if cue_span else None,
        stance=_stance(frame, s.cue) if s.cue else None,
        speaker_text=text[speaker_span[0] : speaker_span[1]] if speaker_span else None,
        speaker_start=speaker_span[0] if speaker_span else None,
        speaker_end=speaker_span[1] if speaker_span else None,
        source_id=ids.get(id(entity)) if entity is not None else None,
        resolved_by=_how(frame, s, cast),
        via_source_id=None,
        parent_quote_id=None,
        quote_group=None,
        paragraph=int(paragraphs[s.pieces[0].lo]),
        confidence=round(s.confidence, 3),
    )


def _how(frame: Frame, s: Said, cast: Cast) -> Literal["name", "pronoun", "description", "continuation"] | None:
    if s.speaker is None:
        return None
    if s.cue is None:
        return "continuation"
    how = cast.resolved_by.get(s.speaker)
    return how if how in ("name", "pronoun", "description") else None  # type: ignore[return-value]


def _kind(frame: Frame, pieces: list[Piece]) -> Literal["direct", "indirect", "mixed"]:
    """By the share of its letters in quotation marks: nine tenths and more, none, or some."""
    letters = marked = 0
    for p in pieces:
        size = frame.end[p.lo : p.hi] - frame.start[p.lo : p.hi]
        words = frame.is_word[p.lo : p.hi]
        letters += int((size * words).sum())
        marked += int((size * words * (frame.quote[p.lo : p.hi] >= 0)).sum())
    return "indirect" if not marked else ("direct" if marked >= 0.9 * letters else "mixed")


def _stance(frame: Frame, cue: Cue) -> str:
    """Class of the cue's main word, else of the first of its words that has one; neutral for the rest. Where the class
    hangs on the words after it ("called for", "called it"), by those."""
    classes = cue_classes()
    for i in [cue.main, *range(cue.lo, cue.hi)]:
        token = frame.doc[int(frame.token[i])]
        lemma = token.lemma_.lower()
        after = set(frame.words[i + 1 : i + 3])
        contexts = stance_contexts().get(lemma, ())
        for words, with_one, _ in contexts:
            if words & after:
                return with_one
        if contexts:
            return contexts[-1][2]
        found = classes.get(lemma) or classes.get(token.lower_)
        if found:
            return found
    return "neutral"


def _unique(rows: list[tables.Quote]) -> list[tables.Quote]:
    seen: set[str] = set()
    out = []
    for r in sorted(rows, key=lambda r: (r.start, r.end)):
        if r.quote_id not in seen:
            seen.add(r.quote_id)
            out.append(r)
    return out


__all__ = ["Entity", "Said", "find_quotes", "read_scene"]
