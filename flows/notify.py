"""Word of a night to whoever answers for it: one JSON document posted to a webhook.

A webhook's address is a secret (whoever has it may post), so no log line and no table holds more of it than its host.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import httpx
import tenacity

from tasks.report.summary import Summary
from tasks.settings import NotifySettings

log = logging.getLogger(__name__)


class _Later(Exception):
    """An answer that may be another one in a while."""


def notify(summary: Summary, rules: NotifySettings) -> bool:
    """Post a finished night, if a webhook is set and the night fell short (or `always`). Whether it was taken."""
    if rules.webhook is None or not (summary.short or rules.always):
        return False
    return _post(document(summary), rules)


def notify_failure(night: dt.date, error: str, rules: NotifySettings) -> bool:
    """Post that a night came to nothing. `error`: its kind; its words may hold addresses, and are not sent."""
    text = f"nightdesk: the night {night} failed with {error}; its log says more"
    return _post({"night": night.isoformat(), "status": "failed", "error": error, "text": text}, rules)


def document(summary: Summary) -> dict[str, Any]:
    """What is posted: `text` is for chats that show just that."""
    return {
        "night": summary.night.isoformat(),
        "status": "short" if summary.short else "ok",
        "text": "\n".join([f"nightdesk: night {summary.night}, {summary.inputs} inputs", *summary.short_lines()]),
        "run_id": summary.run_id,
        "inputs": summary.inputs,
        "fates": summary.fates,
        "short": [asdict(s) for s in summary.short],
        "report": summary.report,
    }


def _post(what: Mapping[str, Any], rules: NotifySettings) -> bool:
    """Post, with tries. A fault is a warning: a night is not worse for nobody having heard of it."""
    if rules.webhook is None:
        return False
    address = rules.webhook.get_secret_value()
    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((httpx.TransportError, _Later)),
        stop=tenacity.stop_after_attempt(rules.attempts),
        wait=tenacity.wait_exponential(rules.retry_wait_s, max=60),
        reraise=True,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its INFO lines hold whole addresses
    try:
        status = tries(_once, address, what, rules.timeout_s)
    except (httpx.TransportError, httpx.InvalidURL, _Later) as err:
        fault = str(err) if isinstance(err, _Later) else type(err).__name__
    else:
        if 200 <= status < 300:
            return True
        fault = f"HTTP {status}"
    log.warning("nobody was notified of night %s: %s answered %s", what["night"], urlsplit(address).hostname, fault)
    return False


def _once(address: str, what: Mapping[str, Any], timeout_s: float) -> int:
    # no redirects: a webhook that moved is a setting to mend, and its secret is not for another host
    with httpx.Client(timeout=timeout_s, follow_redirects=False) as client:
        status = client.post(address, json=what).status_code
    if status == 429 or status >= 500:
        raise _Later(f"HTTP {status}")
    return status
