"""What a host's robots.txt says to us, by RFC 9309."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protego import Protego

from tasks.discover.parse import MAX_ROBOTS_BYTES
from tasks.tables import Failure, Reason

__all__ = ["MAX_ROBOTS_BYTES", "Robots", "RobotsState", "read_robots"]

RobotsState = Literal["ok", "missing", "unreachable"]

_HOST_FAULTS = (Reason.ADDRESS_REFUSED, Reason.DNS_FAILED, Reason.CONNECT_FAILED, Reason.TLS_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """The answer of one origin (scheme, host and port). `failure` says why it could not be had, if it could not."""

    state: RobotsState
    rules: Protego | None = None
    failure: Failure | None = None
    size: int = 0  # of the file, bytes

    def allows(self, url: str, agent: str) -> bool:
        """Whether the agent, by its product word, may ask for the address. Unreachable means no (section 2.3.1.4)."""
        if self.rules is None:
            return self.state == "missing"
        return bool(self.rules.can_fetch(url, agent))

    def delay_s(self, agent: str) -> float:
        """The pause its Crawl-delay asks for (not in the RFC, widely used); 0 where it asks for none."""
        delay = self.rules.crawl_delay(agent) if self.rules is not None else None
        return max(0.0, float(delay)) if delay is not None else 0.0

    def refusal(self, url: str) -> Failure:
        """Why an address it does not allow is not fetched: the host's own fault if it has one, else robots.txt's."""
        if self.failure is None:
            return _refused(url, Reason.ROBOTS_DISALLOW, "robots.txt does not allow it")
        reason = self.failure.reason if self.failure.reason in _HOST_FAULTS else Reason.ROBOTS_UNREACHABLE
        return _refused(url, reason, f"robots.txt was not to be had: {self.failure.detail}", self.failure.attempts)


def _refused(url: str, reason: Reason, detail: str, attempts: int = 0) -> Failure:
    return Failure(ref=url, url=url, step="scrape", reason=reason, detail=detail, attempts=attempts)


def read_robots(answer: bytes | Failure) -> Robots:
    """A robots.txt's bytes, or why there are none, as rules.

    Section 2.3.1: a 4xx status, and too many redirects, mean that there are no rules; a 5xx status and a network that
    fails mean that everything is disallowed.
    """
    if isinstance(answer, Failure):
        if answer.reason in (Reason.HTTP_GONE, Reason.HTTP_REFUSED, Reason.TOO_MANY_REDIRECTS):
            return Robots(state="missing")
        return Robots(state="unreachable", failure=answer)
    return Robots(state="ok", rules=Protego.parse(answer.decode("utf-8-sig", "replace")), size=len(answer))
