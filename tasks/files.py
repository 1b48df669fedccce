"""Files and folders that are whole or not there, also after a power cut: synced first, then renamed into place."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have a file's content, or a folder's list of names, on the disk before anything that counts on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_in_place(draft: Path, place: Path) -> None:
    """Rename a finished file, or a folder of finished files, to where it shall stand."""
    for path in [*draft.iterdir(), draft] if draft.is_dir() else [draft]:
        sync(path)
    os.replace(draft, place)
    sync(place.parent)
