"""The nightly flow as Prefect deploys it: `nightdesk serve` names `flows/deployed.py:nightly`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from flows.nightly import Request, run_and_tell
from flows.places import at_hand
from flows.progress import progress
from flows.schedule import night_of
from tasks.settings import Settings


@flow(name="scheduled-night", flow_run_name="night", persist_result=False)
def nightly(settings: str | None = None, night: str | None = None) -> dict[str, Any]:
    """One night. `settings`: a nightdesk.toml (default: the one in the working folder). `night`: by default the date
    that the run was due on, in the zone of the schedule.

    Answers the summary; raises what run_and_tell raises, so that the flow run fails visibly.
    """
    rules = at_hand(Settings.load(Path(settings) if settings else None))
    due = flow_run.scheduled_start_time or dt.datetime.now(dt.UTC)  # not when it began: it may have had to wait
    request = Request(
        outlets=Path(rules.outlets),
        night=dt.date.fromisoformat(night) if night else night_of(rules, due),
        root=Path(rules.processed),
        raw=Path(rules.raw),
        settings=rules,
    )
    return run_and_tell(request, progress()).as_json()
