"""Given names of many countries -> given_names_world.tsv. Run by hand: python -m tasks.extract.sources.build_names

The lists are those of the package Faker (MIT licence, Daniele Faraglia and contributors), which is needed for this
script alone: `pip install faker`, version 40 was used. Names of both genders, in other scripts, of fewer than three
letters, and English words that are no name in most sentences are left out.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import defaultdict
from pathlib import Path
from types import ModuleType

OUT = Path(__file__).parent / "given_names_world.tsv"
_LATIN = re.compile(r"[a-zß-öø-ÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĵķĺļľłńņňōŏőŕŗřśŝşšţťũūŭůűųŵŷźżžǎșțəẠ-ỹ'’-]{3,}")
_WORDS = frozenset(
    "may will april june august summer autumn winter hope faith joy mercy grace precious gift bless blessing prince "
    "king duke earl art rich guy gene bill mark grant chase hunter mason carter cooper taylor miller angel chance "
    "london paris florence victoria virginia georgia carolina dakota brooklyn austin dallas houston chelsea india asia "
    "china jordan israel france sierra savannah madison lincoln kent lane dean major judge pat van von den der del san "
    "santa the and sun son star sky river rain rose lily daisy ivy olive iris amber jade ruby pearl crystal destiny "
    "harmony melody trinity autumn royal patience peace favour favor goodness sunday monday friday".split()
)


_CYRILLIC = dict(zip("абвгдежзийклмнопрстуфхцчшщъыьэюяёєіїґ", (
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya yo ye i yi g".replace("_", "").split(" ")
), strict=True))  # fmt: skip
_UKRAINIAN = {**_CYRILLIC, "г": "h", "и": "y"}


def _romanised(name: str, country: str) -> str:
    """A Cyrillic name as English newspapers write it; others as they are."""
    table = _UKRAINIAN if country.startswith("uk") else _CYRILLIC
    out = "".join(table.get(c, c) for c in name)
    return out[:-2] + "y" if out.endswith("iy") and out != name else out


def names_of(provider: type, gender: str) -> set[str]:
    """Lower-case names of one gender in a provider's plain and romanised lists."""
    found: set[str] = set()
    for attribute in (f"first_names_{gender}", f"first_{gender}_names", f"first_names_{gender}_romanized"):
        found.update(str(n) for n in getattr(provider, attribute, ()))
    for pair in getattr(provider, f"first_name_{gender}_pairs", ()):
        found.add(str(pair[-1]))  # kanji, kana, romanised
    return {n.lower().replace("’", "'") for n in found}


def main() -> None:
    person: ModuleType = importlib.import_module("faker.providers.person")
    genders: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for info in pkgutil.iter_modules(person.__path__):
        provider = getattr(importlib.import_module(f"faker.providers.person.{info.name}"), "Provider", None)
        if provider is None:
            continue
        for k, gender in enumerate(("female", "male")):
            for name in names_of(provider, gender):
                latin = _romanised(name, info.name)
                if _LATIN.fullmatch(latin) and latin not in _WORDS:
                    genders[latin][k] += 1
    lists: dict[str, list[str]] = {"f": [], "m": [], "?": []}
    for name, (women, men) in sorted(genders.items()):
        sure = max(women, men) >= 4 * min(women, men)
        lists[("f" if women > men else "m") if sure else "?"].append(name)
    lines = ["# gender<TAB>given names of many countries, lower case; ?: of both. From the package Faker (MIT licence,"]
    lines += ["# Daniele Faraglia and contributors), by build_names.py."]
    lines += [f"{gender}\t{' '.join(names)}" for gender, names in lists.items()]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
