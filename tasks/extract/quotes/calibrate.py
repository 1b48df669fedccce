"""From what tagger and ranker say of a quote to the chance that it is right: a small logistic model.

"Right" is the bench's overlap: the words of the quote and of an annotated one have a Jaccard index of 0.5 or more.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.extract.quotes.frame import Frame
from tasks.extract.quotes.spans import Piece
from tasks.extract.quotes.speakers import Cue, Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    weights: Mapping[str, float]

    def chance(self, features: Mapping[str, float]) -> float:
        z = sum(self.weights.get(k, 0.0) * v for k, v in features.items())
        return 1.0 / (1.0 + math.exp(-max(min(z, 30.0), -30.0)))


def evidence(
    scene: Scene,
    piece: Piece,
    cue: Cue | None,
    speaker: int | None,
    speaker_chance: float,
) -> dict[str, float]:
    """What the calibration looks at, for one piece: names of features with their values."""
    f = scene.frame
    share = float((f.quote[piece.lo : piece.hi] >= 0).mean())
    kind = "direct" if share >= 0.9 else ("indirect" if share == 0 else "mixed")
    z, words = _logit(piece.chance), math.log(min(piece.hi - piece.lo, 40))
    out = {
        "one": 1.0,
        f"one {kind}": 1.0,
        f"tagger {kind}": z,
        "tagger": z,
        f"words {kind}": words,
        f"ranker {kind}": _logit(speaker_chance),
    }
    form = scene.mentions[speaker].form if speaker is not None else "nobody"
    out[f"speaker {form} {kind}"] = 1.0
    out[f"headline {kind}"] = float(f.headline[piece.lo])
    out[f"short {kind}"] = float(piece.hi - piece.lo <= 2)
    top = _top(f, piece)
    dep = f.doc.strings[int(f.dep[top])]
    if cue is None:
        out[f"no cue {kind}"] = 1.0
        return out
    before = cue.hi <= piece.lo
    gap = piece.lo - cue.hi if before else cue.lo - piece.hi
    same = bool(f.sent[piece.lo if before else piece.hi - 1] == f.sent[cue.main])
    out[f"cue {kind}"] = _logit(float(scene.chances[cue.main]))
    out[f"cue tagger {kind}"] = _logit(float(scene.marginals[cue.main, 3]))
    out[f"cue sentence {kind} {same}"] = 1.0
    out[f"gap {kind} {min(gap, 3)} {before}"] = 1.0
    out[f"class {int(f.cue[cue.main])} {kind == 'indirect'}"] = 1.0
    out[f"cue tag {f.doc.strings[int(f.tag[cue.main])]}"] = 1.0
    out[f"top {dep} {bool(cue.lo <= f.head[top] < cue.hi)}"] = 1.0
    out[f"first {f.doc.strings[int(f.tag[piece.lo])]}"] = 1.0
    return out


def _top(f: Frame, piece: Piece) -> int:
    """The token of a piece that hangs on a word outside of it: the last such, or the first token."""
    head = f.head[piece.lo : piece.hi]
    out = np.flatnonzero((head < piece.lo) | (head >= piece.hi))
    return piece.lo + int(out[-1]) if len(out) else piece.lo


def _logit(p: float) -> float:
    p = min(max(p, 0.001), 0.999)
    return math.log(p / (1 - p))


def save_calibration(path: Path, calibration: Calibration) -> None:
    rounded = {k: round(v, 4) for k, v in sorted(calibration.weights.items())}
    path.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def load_calibration(path: Path) -> Calibration:
    return Calibration(weights=json.loads(path.read_text(encoding="utf-8")))
