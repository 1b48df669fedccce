"""The tagger's network: what it is given, that it learns what the words alone cannot tell, and that it can be left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tasks.extract.language import ENCODER, load_model, parse, parse_all, parse_plainly
from tasks.extract.quotes import find_quotes
from tasks.extract.quotes.fit_net import NetPlan, Text, fit_net
from tasks.extract.quotes.frame import build_frame
from tasks.extract.quotes.models import load_models
from tasks.extract.quotes.net import load_net, save_net, scores_of, vectors_of
from tasks.extract.quotes.ties import ties
from tasks.settings import ExtractSettings
from tests.rows import article

TEXT = "“We are leaving,” said Ada Obi, a baker.\n\nOfficials in Lagos denied that the market would close. She wept."


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


def test_vectors_are_the_same_alone_and_among_other_texts(nlp: Any) -> None:
    alone = parse(nlp, TEXT)
    _, among, _ = parse_all(nlp, ["Rain fell. " * 50, TEXT, ""])
    assert alone.tensor.shape == (len(alone), 192)
    np.testing.assert_allclose(alone.tensor.astype(np.float32), among.tensor.astype(np.float32), atol=2e-3, rtol=2e-3)
    breaks = [t.i for t in alone if t.text == "\n\n"]
    assert breaks
    assert not alone.tensor[breaks].any()


def test_ties_lead_to_the_words_that_attribute(nlp: Any) -> None:
    frame = build_frame(parse(nlp, TEXT))
    chances = np.zeros(len(frame))
    said, denied = frame.words.index("said"), frame.words.index("denied")
    chances[[said, denied]] = 0.9
    tied = ties(frame, chances)
    leaving, close, wept = (frame.words.index(w) for w in ("leaving", "close", "wept"))
    assert said in tied[leaving]
    assert denied in tied[close]
    assert denied in tied[wept]  # the last cue before its sentence
    assert tied.max() < len(frame)
    assert tied.min() == -1


def test_network_learns_from_vectors_what_features_cannot_tell() -> None:
    random = np.random.default_rng(3)

    def text(size: int) -> Text:
        gold = random.integers(0, 2, size)
        vectors = random.normal(size=(size, 4)).astype(np.float16)
        vectors[1:, 0] = np.where(gold[:-1] > 0, 2, -2)  # a token's label stands in the vector of the next
        return Text(
            features=np.ones((size, 3), dtype=np.uint64), vectors=vectors,
            tied=np.stack([np.arange(size), np.append(np.arange(1, size), -1)], 1).repeat(8, axis=1), gold=gold,
            group=np.zeros(size, dtype=np.int64),
        )  # fmt: skip

    plan = NetPlan(width=8, narrow=4, passes=30, texts=4, min_count=1, rate=0.01)
    net = fit_net([text(60) for _ in range(8)], "some model", ["O", "U"], plan)
    fresh = text(200)
    scores = net.scores(fresh.vectors, list(fresh.features.T), fresh.tied)
    assert (scores.argmax(1) == fresh.gold)[:-1].mean() > 0.9


def test_saved_network_scores_as_before(nlp: Any, tmp_path: Any) -> None:
    models = load_models()
    frame = build_frame(parse(nlp, TEXT))
    from tasks.extract.quotes.features import token_features

    chances = models.cues.chances(frame, models.prior)
    features = token_features(frame, models.prior, chances)
    before = scores_of(models.net, frame, features, chances)
    save_net(tmp_path / "net.npz", models.net)
    after = scores_of(load_net(tmp_path / "net.npz"), frame, features, chances)
    assert before is not None
    assert before.shape == (len(frame), 7)
    np.testing.assert_array_equal(before, after)


def test_text_read_by_another_model_is_tagged_without_the_network(nlp: Any) -> None:
    doc = parse_plainly(nlp, TEXT)
    assert ENCODER not in doc.user_data
    assert vectors_of(build_frame(doc), load_models().net.encoder) is None
    quotes, _ = find_quotes(doc, article(TEXT))
    assert "“We are leaving,”" in [q.text for q in quotes]
