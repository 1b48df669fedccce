"""How fast one host is asked: never faster than its delay, slower when it is slow or says that it has enough."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from urllib.parse import urlsplit

FIRST_PENALTY_S = 2.0


@dataclass(slots=True, kw_only=True)
class Host:
    """The queue of one host: one request at a time, `delay_s` after the one before.

    `floor_s` is the delay of the settings or of robots.txt. `penalty_s` doubles with every 429 or 503 and fades with
    good answers; `latency_s` is a running mean of the time to the first byte. `quiet_until`: it asked for a long pause.
    """

    floor_s: float
    most_s: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0
    first_at: float | None = None
    faults: int = 0  # network faults since the last answer
    latency_s: float = 0.0
    penalty_s: float = 0.0
    strikes: int = 0  # answers 429 or 503 since the last other one
    quiet_until: dt.datetime | None = None

    @property
    def delay_s(self) -> float:
        """A slow host gets at least as long a pause as it takes for an answer: it is never more than half busy with us.

        A Crawl-delay is obeyed whatever its length; what we add ourselves is bounded by the setting."""
        return max(self.floor_s, min(max(self.latency_s, self.penalty_s), self.most_s))

    def answered(self, seconds: float) -> None:
        """It answered something else, after so many seconds."""
        self.strikes = 0
        self.latency_s = seconds if self.latency_s == 0.0 else 0.7 * self.latency_s + 0.3 * seconds
        self.penalty_s = 0.0 if self.penalty_s < 0.1 else 0.8 * self.penalty_s

    def refused(self) -> None:
        """It answered 429 or 503."""
        self.strikes += 1
        self.penalty_s = min(self.most_s, max(FIRST_PENALTY_S * self.floor_s, 2.0 * self.penalty_s))


def host_key(url: str) -> str:
    """The name of the queue: the host, and its port where that is no standard one."""
    parts = urlsplit(url)
    standard = parts.port is None or parts.port == {"http": 80, "https": 443}.get(parts.scheme)
    return (parts.hostname or "") if standard else f"{parts.hostname}:{parts.port}"
