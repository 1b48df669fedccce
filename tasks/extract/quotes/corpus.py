"""The annotated training texts as frames and labels. Used by train.py and the bench only."""

from __future__ import annotations

import gzip
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.extract.language import load_model, parse_all
from tasks.extract.quotes.frame import I64, Frame, build_frame

LABELS = ["O", "B", "I", "U", "S"]
"""Outside; begin and inside of what was said; cue; speaker."""
FINE = [*LABELS, "E", "W"]
"""What the tagger tells apart: an inside that is the end of a stretch, and a beginning that is all of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One annotated text. `attributions` as in the data: content, cue and source are lists of [start, end]."""

    id: str
    frame: Frame
    attributions: list[dict[str, Any]]


def read_records(path: Path) -> list[dict[str, Any]]:
    """The lines of a .jsonl or .jsonl.gz file."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read_docs(path: Path, model: str, cache: Path | None = None) -> list[Any]:
    """The parses of the file's texts. With `cache` they are kept in that folder and read again the next time."""
    kept = cache / f"{path.name.partition('.')[0]}.docs.gz" if cache else None
    nlp = load_model(model)
    if kept is not None and kept.is_file():
        from spacy.tokens import Doc

        with gzip.open(kept, "rb") as file:
            return [Doc(nlp.vocab).from_bytes(data) for data in pickle.load(file)]  # our own file
    docs = list(parse_all(nlp, (r["text"] for r in read_records(path))))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(kept, "wb", compresslevel=1) as file:
            pickle.dump([d.to_bytes() for d in docs], file)
    return docs


def read_samples(path: Path, model: str, cache: Path | None = None) -> list[Sample]:
    """The file's texts, parsed; `cache` as for read_docs."""
    return [
        Sample(id=r["id"], frame=build_frame(d), attributions=r["attributions"])
        for r, d in zip(read_records(path), read_docs(path, model, cache), strict=True)
    ]


def tokens_of(frame: Frame, start: int, end: int) -> tuple[int, int]:
    """Tokens (first, one past the last) that lie at least half within the span; punctuation at both ends left out."""
    middle = (frame.start + frame.end) / 2
    lo, hi = int(np.searchsorted(middle, start)), int(np.searchsorted(middle, end))
    while lo < hi and not frame.is_word[lo]:
        lo += 1
    while hi > lo and not frame.is_word[hi - 1]:
        hi -= 1
    return lo, hi


def labels_of(sample: Sample) -> I64:
    """The label of each token. Where attributions overlap, what was said wins over cue, and cue over speaker."""
    f = sample.frame
    out = np.zeros(len(f), dtype=np.int64)
    middle = (f.start + f.end) / 2
    for name, label in (("source", 4), ("cue", 3)):
        for a in sample.attributions:
            for s, e in a[name]:
                lo, hi = (
                    int(np.searchsorted(middle, s)),
                    int(np.searchsorted(middle, e)),
                )
                out[lo:hi] = label
    for a in sample.attributions:
        for s, e in a["content"]:
            lo, hi = tokens_of(f, s, e)
            if lo < hi:
                out[lo:hi] = 2
                out[lo] = 1
                for k in range(lo + 1, hi):
                    if f.para[k] != f.para[k - 1]:
                        out[k] = 1  # each paragraph is a sequence of its own
    return out


def fine_labels(labels: I64, para: I64) -> I64:
    """The labels with ends told apart."""
    follows = np.append((labels[1:] == 2) & (para[1:] == para[:-1]), False)
    out = np.where((labels == 2) & ~follows, 5, labels)
    return np.where((labels == 1) & ~follows, 6, out)
