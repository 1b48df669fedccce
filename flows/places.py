"""Where raw archive and tables lie: a folder as it is, an s3:// address as its local mirror.

The one seam to buckets: behind it every command works with folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasks.remote.bucket import SCHEME, Bucket, is_remote, written
from tasks.remote.mirror import Mirror, address_of
from tasks.scrape.shards import InputError
from tasks.settings import S3Settings, Settings


def at_hand(rules: Settings) -> Settings:
    """The settings with folders for `raw` and `processed`; the mirror of tables in a bucket is brought up to date.

    Raises RemoteError where a bucket cannot be read.
    """
    changes = {}
    if is_remote(rules.processed):
        tables = Mirror.make(rules.processed, rules.s3, what="tables")
        tables.refresh()
        changes["processed"] = str(tables.folder)
    if is_remote(rules.raw):
        changes["raw"] = str(Mirror.make(rules.raw, rules.s3, what="raw").folder)
    return rules.model_copy(update=changes) if changes else rules


def as_given(rules: Settings) -> Settings:
    """The settings with the addresses that their folders stand for."""
    places = {name: address_of(getattr(rules, name)) for name in ("raw", "processed")}
    known = {name: address for name, address in places.items() if address}
    return rules.model_copy(update=known) if known else rules


def shown(folder: Path) -> str:
    """How a person knows a folder: by its address where it is a mirror."""
    return address_of(folder) or str(folder)


def put_back(folder: Path) -> None:
    """What a command wrote beside the tables (a report, verdicts) goes into the bucket that the folder mirrors."""
    mirror = Mirror.at(folder)
    if mirror is not None:
        mirror.push()


def inputs_at_hand(paths: Sequence[Path], rules: S3Settings) -> list[Path]:
    """Inputs as local files: what an s3:// address names is fetched, a prefix as a folder of what lies below it.

    Raises InputError if there is nothing at an address, RemoteError if it cannot be read.
    """
    return [_input(written(p), rules) if is_remote(p) else p for p in paths]


def _input(address: str, rules: S3Settings) -> Path:
    whole = Bucket(address, rules.endpoint)
    name = whole.key("")
    mirror = Mirror.make(f"{SCHEME}{whole.name}", rules, what="inputs")
    if not name:
        raise InputError(f"{address} is a whole bucket: name what of it is to be read")
    below = {n: f for n, f in mirror.bucket.found(name).items() if n == name or n.startswith(f"{name}/")}
    if not below:
        raise InputError(f"there is nothing at {address}: check the address")
    mirror.bring(below, below)
    here = (mirror.named(p) for p in (mirror.folder / name).rglob("*") if p.is_file())
    mirror.drop([n for n in here if n not in below])
    return mirror.folder / name
