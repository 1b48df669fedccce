"""From what tagger and ranker say of a quote to the chance that it is right: a small logistic model.

"Right" is the bench's overlap: the words of the quote and of an annotated one have a Jaccard index of 0.5 or more.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.extract.quotes.frame import Frame
from tasks.extract.quotes.spans import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    weights: Mapping[str, float]

    def chance(self, features: Mapping[str, float]) -> float:
        z = sum(self.weights.get(k, 0.0) * v for k, v in features.items())
        return 1.0 / (1.0 + math.exp(-max(min(z, 30.0), -30.0)))


def evidence(f: Frame, piece: Piece, *, has_cue: bool, has_speaker: bool, speaker_chance: float) -> dict[str, float]:
    """What the calibration looks at, for one piece."""
    inside = f.quote[piece.lo : piece.hi] >= 0
    share = float(inside.mean())
    z = _logit(piece.chance)
    kind = "direct" if share >= 0.9 else ("indirect" if share == 0 else "mixed")
    words = min(piece.hi - piece.lo, 40)
    return {
        "one": 1.0, f"one {kind}": 1.0, f"tagger {kind}": z, "tagger": z, "cue": float(has_cue), "speaker": float(has_speaker),
        "ranker": _logit(speaker_chance), "words": math.log(words), f"words {kind}": math.log(words),
    }  # fmt: skip


def _logit(p: float) -> float:
    p = min(max(p, 0.001), 0.999)
    return math.log(p / (1 - p))


def save_calibration(path: Path, calibration: Calibration) -> None:
    rounded = {k: round(v, 4) for k, v in sorted(calibration.weights.items())}
    path.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def load_calibration(path: Path) -> Calibration:
    return Calibration(weights=json.loads(path.read_text(encoding="utf-8")))
