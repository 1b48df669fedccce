"""What happened, to whom, where, when, with how many dead, and whether it happened at all."""

from tasks.extract.events.find import find_events

__all__ = ["find_events"]
