"""Where the labelled sets and their scorers lie, and how one is run. Nothing of them is part of this repository."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
DATA = SHARED / "data"
WORK = Path(__file__).parent / "results" / "work"
OURS = "nightdesk"


class Absent(Exception):
    """The labelled sets, or something else that a section needs, are not on this machine. The message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Figures of one system on one set. `quoted` ones were not measured here but read in ../shared/README.md."""

    section: str
    set: str
    system: str
    figures: dict[str, float | None]
    quoted: bool = False
    note: str = ""


@dataclass(slots=True)
class Predictions:
    """Answers of one system, in the scorers' form, one a record."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def write(self) -> Path:
        return write_lines(WORK / f"{self.name}.pred.jsonl", self.rows)


def need_shared() -> None:
    """Raises Absent where ../shared is not beside the project."""
    if not (SHARED / "tools").is_dir() or not DATA.is_dir():
        raise Absent("the labelled sets are not there: the bench needs ../shared with data/ and tools/ in it")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Records of a JSON Lines file, gzipped or not."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as zipped:
            return [json.loads(line) for line in zipped if line.strip()]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


def plain(gold: Path) -> Path:
    """The gold file unzipped: not every scorer reads gzip."""
    if gold.suffix != ".gz":
        return gold
    copy = WORK / gold.name.removesuffix(".gz")
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(gzip.decompress(gold.read_bytes()))
    return copy


def score(tool: str, gold: Path, predicted: Predictions, *options: str) -> dict[str, Any]:
    """What a scorer of ../shared/tools says, as a dictionary. Raises CalledProcessError if it fails."""
    out = WORK / f"{predicted.name}.score.json"
    out.unlink(missing_ok=True)
    to_stdout = tool in ("score_pages.py", "score_detail.py")
    command = [sys.executable, str(SHARED / "tools" / tool), str(gold), str(predicted.write()), *options, "--json"]
    done = subprocess.run(command if to_stdout else [*command, str(out)], check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout if to_stdout else out.read_text(encoding="utf-8"))
    return result


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
