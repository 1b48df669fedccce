"""What an outlet repeats is cut; what only recurs is not."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.clean.repeated import MAX_MARKS, MAX_PIECES, Piece, cut, is_furniture, marks_of
from tasks.clean.settle import Memory, settle
from tasks.clean.task import clean_shard
from tasks.scrape.inputs import InputOptions, plan_shards
from tasks.settings import CleanSettings
from tasks.tables import Removed

RULES = CleanSettings()
NIGHT = dt.date(2024, 5, 1)
APPEAL = "Download our free application and never miss another headline"
DIED = "He was 84."
VERIFY = "The newspaper could not independently verify these statements."

NOUNS = "harbour council engine orchard bridge hospital factory library stadium airport garden railway museum".split()
VERBS = (
    "repaired flooded opened inspected abandoned painted defended measured rented closed praised photographed".split()
)
PLACES = "Lindmouth Averton Brookfell Carrowby Dunmere Eastwick Farleigh Gorsedale Hexley Ilminster Jarrowby".split()


def story(rng: random.Random, sentences: int = 14) -> list[str]:
    """Paragraphs of an invented article; it keeps to a few words of its own, as an article does."""
    nouns, places = rng.sample(NOUNS, 3), rng.sample(PLACES, 2)
    return [
        f"The {rng.choice(nouns)} near {rng.choice(places)} was {rng.choice(VERBS)} after {rng.randrange(10**6)} visitors "
        f"had asked whether the {rng.choice(nouns)} would be {rng.choice(VERBS)} again."
        for _ in range(sentences)
    ]


def corpus(path: Path, outlet: str, texts: list[str], first: int = 0) -> None:
    rows = [
        {"id": f"{outlet}-{first + i}", "text": t, "outlet": outlet, "title": f"Report {first + i}"}
        for i, t in enumerate(texts)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)


def night(
    work: Path,
    files: list[Path],
    before: Path | None = None,
    *,
    records: int = 100,
    rules: CleanSettings = RULES,
    on: dt.date = NIGHT,
) -> list[dict[str, Any]]:
    """Clean and settle files; the articles as the next step gets them, by external id."""
    from tasks.clean.strip import articles_file

    work.mkdir()
    shards = plan_shards(files, InputOptions(), records=records, max_bytes=10**9)
    for shard in shards:
        clean_shard(shard, work, rules, "run")
    names = [s.shard_id for s in shards]
    settle(work, names, Memory(night=on, articles=[], signatures=[], wordings=[], repeats=before), rules)
    rows = [r for n in names for r in pq.read_table(articles_file(work, n)).to_pylist()]
    return sorted(rows, key=lambda r: str(r["external_id"]))


def furnished(
    rng: random.Random, n: int, *, tail: str = APPEAL, middle: str | None = None, every: int = 1
) -> list[str]:
    out = []
    for i in range(n):
        lines = story(rng)
        if middle and i % every == 0:
            lines[6] += f" {middle}"
        out.append("\n".join([*lines, tail] if i % every == 0 else lines))
    return out


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the model of text units out: what it would cut by itself must not be what these tests see."""
    body = {"B": 1.0, "F": 0.0, "S": 0.0, "T": 0.0}
    monkeypatch.setattr("tasks.clean.text.unit_chances", lambda _, units: [body] * len(units))


def test_strip_cuts_what_an_outlet_repeats_and_names_it(tmp_path: Path) -> None:
    corpus(tmp_path / "a.parquet", "a.org", furnished(random.Random(1), 12))
    rows = night(tmp_path / "w", [tmp_path / "a.parquet"])
    assert len(rows) == 12
    for row in rows:
        assert APPEAL not in row["text"]
        gone = [r for r in row["removed"] if r["why"] == "repeated"]
        assert [r["text"] for r in gone] == [APPEAL]
        assert gone[0]["after"] == len(row["text"])
        assert row["text"].endswith("again.")


def test_strip_keeps_a_true_sentence_that_recurs(tmp_path: Path) -> None:
    """Three ways to survive: too short and common; in a small share of the articles; of the articles' own subject."""
    rng = random.Random(2)
    texts = furnished(rng, 12, tail=DIED) + furnished(rng, 60, tail=VERIFY, every=10)
    subject = "The harbour council near Lindmouth repaired the orchard bridge hospital."
    for text in furnished(rng, 12, tail=""):
        texts.append("\n".join([subject.replace("near", "of"), text.strip(), subject]))
    corpus(tmp_path / "a.parquet", "a.org", texts)
    rows = night(tmp_path / "w", [tmp_path / "a.parquet"])
    assert sum(DIED in r["text"] for r in rows) == 12
    assert sum(VERIFY in r["text"] for r in rows) == 6
    assert not [r for row in rows for r in row["removed"] if r["why"] == "repeated" and "harbour" in r["text"]]


def test_strip_leaves_other_outlets_alone(tmp_path: Path) -> None:
    rng = random.Random(3)
    corpus(tmp_path / "a.parquet", "a.org", furnished(rng, 12))
    corpus(tmp_path / "b.parquet", "b.org", furnished(rng, 2))
    rows = night(tmp_path / "w", [tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert [r["outlet"] for r in rows if APPEAL in r["text"]] == ["b.org", "b.org"]


def test_strip_counts_copies_and_revisions_once(tmp_path: Path) -> None:
    text = furnished(random.Random(4), 1)[0]
    texts = [text.replace("again", f"again{i}", 1) for i in range(12)]
    corpus(tmp_path / "a.parquet", "a.org", texts)
    assert all(APPEAL in r["text"] for r in night(tmp_path / "w", [tmp_path / "a.parquet"]))


def test_strip_gives_the_same_when_cut_into_other_shards_and_after_a_kill(tmp_path: Path) -> None:
    corpus(tmp_path / "a.parquet", "a.org", furnished(random.Random(5), 30, every=2))
    whole = night(tmp_path / "w", [tmp_path / "a.parquet"])
    parts = night(tmp_path / "v", [tmp_path / "a.parquet"], records=7)
    assert whole == parts
    state = [pq.read_table(tmp_path / w / "repeats.parquet") for w in ("w", "v")]
    assert state[0].equals(state[1])
    shards = sorted(p.name for p in (tmp_path / "v" / "clean").iterdir())
    (tmp_path / "v" / "stripped" / f"{shards[0]}.parquet").write_bytes(b"")  # a try that ended in the middle
    settle(tmp_path / "v", shards, Memory(night=NIGHT, articles=[], signatures=[], wordings=[], repeats=None), RULES)
    again = [r for s in shards for r in pq.read_table(tmp_path / "v" / "stripped" / f"{s}.parquet").to_pylist()]
    assert sorted(again, key=lambda r: r["external_id"]) == whole


def test_strip_learns_over_nights_and_forgets(tmp_path: Path) -> None:
    rng = random.Random(6)
    before = None
    kept = []
    for i in range(4):
        corpus(tmp_path / f"{i}.parquet", "a.org", furnished(rng, 2), first=2 * i)
        rows = night(tmp_path / f"w{i}", [tmp_path / f"{i}.parquet"], before, on=NIGHT + dt.timedelta(days=i))
        kept.append(sum(APPEAL in r["text"] for r in rows))
        before = tmp_path / f"w{i}" / "repeats.parquet"
    assert kept == [2, 2, 0, 0]  # five articles are needed
    corpus(tmp_path / "late.parquet", "a.org", furnished(rng, 2), first=90)
    rows = night(tmp_path / "late", [tmp_path / "late.parquet"], before, on=NIGHT + dt.timedelta(days=90))
    assert sum(APPEAL in r["text"] for r in rows) == 2
    assert pq.read_table(tmp_path / "late" / "repeats.parquet")["articles"].to_pylist()[0] < 3


def test_strip_keeps_a_bounded_table_of_each_outlet(tmp_path: Path) -> None:
    rng = random.Random(7)
    corpus(tmp_path / "a.parquet", "a.org", furnished(rng, 300))
    corpus(tmp_path / "b.parquet", "b.org", furnished(rng, 3))
    night(tmp_path / "w", [tmp_path / "a.parquet", tmp_path / "b.parquet"])
    with duckdb.connect() as db:
        sizes = dict(
            db.execute(
                "select outlet, count(piece) from read_parquet(?) group by 1", [str(tmp_path / "w" / "repeats.parquet")]
            ).fetchall()
        )
    assert sizes["a.org"] == MAX_PIECES
    assert 0 < sizes["b.org"] < 100
    assert (tmp_path / "w" / "repeats.parquet").stat().st_size < 100_000


def test_strip_does_nothing_when_it_is_switched_off(tmp_path: Path) -> None:
    corpus(tmp_path / "a.parquet", "a.org", furnished(random.Random(8), 12))
    rows = night(tmp_path / "w", [tmp_path / "a.parquet"], rules=CleanSettings(cut_repeats=False))
    assert all(APPEAL in r["text"] for r in rows)
    assert not (tmp_path / "w" / "repeats.parquet").exists()


@pytest.mark.parametrize(
    ("articles", "edges", "theme", "asks", "of", "furniture"),
    [
        (4, 4, 0, 0, 10, False),  # too few
        (10, 10, 0, 0, 200, False),  # a small share
        (10, 10, 0, 10, 200, True),  # which is enough for what asks the reader for something
        (10, 10, 0, 0, 40, True),
        (10, 10, 400, 10, 40, False),  # words of the articles
        (10, 0, 0, 0, 80, False),  # in the middle: half the weight
        (40, 40, 1600, 0, 40, True),  # in all of them, and not their subject
        (40, 40, 3200, 0, 40, False),
    ],
)
def test_is_furniture_asks_for_many_articles_that_share_no_words(
    articles: int, edges: int, theme: int, asks: int, of: int, furniture: bool
) -> None:
    piece = Piece(articles=articles, edges=edges, theme=theme, asks=asks)
    assert is_furniture(piece, of, RULES) is furniture


def test_marks_of_looks_at_sentences_at_the_edges_and_whole_lines_between() -> None:
    inner = "Children gathered chestnuts beneath towering branches."
    lines = [f"Sentence number {i} about weather. Another remark about weather follows." for i in range(30)]
    lines[15] += f" {inner}"
    lines[16] = "Storms damaged several greenhouses yesterday."
    text = "\n".join(lines)
    found = {text[m.start : m.end]: m for m in marks_of(text)}
    assert "Storms damaged several greenhouses yesterday." in found
    assert inner not in found
    assert not found["Storms damaged several greenhouses yesterday."].edge
    assert "Another remark about weather follows." in found


def test_marks_of_is_bounded_and_leaves_common_words_out() -> None:
    assert marks_of(DIED) == []
    rng = random.Random(9)
    assert len(marks_of("\n".join(story(rng, 400)))) <= MAX_MARKS


def test_marks_of_takes_numbers_for_alike() -> None:
    a, b = (marks_of(f"Listen while reading, about {n} minutes altogether.") for n in (5, 12))
    assert a[0].piece == b[0].piece


@pytest.mark.parametrize(
    ("text", "pieces", "left"),
    [
        ("One two.\nThree four five six seven.", ["One two."], "Three four five six seven."),
        ("One two three four. Five six.", ["Five six."], "One two three four."),
        ("One two. Three four five six.", ["One two."], "Three four five six."),
        ("One two three.\nFour.\nFive six.", ["Four."], "One two three.\nFive six."),
        ("One two three. Four. Five six.\nSeven.", ["Four."], "One two three. Five six.\nSeven."),
        ("One two three.\nFour. Five.\nSix seven.", ["Four.", "Five."], "One two three.\nSix seven."),
        ("One two three. Four five six.", ["One two three.", "Four five six."], "One two three. Four five six."),
    ],
)
def test_cut_leaves_whole_lines_and_single_spaces(text: str, pieces: list[str], left: str) -> None:
    spans = [(text.index(p), text.index(p) + len(p)) for p in pieces]
    new, removed = cut(text, [], spans)
    assert new == left
    if new != text:
        assert [r.text for r in removed] == pieces
        for r in removed:  # what stood before a piece still stands before it
            before = "".join(w for w in text[: text.index(r.text)] if w.isalpha())
            for p in pieces:
                before = before.replace("".join(w for w in p if w.isalpha()), "") if p != r.text else before
            assert "".join(w for w in new[: r.after] if w.isalpha()) == before


def test_cut_moves_the_places_of_what_was_cut_before() -> None:
    text = "Menu line here.\nOne two three four.\nFive six seven eight."
    earlier = [Removed(text="x", why="share", after=16), Removed(text="y", why="share", after=len(text))]
    new, removed = cut(text, earlier, [(0, 15)])
    assert new == "One two three four.\nFive six seven eight."
    assert [(r.text, r.after) for r in removed] == [("x", 0), ("Menu line here.", 0), ("y", len(new))]
