"""The trained models that stand beside this module, read once a process."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.extract.quotes.calibrate import Calibration, load_calibration
from tasks.extract.quotes.crf import Crf, load_crf
from tasks.extract.quotes.cues import CueModel, load_cues
from tasks.extract.quotes.features import CuePrior
from tasks.extract.quotes.net import Net, load_net
from tasks.extract.quotes.speakers import Ranker, load_ranker

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    crf: Crf
    net: Net
    prior: CuePrior
    cues: CueModel
    ranker: Ranker
    calibration: Calibration


def save_prior(path: Path, prior: CuePrior) -> None:
    np.savez_compressed(path, keys=prior.keys, bins=prior.bins.astype(np.int8))


def load_prior(path: Path) -> CuePrior:
    with np.load(path) as data:
        return CuePrior(keys=data["keys"], bins=data["bins"].astype(np.int64))


@functools.cache
def load_models(folder: Path = HERE) -> Models:
    """Raises OSError if a model file is not there: train.py makes them."""
    return Models(
        crf=load_crf(folder / "tagger.npz"),
        net=load_net(folder / "tagger_net.npz"),
        prior=load_prior(folder / "cue_prior.npz"),
        cues=load_cues(folder / "cues.npz"),
        ranker=load_ranker(folder / "speakers.npz"),
        calibration=load_calibration(folder / "calibration.json"),
    )
