"""What became of an article: new, changed, already there, a copy."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks import tables
from tasks.clean import task
from tasks.clean.settle import Memory, kind_of_change, settle
from tasks.clean.strip import articles_file
from tasks.clean.text import clean_text
from tasks.scrape.inputs import InputOptions, plan_shards
from tasks.settings import CleanSettings

RULES = CleanSettings()
NIGHT = dt.date(2024, 5, 1)

OLD = "Police in Lagos said on Monday that 12 people were held. The inquiry goes on and no charge was brought."


@pytest.mark.parametrize(
    ("title", "text", "change"),
    [
        ("A title", OLD.replace(" on Monday", " on  Monday"), None),
        ("A Title!", OLD.replace("held.", "held…"), None),
        ("Another title", OLD, "title"),
        ("A title", OLD.replace("inquiry", "investigation"), "minor"),
        ("A title", OLD.replace("12", "14"), "body"),
        ("A title", OLD + " A lawyer for two of them said they had done nothing.", "body"),
    ],
)
def test_kind_of_change_tells_cosmetic_from_real(title: str, text: str, change: str | None) -> None:
    assert kind_of_change("A title", OLD, title, text) == change


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"B": 1.0, "F": 0.0, "S": 0.0, "T": 0.0}
    monkeypatch.setattr("tasks.clean.text.unit_chances", lambda _, units: [body] * len(units))


class Nights:
    """Nights over one corpus file, each with what the earlier ones left, as publication leaves it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.n = 0
        self.articles: list[Path] = []
        self.wordings: list[Path] = []
        self.repeats: Path | None = None

    def run(self, texts: dict[str, str], *, with_wordings: bool = True) -> dict[str, tuple[str, str | None]]:
        """external_id -> (fate, change)"""
        self.n += 1
        corpus, work = self.root / f"{self.n}.jsonl", self.root / f"w{self.n}"
        lines = [json.dumps({"id": i, "text": t, "outlet": "a.org", "title": f"Report {i}"}) for i, t in texts.items()]
        corpus.write_text("\n".join(lines), encoding="utf-8")
        work.mkdir()
        [shard] = plan_shards([corpus], InputOptions(), records=1000, max_bytes=10**9)
        task.clean_shard(shard, work, RULES, "run")
        memory = Memory(
            night=NIGHT + dt.timedelta(days=self.n), articles=self.articles, signatures=[],
            wordings=self.wordings if with_wordings else [], repeats=self.repeats,
        )  # fmt: skip
        settle(work, [shard.shard_id], memory, RULES)
        settled = pq.read_table(work / "settled" / f"{shard.shard_id}.parquet").to_pylist()
        data = pq.read_table(articles_file(work, shard.shard_id))
        rows = data.to_pylist()
        for row, verdict in zip(rows, settled, strict=True):
            row |= {name: verdict[name] for name in ("article_id", "revision", "change")}
        kept = [row for row, verdict in zip(rows, settled, strict=True) if verdict["kept"]]
        pq.write_table(data.from_pylist(kept, schema=data.schema), work / "published.parquet")
        self.articles.append(work / "published.parquet")
        self.wordings.append(work / "wordings.parquet")
        self.repeats = work / "repeats.parquet"
        return {r["external_id"]: (v["fate"], v["change"]) for r, v in zip(rows, settled, strict=True)}


def upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on the clean step leaves the first sentence out."""

    def newer(*args: object, **given: object) -> tables.Article | tables.Failure:
        found = clean_text(*args, **given)  # type: ignore[arg-type]
        assert isinstance(found, tables.Article)
        text = found.text.split(". ", 1)[1]
        return replace(found, text=text, content_hash=text[:16].encode().hex())

    monkeypatch.setattr(task, "clean_text", newer)


def test_settle_makes_no_revision_when_only_our_code_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = Nights(tmp_path)
    assert nights.run({"1": OLD, "2": OLD + " It rained."}) == {"1": ("article", "first"), "2": ("article", "first")}
    upgrade(monkeypatch)
    found = nights.run({"1": OLD, "2": OLD + " It rained, and the river rose by two metres."})
    assert found == {"1": ("unchanged", "first"), "2": ("revision", "body")}
    assert nights.run({"1": OLD}, with_wordings=False) == {"1": ("revision", "body")}  # so it is the digest that tells


def test_settle_knows_a_wording_again_under_every_raw_form_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = Nights(tmp_path)
    nights.run({"1": OLD})
    assert nights.run({"1": OLD + "\n\n"}) == {"1": ("unchanged", "first")}
    upgrade(monkeypatch)
    assert nights.run({"1": OLD + "\n\n"}) == {"1": ("unchanged", "first")}
    sizes = [pq.read_metadata(w).num_rows for w in nights.wordings]
    assert sizes == [1, 1, 1]  # a row for a raw form or draft that was not known, none for one that was
    assert nights.run({"1": OLD + "\n\n"}) == {"1": ("unchanged", "first")}
    assert pq.read_metadata(nights.wordings[-1]).num_rows == 0


def test_settle_makes_no_revision_of_what_is_cut_once_an_outlet_is_known(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    places = "Averton Brookfell Carrowby Dunmere Eastwick Farleigh Gorsedale".split()
    appeal = "Download our free application and never miss another headline."

    def text(place: str) -> str:
        return "\n".join(
            [f"{place} council number {n} voted on the {place} budget for {place} schools." for n in range(9)]
            + [appeal]
        )

    first = nights.run({p: text(p) for p in places[:3]})
    assert {fate for fate, _ in first.values()} == {"article"}
    changed = {places[0]: text(places[0]).replace("budget for", "budget  for ")}  # only a space, and the cut
    second = nights.run({p: text(p) for p in places} | changed)
    assert [second[p][0] for p in places[:3]] == ["unchanged"] * 3
    texts = [t for f in nights.articles for t in pq.read_table(f)["text"].to_pylist()]
    assert [appeal in t for t in texts] == [True] * 3 + [False] * 4
