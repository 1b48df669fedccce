"""The shared language pass: one spaCy parse of an article, used for quotes, sources and events alike."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.extract.decode import Bool, Names, Syntax, find_names, lower_arcs, parse_pieces, read_names, read_syntax
from tasks.extract.encode import I64, U64, Encoder, Linear, UnknownModel, find_nodes, read_encoder, read_linear

F16 = npt.NDArray[np.float16]

PARAGRAPH = re.compile(r"[^\n]+")
# "GAO, Mali (Reuters) — ", "WASHINGTON - ": a place in capitals, more of its address, an agency or a day, a dash.
DATELINE = re.compile(
    r"[A-ZÀ-Þ][A-ZÀ-Þ.'’-]{2,30}(?: [A-ZÀ-Þ][A-ZÀ-Þ.'’-]{1,30}){0,3}"
    r"(?:, [A-Z][\w.’'-]{0,30}(?: [A-Z][\w.’'-]{1,30}){0,2}){0,2}(?:,? [A-Z][a-z]{2,8}\.? \d{1,2})?"
    r"(?: \([^()\n]{2,30}\))? ?(?:[—–]|-{1,2}) ?(?=[A-Z“\"‘])"
)
MAX_PARAGRAPH = 10_000
"""A paragraph longer than this is read in pieces: the parser's time and memory grow with a sentence's length."""
BATCH_CHARS = 200_000
"""Texts are gathered up to about this length, and their paragraphs parsed together, those of like length first."""
BATCH_TOKENS = 15_000
"""What goes through the parser at once: 100 MB of working memory, and as many steps as its longest paragraph asks."""
ENCODER = "encoder"
"""Key of `doc.user_data` for the name of the model whose vectors are in `doc.tensor`."""
MAX_FORMS = 300_000
"""Word forms whose lemma is remembered: more, and all are forgotten."""

PIPES = ["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "ner"]
_CONTEXT = ("ai", "gon", "na", "got", "ta", "let", "'s", "c'm", "y", "y'")
"""Words whose part of speech or lemma the model's rules give by the word beside them: gon na, let 's."""


@functools.cache
def load_model(package: str) -> Any:
    """The spaCy pipeline of an installed model package. Raises OSError with what to install if it is not there."""
    try:
        module = importlib.import_module(package)
    except ImportError as err:
        raise OSError(
            f"the language model {package} is not installed: run `make setup`, or install it with pip"
        ) from err
    return module.load()


def _pieces(text: str) -> list[tuple[int, int]]:
    """Spans to parse: datelines, the rest of each paragraph; over-long ones cut at a space."""
    out = []
    for m in PARAGRAPH.finditer(text):
        start, end = m.span()
        dateline = DATELINE.match(text, start, end)
        if dateline:  # alone, or the parser makes a name of it: "HUARAZ — Engineers say"
            out.append((start, dateline.end()))
            start = dateline.end()
        while end - start > MAX_PARAGRAPH:
            cut = text.rfind(" ", start + 1, start + MAX_PARAGRAPH)
            cut = cut + 1 if cut > start else start + MAX_PARAGRAPH
            out.append((start, cut))
            start = cut
        out.append((start, end))
    return out


def parse(nlp: Any, text: str) -> Any:
    """One Doc whose `token.idx` are code points of `text`. No sentence crosses a paragraph.

    Each paragraph is parsed alone; line breaks between them become whitespace tokens (`token.is_space`), so
    `doc.text == text` holds. `doc.tensor` (tokens, width) holds the vectors of the model's two encoders side by side,
    in half precision, and `doc.user_data[ENCODER]` the model they are of, unless spaCy's own code had to do the work.
    """
    return next(parse_all(nlp, [text]))


def parse_all(nlp: Any, texts: Iterable[str]) -> Iterator[Any]:
    """The same for many texts, in their order. Many together take a third of the time of one after the other."""
    group: list[str] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size >= BATCH_CHARS:
            yield from _parse_group(nlp, group)
            group, size = [], 0
    yield from _parse_group(nlp, group)


def parse_plainly(nlp: Any, text: str) -> Any:
    """The same as `parse`, by spaCy's own pipeline: for models that `Reader` does not know, and to compare with."""
    from spacy.tokens import Doc

    docs = []
    at = 0
    pieces = _pieces(text)
    for (start, end), doc in zip(pieces, nlp.pipe([text[s:e] for s, e in pieces], batch_size=64), strict=True):
        if start > at:
            docs.append(_blank(nlp, text[at:start]))
        docs.append(doc)
        at = end
    if at < len(text):
        docs.append(_blank(nlp, text[at:]))
    if not docs:
        return Doc(nlp.vocab)
    joined = Doc.from_docs(docs, ensure_whitespace=False, exclude=["tensor"])  # type: ignore[call-arg]  # not in the stub
    assert joined is not None
    return joined


def _blank(nlp: Any, text: str) -> Any:
    from spacy.tokens import Doc

    return Doc(nlp.vocab, words=[text], spaces=[False], sent_starts=[True])


# --------------------------------------------------------------------------- many pieces at once


@dataclass(slots=True, kw_only=True, eq=False)
class Reader:
    """The parts of a language model, and what is known of forms: (orth, tag, dep, context) -> POS, lemma, morph."""

    nlp: Any
    encoder: Encoder
    tagger: Linear
    tags: U64
    syntax: Syntax
    labels: U64
    names_encoder: Encoder
    names: Names
    types: U64
    by_dep: ByDep
    name: str
    forms: dict[int, tuple[int, int, int]] = field(default_factory=dict)


@functools.cache
def _reader(nlp: Any) -> Reader | None:
    """None if the model is of another build than the one this project was made with."""
    if nlp.pipe_names != PIPES:
        return None
    pipe = {name: nlp.get_pipe(name) for name in PIPES}
    add = nlp.vocab.strings.add
    try:
        output = [n for n in find_nodes(pipe["tagger"].model, "softmax")]
        if len(output) != 1:
            raise UnknownModel("its tagger has other layers")
        syntax, names = read_syntax(pipe["parser"]), read_names(pipe["ner"])
        by_dep = _read_rules(pipe["attribute_ruler"], nlp.vocab.strings)
        _index_lemmas(pipe["lemmatizer"])
        return Reader(
            nlp=nlp,
            encoder=read_encoder(pipe["tok2vec"].model),
            tagger=read_linear(output[0]),
            tags=np.array([add(t) for t in pipe["tagger"].labels], dtype=np.uint64),
            syntax=syntax,
            labels=np.array([add(t or "") for t in syntax.label], dtype=np.uint64),
            names_encoder=read_encoder(pipe["ner"].model.get_ref("tok2vec")),
            names=names,
            types=np.array([add(t) for t in names.types] + [0], dtype=np.uint64),
            by_dep=by_dep,
            name="{lang}_{name}-{version}".format(**nlp.meta),
        )
    except UnknownModel:
        return None


def _parse_group(nlp: Any, texts: list[str]) -> Iterator[Any]:
    reader = _reader(nlp)
    if reader is None:
        yield from (parse_plainly(nlp, t) for t in texts)
        return
    cut = [_pieces(t) for t in texts]
    docs = [nlp.make_doc(t[s:e]) for t, pieces in zip(texts, cut, strict=True) for s, e in pieces]
    if not docs:
        yield from (
            _joined(reader, t, [], [], np.zeros((0, 8), dtype=np.uint64), np.zeros((0, 0), dtype=np.float16))
            for t in texts
        )
        return
    lengths = np.array([len(d) for d in docs])
    order = np.argsort(lengths, kind="stable")
    ordered = [docs[i] for i in order.tolist()]
    parts = [_annotate(reader, ordered[lo:hi]) for lo, hi in _batches(lengths[order])]
    begin = np.empty(len(docs), dtype=np.int64)  # of each piece among all that were read
    begin[order] = np.cumsum(lengths[order]) - lengths[order]
    token = np.repeat(begin - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    columns, vectors = (np.concatenate(x)[token] for x in zip(*parts, strict=True))
    first_doc = first_token = 0
    for text, pieces in zip(texts, cut, strict=True):
        n = int(lengths[first_doc : first_doc + len(pieces)].sum())
        own = docs[first_doc : first_doc + len(pieces)]
        span = slice(first_token, first_token + n)
        yield _joined(reader, text, pieces, own, columns[span], vectors[span])
        first_doc += len(pieces)
        first_token += n


def _attributes(*names: str) -> list[int]:
    from spacy.attrs import IDS

    return [IDS[n] for n in names]


def _batches(lengths: I64) -> Iterator[tuple[int, int]]:
    """Parts of the pieces with about BATCH_TOKENS tokens: one long text needs no more memory than many short ones."""
    ends = np.cumsum(lengths)
    lo = 0
    while lo < len(lengths):
        done = int(ends[lo - 1]) if lo else 0
        hi = max(int(np.searchsorted(ends, done + BATCH_TOKENS)), lo + 1)
        yield lo, hi
        lo = hi


def _annotate(reader: Reader, docs: list[Any]) -> tuple[U64, F16]:
    """(n, 8) values of HEAD, DEP, TAG, POS, LEMMA, MORPH, ENT_IOB, ENT_TYPE of all tokens, and their vectors."""
    wanted = [*dict.fromkeys([*reader.encoder.attributes, *reader.names_encoder.attributes, "ORTH", "LOWER"])]
    ids = _attributes(*wanted)
    lengths = np.array([len(d) for d in docs])
    values = np.concatenate([d.to_array(ids).reshape(len(d), len(ids)) for d in docs])
    column = {name: values[:, i] for i, name in enumerate(wanted)}
    starts = np.cumsum(lengths) - lengths
    vectors = reader.encoder.encode(_select(column, reader.encoder), starts, lengths)
    tag = reader.tags[reader.tagger(vectors).argmax(1)]
    head, move = parse_pieces(reader.syntax, vectors, starts, lengths)
    n = np.arange(len(head))
    root = head < 0
    space = column["IS_SPACE"] > 0
    head = np.where(root, n, lower_arcs(reader.syntax, head, move, starts, lengths, space))
    dep = np.where(root, np.uint64(_hash(reader, "ROOT")), reader.labels[move])
    last = _ends(head, starts)
    named = reader.names_encoder.encode(_select(column, reader.names_encoder), starts, lengths)
    iob, kind = find_names(reader.names, named, starts, lengths, last, space)
    tag = np.where(space, np.uint64(_hash(reader, "_SP")), tag)
    dep = np.where(space & (dep != 0), np.uint64(_hash(reader, "dep")), dep)
    pos, lemma, morph = _forms(reader, column, tag, dep, starts)
    out = [(head - n).astype(np.int64).view(np.uint64), dep, tag, pos, lemma, morph, iob, reader.types[kind]]
    both = np.concatenate([vectors, named], axis=1).astype(np.float16)
    return np.stack([c.astype(np.uint64) for c in out], axis=1), both


def _select(column: dict[str, U64], encoder: Encoder) -> U64:
    return np.stack([column[a] for a in encoder.attributes], axis=1)


def _hash(reader: Reader, string: str) -> int:
    return int(reader.nlp.vocab.strings.add(string))


def _ends(head: I64, starts: I64) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tokens that end a sentence: the next one is the leftmost under a root, or begins a piece."""
    top = head
    while True:
        further = top[top]
        if np.array_equal(further, top):
            break
        top = further
    begins = np.zeros(len(head) + 1, dtype=bool)
    left = np.full(len(head), len(head), dtype=np.int64)
    np.minimum.at(left, top, np.arange(len(head)))
    begins[left[top == np.arange(len(head))]] = True
    begins[starts] = begins[-1] = True
    return begins[1:]


def _forms(reader: Reader, column: dict[str, U64], tag: U64, dep: U64, starts: I64) -> tuple[U64, U64, U64]:
    """POS, lemma and morphology of each token: by the model's rules, which are asked once for each word form."""
    orth, lower = column["ORTH"], column["LOWER"]
    n = len(orth)
    begins = np.zeros(n + 1, dtype=bool)
    begins[starts] = begins[n] = True
    before, after = np.roll(lower, 1), np.roll(lower, -1)
    before_dep = np.roll(dep, 1)
    before, before_dep = (np.where(begins[:-1], np.uint64(0), x) for x in (before, before_dep))
    after = np.where(begins[1:], np.uint64(0), after)
    expletive = before_dep == np.uint64(_hash(reader, "expl"))
    special = np.isin(lower, np.array([_hash(reader, w) for w in _CONTEXT], dtype=np.uint64)) | expletive
    by_dep = reader.by_dep.holds(lower, tag, dep) | special | (column["IS_SPACE"] > 0)
    known_dep = np.where(by_dep, dep, np.uint64(_hash(reader, "dep")))
    with np.errstate(over="ignore"):
        key = (orth * np.uint64(3) + tag) * np.uint64(0xBF58476D1CE4E5B9) + known_dep
        key ^= key >> np.uint64(29)
        beside = (before * np.uint64(5) + after * np.uint64(7) + expletive) * np.uint64(0x9E3779B97F4A7C15)
        key = key * np.uint64(0x94D049BB133111EB) + np.where(special, beside, 0)
    keys, first, which = np.unique(key, return_index=True, return_inverse=True)
    if len(reader.forms) > MAX_FORMS:
        reader.forms.clear()
    names = keys.tolist()
    new = [(k, i) for k, i in zip(names, first.tolist(), strict=True) if k not in reader.forms]
    plain = [(k, i) for k, i in new if not special[i]]
    _ask(reader, plain, orth, tag, known_dep)
    _ask_beside(reader, [(k, i) for k, i in new if special[i]], orth, tag, dep, begins)
    table = np.array([reader.forms[k] for k in names], dtype=np.uint64).reshape(len(names), 3)
    pos, lemma, morph = table[which].T
    return pos, lemma, morph


def _ask(reader: Reader, new: list[tuple[int, int]], orth: U64, tag: U64, dep: U64) -> None:
    """Let the model's own rules say what the forms at these tokens are, from one text of them all. None of them begins
    a rule of two words."""
    if not new:
        return
    at = np.array([i for _, i in new])
    own_dep = np.where(dep[at] == np.uint64(_hash(reader, "expl")), np.uint64(_hash(reader, "dep")), dep[at])
    doc = _ruled(reader, orth[at], tag[at], own_dep)
    for (key, _), token in zip(new, doc, strict=True):
        reader.forms[key] = (token.pos, token.lemma, token.morph.key)


def _ask_beside(reader: Reader, new: list[tuple[int, int]], orth: U64, tag: U64, dep: U64, begins: Bool) -> None:
    """The same for forms that hang on the words beside them."""
    for key, i in new:
        lo, hi = i - (not begins[i]), i + 1 + (not begins[i + 1])
        token = _ruled(reader, orth[lo:hi], tag[lo:hi], dep[lo:hi])[i - lo]
        reader.forms[key] = (token.pos, token.lemma, token.morph.key)


def _ruled(reader: Reader, orth: U64, tag: U64, dep: U64) -> Any:
    """A text of these forms, as the model's rules and its lemmatiser leave it."""
    from spacy.tokens import Doc

    doc: Any = Doc(reader.nlp.vocab, words=orth.tolist(), spaces=[True] * len(orth))
    doc.from_array(_attributes("TAG", "DEP"), np.stack([tag, dep], axis=1))
    for pipe in ("attribute_ruler", "lemmatizer"):
        doc = reader.nlp.get_pipe(pipe)(doc)
    return doc


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDep:
    """Forms whose part of speech the model's rules give by their label: words, tags, or anything with these labels."""

    lowers: U64
    tags: U64
    deps: U64

    def holds(self, lower: U64, tag: U64, dep: U64) -> Bool:
        return np.isin(lower, self.lowers) | np.isin(tag, self.tags) | np.isin(dep, self.deps)


def _read_rules(ruler: Any, strings: Any) -> ByDep:
    """What of the rules for single words hangs on labels. Raises UnknownModel where a rule says so of every word."""
    found: dict[str, set[str]] = {"LOWER": set(), "TAG": set(), "DEP": set()}
    for rule in ruler.patterns:
        for pattern in rule["patterns"]:
            if len(pattern) > 1 or "DEP" not in pattern[0] or "IS_SPACE" in pattern[0]:
                continue
            said = {k: set([v] if isinstance(v, str) else v.get("IN", ())) for k, v in pattern[0].items()}
            name = next((k for k in ("LOWER", "TAG", "DEP") if said.get(k)), None)
            if name is None:
                raise UnknownModel("its rules hang on labels in another way")
            found[name] |= said[name]
    lowers, tags, deps = (np.array([strings.add(s) for s in sorted(found[k])], dtype=np.uint64) for k in found)
    return ByDep(lowers=lowers, tags=tags, deps=deps)


def _index_lemmas(lemmatizer: Any) -> None:
    """Turn the lemmatiser's lists of known words, which it searches from their start, into sets."""
    if lemmatizer.lookups.has_table("lemma_index"):
        table = lemmatizer.lookups.get_table("lemma_index")
        for part in list(table):
            table[part] = frozenset(table[part])


def _joined(
    reader: Reader, text: str, pieces: list[tuple[int, int]], docs: list[Any], values: U64, vectors: F16
) -> Any:
    """One Doc of a text from the tokens of its pieces; what lies between them becomes tokens of white space."""
    from spacy.tokens import Doc

    words: list[int | str] = []
    spaces: list[bool] = []
    real = []  # which tokens are of a piece
    at = 0
    for (start, end), doc in zip(pieces, docs, strict=True):
        if start > at:
            words.append(text[at:start])
            spaces.append(False)
        real.append(np.arange(len(words), len(words) + len(doc)))
        forms = doc.to_array(_attributes("ORTH", "SPACY"))
        words += forms[:, 0].tolist()
        spaces += (forms[:, 1] > 0).tolist()
        at = end
    if at < len(text):
        words.append(text[at:])
        spaces.append(False)
    out: Any = Doc(reader.nlp.vocab, words=words, spaces=spaces)  # type: ignore[arg-type]  # hashes are taken as well
    if len(values):
        own = np.concatenate(real)
        all_values = np.zeros((len(words), 8), dtype=np.uint64)
        all_values[own] = values
        names = _attributes("HEAD", "DEP", "TAG", "POS", "LEMMA", "MORPH", "ENT_IOB", "ENT_TYPE")
        out.from_array(names, all_values)
        out.tensor = np.zeros((len(words), vectors.shape[1]), dtype=np.float16)
        out.tensor[own] = vectors
        out.user_data[ENCODER] = reader.name
    return out
