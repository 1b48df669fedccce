"""What became of each cleaned article: new, changed since an earlier night, already there, or a copy of another.

Runs once a run, over what is light of every article (no texts). One verdict an article, in the order of its shard.
Before the verdicts, what outlets repeat is cut (strip.py).
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.copies import CopyKey, CopyVerdict, find_copies, signature
from tasks.clean.repeated import restored
from tasks.clean.strip import strip
from tasks.settings import CleanSettings

Change = Literal["first", "title", "body", "minor"]

SETTLED = pa.schema(
    [
        ("article_id", pa.string()),  # final
        ("article_key", pa.string()),
        ("fate", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("revision", pa.int64()),
        ("change", pa.string()),
        ("copy_group", pa.string()),
        ("is_original", pa.bool_()),
        ("kept", pa.bool_()),
    ]
)
SIGNATURES = pa.schema(
    [
        ("article_id", pa.string()),
        ("article_key", pa.string()),
        ("copy_group", pa.string()),
        ("is_original", pa.bool_()),
        ("signature", pa.binary()),
        ("published_at", pa.timestamp("us", tz="UTC")),
        ("fetched_at", pa.timestamp("us", tz="UTC")),
        ("agency", pa.string()),
        ("outlet", pa.string()),
        ("word_count", pa.int64()),
    ]
)
WORDINGS = pa.schema(
    [
        ("article_key", pa.string()),
        ("article_id", pa.string()),  # the revision that was made of it
        ("raw", pa.int64()),  # digest of what came in
        ("draft", pa.int64()),  # and of title and text before what the outlet repeats was cut
    ]
)
EPOCH = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """One article without its text, and where it stands."""

    shard: str
    row: int
    article_id: str
    article_key: str
    content_hash: str
    title: str | None
    outlet: str | None
    agency: str | None
    published_at: dt.datetime | None
    fetched_at: dt.datetime | None
    word_count: int
    signature: bytes
    raw: int
    as_given: bool
    draft: int  # of title and text as clean left them


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What earlier nights left: files, and the night that is made now."""

    night: dt.date
    articles: list[Path]
    """Published files of `articles`, all nights."""
    signatures: list[Path]
    """SIGNATURES files of the nights in which copies are looked for."""
    wordings: list[Path]
    """WORDINGS files of all nights."""
    repeats: Path | None
    """The newest strip.PIECES table up to this night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One revision of an article, from an earlier run or from this one."""

    article_id: str
    content_hash: str
    revision: int
    fetched_at: dt.datetime | None
    where: Path | Light
    digests: frozenset[int]
    """Of the raw forms and drafts that this wording was made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    article_id: str
    fate: tables.Fate
    reason: tables.Reason | None = None
    detail: str | None = None
    revision: int = 1
    change: Change = "first"
    copy_group: str | None = None
    is_original: bool | None = None


def settle(work: Path, shards: list[str], memory: Memory, rules: CleanSettings) -> tables.ShardReport:
    """Write `work/settled/<shard>.parquet` (SETTLED) for each shard, and what later nights need, below `work`:
    signatures.parquet (SIGNATURES), wordings.parquet (WORDINGS), and repeats.parquet (strip.PIECES) if those are cut.

    The verdicts do not depend on how the inputs were cut into shards.
    """
    lights = [light for shard in shards for light in _read_lights(work, shard)]  # in the order of the inputs
    lights.sort(key=lambda a: a.fetched_at or a.published_at or EPOCH)
    known = _revisions(memory, {a.article_key for a in lights})
    if rules.cut_repeats:
        lights = _stripped(work, lights, known, memory, rules)
    verdicts: dict[tuple[str, int], Verdict] = {}
    for light in lights:
        verdict = _verdict(light, known[light.article_key], work)
        verdicts[light.shard, light.row] = verdict
        if verdict.fate is not tables.Fate.UNCHANGED:
            known[light.article_key].append(
                Seen(
                    article_id=verdict.article_id,
                    content_hash=light.content_hash,
                    revision=verdict.revision,
                    fetched_at=light.fetched_at,
                    where=light,
                    digests=frozenset((light.raw, light.draft)),
                )
            )
    kept = [a for a in lights if verdicts[a.shard, a.row].fate is not tables.Fate.UNCHANGED]
    _mark_copies(kept, verdicts, memory.signatures, rules)
    _write(work, shards, lights, verdicts)
    _write_wordings(work, lights, verdicts, known)
    return tables.ShardReport(
        step="settle", shard_id="all", seen=len(lights), used=len(kept), rejected=len(lights) - len(kept)
    )


def _stripped(
    work: Path, lights: list[Light], known: defaultdict[str, list[Seen]], memory: Memory, rules: CleanSettings
) -> list[Light]:
    """The articles after what their outlets repeat was cut."""
    outlets = {(a.shard, a.row): a.outlet for a in lights if a.outlet and not a.as_given}
    if not outlets:
        return lights
    done = strip(work, outlets, _countable(lights, known, rules), memory.repeats, memory.night, rules)
    out = []
    for light in lights:
        new = done.get((light.shard, light.row))
        out.append(
            replace(
                light, article_id=new.article_id, content_hash=new.content_hash, word_count=new.word_count,
                signature=signature(new.text).tobytes(),
            )
            if new
            else light
        )  # fmt: skip
    return out


def _countable(
    lights: list[Light], known: defaultdict[str, list[Seen]], rules: CleanSettings
) -> Iterator[tuple[str, int]]:
    """The articles in which an outlet's repetition shows: new ones, one of several copies or revisions."""
    new = {a.article_key: a for a in reversed(lights) if a.outlet and not a.as_given and not known[a.article_key]}
    copies = find_copies([_copy_key(a, a.article_key) for a in new.values()], similarity=rules.copy_similarity)
    taken: set[tuple[str, str]] = set()
    for light in sorted(new.values(), key=lambda a: a.article_key):
        verdict = copies.get(light.article_key)
        group = (light.outlet or "", verdict.copy_group if verdict else light.article_key)
        if group not in taken:
            taken.add(group)
            yield light.shard, light.row


def _read_lights(work: Path, shard: str) -> Iterator[Light]:
    data = pq.read_table(work / "clean" / shard / "light.parquet")
    for row, values in enumerate(data.to_pylist()):
        yield Light(shard=shard, row=row, draft=_short(values["content_hash"]), **values)


def _short(digest: str) -> int:
    """64 bits of a content hash."""
    return int.from_bytes(bytes.fromhex(digest)[:8], "big", signed=True)


def _revisions(memory: Memory, keys: set[str]) -> defaultdict[str, list[Seen]]:
    """The published revisions of each of `keys`, oldest first."""
    known: defaultdict[str, list[Seen]] = defaultdict(list)
    if not memory.articles or not keys:
        return known
    wanted = pa.table({"article_key": pa.array(sorted(keys), pa.string())})
    with duckdb.connect(config={"memory_limit": "1500MB", "threads": 2}) as db:
        db.register("wanted", wanted)
        digests: defaultdict[str, set[int]] = defaultdict(set)
        for article_id, raw, draft in _semi_join(db, "article_id, raw, draft", memory.wordings):
            digests[article_id] |= {raw, draft}
        for key, article_id, digest, revision, fetched_at, file in _semi_join(
            db, "article_key, article_id, content_hash, revision, fetched_at, filename", memory.articles
        ):
            known[key].append(
                Seen(
                    article_id=article_id,
                    content_hash=digest,
                    revision=revision,
                    fetched_at=fetched_at,
                    where=Path(file),
                    digests=frozenset(digests.get(article_id, ())),
                )
            )
    for revisions in known.values():
        revisions.sort(key=lambda s: s.revision)
    return known


def _semi_join(db: Any, columns: str, files: list[Path]) -> list[Any]:
    """Those rows of the files whose article_key is wanted."""
    if not files:
        return []
    rows: list[Any] = db.execute(
        f"select {columns} from read_parquet(?, filename = true, hive_partitioning = false) "
        "semi join wanted using (article_key)",
        [[str(f) for f in files]],
    ).fetchall()
    return rows


def _verdict(light: Light, known: list[Seen], work: Path) -> Verdict:
    if not known:
        return Verdict(article_id=light.article_id, fate=tables.Fate.ARTICLE)
    before = known[-1]
    same = next((s for s in reversed(known) if _is_wording_of(light, s)), None)
    if same is not None and (same is before or not _is_later(light, before)):
        here = isinstance(same.where, Light)
        reason = tables.Reason.DUPLICATE_INPUT if here else tables.Reason.SAME_CONTENT
        return Verdict(article_id=same.article_id, fate=tables.Fate.UNCHANGED, reason=reason)
    # compared as they were before what the outlet repeats was cut: another cut is no change of theirs
    change = kind_of_change(*_content(before, work), *_shard_content(work, light))
    if change is None:
        return Verdict(article_id=before.article_id, fate=tables.Fate.UNCHANGED, reason=tables.Reason.COSMETIC_CHANGE)
    revision = before.revision + 1
    # A text that went back to an older wording has that wording's id: the number keeps ids unique.
    return Verdict(
        article_id=tables.make_id("a", light.article_key, light.content_hash, revision),
        fate=tables.Fate.REVISION,
        revision=revision,
        change=change,
        detail=f"revision {revision} of {light.article_key}",
    )


def _is_wording_of(light: Light, seen: Seen) -> bool:
    """Whether a revision was made of this: same text, or the same raw form, or the same text before repeats were cut.

    So what our code makes of a page in a later version, or after it has learnt what the outlet repeats, is no revision.
    """
    return light.content_hash == seen.content_hash or light.raw in seen.digests or light.draft in seen.digests


def _is_later(light: Light, before: Seen) -> bool:
    """Whether a known wording came back: it was fetched after the newest revision, not merely given again."""
    return light.fetched_at is not None and before.fetched_at is not None and light.fetched_at > before.fetched_at


def _content(seen: Seen, work: Path) -> tuple[str | None, str]:
    """Title and text before what the outlet repeats was cut."""
    if isinstance(seen.where, Light):
        return _shard_content(work, seen.where)
    data = pq.read_table(
        seen.where,
        columns=["title", "text", "removed"],
        filters=[("article_id", "=", seen.article_id)],
        partitioning=None,
    )
    row = data.to_pylist()[0]
    return row["title"], restored(row["text"], [tables.Removed(**r) for r in row["removed"]])


def _shard_content(work: Path, light: Light) -> tuple[str | None, str]:
    data = pq.read_table(work / "clean" / light.shard / "articles.parquet", columns=["title", "text"])
    row = data.slice(light.row, 1).to_pylist()[0]
    return row["title"], row["text"]


WORD = re.compile(r"\w+")


def kind_of_change(old_title: str | None, old: str, new_title: str | None, new: str) -> Change | None:
    """How a new wording differs; None if only in spaces, case or punctuation (a cosmetic change makes no revision).

    minor: at most three words of the body were exchanged, none of them a number.
    """
    a, b = (WORD.findall(t.casefold()) for t in (old, new))
    if a == b:
        titles_equal = WORD.findall((old_title or "").casefold()) == WORD.findall((new_title or "").casefold())
        return None if titles_equal else "title"
    changed: list[str] = []
    for op, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=max(len(a), len(b)) > 2000).get_opcodes():
        if op != "equal":
            changed += a[i:j] if j - i > m - k else b[k:m]
    return "minor" if len(changed) <= 3 and not any(w.isdigit() for w in changed) else "body"


def _copy_key(light: Light, article_id: str) -> CopyKey:
    return CopyKey(
        article_id=article_id,
        article_key=light.article_key,
        signature=np.frombuffer(light.signature, dtype=np.uint32),
        published_at=light.published_at,
        fetched_at=light.fetched_at,
        agency=light.agency,
        outlet=light.outlet,
        word_count=light.word_count,
    )


def _known_copies(files: Iterable[Path]) -> Iterator[CopyKey]:
    for path in files:
        for row in pq.read_table(path).to_pylist():
            row["signature"] = np.frombuffer(row["signature"], dtype=np.uint32)
            yield CopyKey(**row)


def _mark_copies(
    kept: list[Light], verdicts: dict[tuple[str, int], Verdict], signatures: list[Path], rules: CleanSettings
) -> None:
    """Set copy_group and is_original of every kept verdict; a new article that is no original becomes a copy."""
    rows = [_copy_key(a, verdicts[a.shard, a.row].article_id) for a in kept]
    found = find_copies(rows, _known_copies(signatures), similarity=rules.copy_similarity)
    for light in kept:
        at = (light.shard, light.row)
        verdict = verdicts[at]
        alone = CopyVerdict(copy_group=tables.make_id("c", light.article_key), is_original=True)
        copy = found.get(verdict.article_id, alone)
        fate = verdict.fate
        if fate is tables.Fate.ARTICLE and not copy.is_original:
            fate = tables.Fate.COPY
        verdicts[at] = replace(verdict, fate=fate, copy_group=copy.copy_group, is_original=copy.is_original)


def _write(work: Path, shards: list[str], lights: list[Light], verdicts: dict[tuple[str, int], Verdict]) -> None:
    by_shard: dict[str, list[Light]] = defaultdict(list)
    for light in lights:
        by_shard[light.shard].append(light)
    state: list[dict[str, Any]] = []
    (work / "settled").mkdir(exist_ok=True)
    for shard in shards:
        rows = []
        for light in sorted(by_shard[shard], key=lambda a: a.row):
            v = verdicts[shard, light.row]
            kept = v.fate is not tables.Fate.UNCHANGED
            rows.append(
                {name: getattr(v, name) for name in SETTLED.names if hasattr(v, name)}
                | {"article_key": light.article_key, "kept": kept}
            )
            if kept:
                state.append(
                    {name: getattr(light, name) for name in SIGNATURES.names if hasattr(light, name)}
                    | {"article_id": v.article_id, "copy_group": v.copy_group, "is_original": v.is_original}
                )
        pq.write_table(pa.Table.from_pylist(rows, schema=SETTLED), work / "settled" / f"{shard}.parquet")
    state.sort(key=lambda r: str(r["article_id"]))
    pq.write_table(pa.Table.from_pylist(state, schema=SIGNATURES), work / "signatures.parquet", compression="zstd")


def _write_wordings(
    work: Path,
    lights: list[Light],
    verdicts: dict[tuple[str, int], Verdict],
    known: defaultdict[str, list[Seen]],
) -> None:
    """Remember what each wording was made of, where that is not known yet: one row a new raw form."""
    rows = set()
    for light in lights:
        verdict = verdicts[light.shard, light.row]
        seen = next(s for s in known[light.article_key] if s.article_id == verdict.article_id)
        if isinstance(seen.where, Light) or not {light.raw, light.draft} <= seen.digests:
            rows.add((light.article_key, verdict.article_id, light.raw, light.draft))
    data = [dict(zip(WORDINGS.names, row, strict=True)) for row in sorted(rows)]
    pq.write_table(pa.Table.from_pylist(data, schema=WORDINGS), work / "wordings.parquet", compression="zstd")
