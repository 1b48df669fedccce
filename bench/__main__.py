"""usage: python -m bench [SECTION…] [--check | --pin [--lower]] [--rounds N]
       python -m bench speed --pages N [--english]

Sections: pages more text quotes world events seed speed report fetch scale; all of them where none is named. Results
are kept in bench/results/latest.json and latest.md. `--check` leaves out seed, speed, report, fetch and scale unless
they are named, writes nothing, and ends with 1 if a figure fell below its floor in bench/baseline.json. Ends with 2
where ../shared is not there. `speed --pages 20000` reads so many pages, the 1,134 ones with other words at other
addresses, and draws docs/speed.svg; with `--english` those that say they are, and draws nothing.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
import time
from collections.abc import Callable

from bench import report
from bench.gold import Absent, Row, need_shared

WHERE = {
    "pages": "bench.pages:run_pages",
    "more": "bench.pages:run_more",
    "text": "bench.pages:run_text",
    "quotes": "bench.extraction:run_quotes",
    "world": "bench.extraction:run_world",
    "events": "bench.eval_events:run_section",
    "seed": "bench.night:run_seed",
    "speed": "bench.night:run_speed",
    "report": "bench.morning:run_report",
    "fetch": "bench.fetch:run_fetch",
    "scale": "bench.scale:run_scale",
}
NEEDS_NOTHING = {"report", "fetch"}  # no labelled set
QUICK = ("pages", "more", "text", "quotes", "world", "events")


def runner(section: str, rounds: int, pages: int, english: bool) -> Callable[[], list[Row]]:
    """The function of a section; its imports (spaCy, the peers) are paid for only when it is run."""
    if pages:
        return functools.partial(importlib.import_module("bench.long_run").run_long, pages, english=english)
    module, _, name = WHERE[section].partition(":")
    function = getattr(importlib.import_module(module), name)
    return functools.partial(function, rounds) if section == "speed" else function


def measure(
    sections: list[str], rounds: int, pages: int = 0, *, english: bool = False, keep: bool
) -> tuple[list[Row], list[str]]:
    """Rows of the sections, and what could not be measured and why. Each section is kept as soon as it is done."""
    rows: list[Row] = []
    missing = []
    for section in sections:
        begun = time.monotonic()
        print(f"{section} …", file=sys.stderr, flush=True)
        try:
            rows += [*runner(section, rounds, pages, english)(), *report.quoted_rows({section})]
            if keep:
                report.keep([r for r in rows if r.section == section])
        except (Absent, ModuleNotFoundError) as err:
            missing.append(f"{section}: {err}")
        print(f"{section}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return rows, missing


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("sections", nargs="*", choices=[[], *WHERE], metavar="SECTION")
    ap.add_argument("--check", action="store_true", help="compare with the floors; write nothing")
    ap.add_argument("--pin", action="store_true", help="make the floors of the figures of this run")
    ap.add_argument("--lower", action="store_true", help="let --pin lower a floor")
    ap.add_argument("--rounds", type=int, default=1, help="turns of the speed section")
    ap.add_argument("--pages", type=int, default=0, help="of the long run of the speed section")
    ap.add_argument("--english", action="store_true", help="only English pages in it")
    args = ap.parse_args()
    if args.english and not args.pages:
        ap.error("--english is of the long run alone: python -m bench speed --pages 5000 --english")
    if args.pages and args.sections != ["speed"]:
        ap.error("--pages is of the section speed alone: python -m bench speed --pages 20000")
    try:
        if not args.sections or set(args.sections) - NEEDS_NOTHING:
            need_shared()
    except Absent as err:
        print(err, file=sys.stderr)
        return 2
    sections = args.sections or list(QUICK if args.check else WHERE)
    rows, missing = measure(
        [s for s in WHERE if s in sections], args.rounds, args.pages,
        english=args.english, keep=not (args.check or args.pages),
    )  # fmt: skip
    if args.check:
        faults = [*report.check(rows), *missing]
        print("\n".join(faults) or "all figures are at or above their floors")
        return 1 if faults else 0
    print(report.plain_table(rows))
    if args.pin:
        report.pin(rows, lower=args.lower)
    for line in missing:
        print(f"not measured: {line}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
