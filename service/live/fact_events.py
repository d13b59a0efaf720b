"""Stored facts as live events: each fact once, the call's summary no more often than it says something new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from service.live.messages import Event
from service.record.facts import CallOpened, CallResumed, DtmfPressed, Fact, FindingMade, WordsTimed
from service.record.summary import CallSummary
from service.storage.port import LoggedFact


def events_of(batch: Sequence[LoggedFact]) -> Iterator[Event]:
    """The events of one call's facts that were stored, or are read, together.

    The last one carries the summary, and so do the opening and the going on, with which a call comes onto the screen.
    """
    changed = any(_changes_summary(logged.fact) for logged in batch)
    for place, logged in enumerate(batch, 1):
        told = isinstance(logged.fact, CallOpened | CallResumed) or (changed and place == len(batch))
        yield Event(
            call_id=logged.call_id,
            seq=logged.seq,
            at=logged.at,
            fact=logged.fact,
            summary=_without_metadata(logged.summary) if told else None,
        )


def _changes_summary(fact: Fact) -> bool:
    """Whether it changes more of a summary than its `seq`."""
    return not isinstance(fact, WordsTimed | FindingMade | DtmfPressed)


def _without_metadata(summary: CallSummary) -> CallSummary:
    """Metadata may have 60 kB, and stays what it was at the opening."""
    return replace(summary, call=replace(summary.call, metadata={}))
