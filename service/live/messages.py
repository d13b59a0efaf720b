"""What goes over `WS /api/v1/live`. These dataclasses are the wire: the OpenAPI document carries them.

Server to client: a Snapshot first, then Events in each call's `seq` order, Levels and Partials that are never stored,
and Resync when the client fell behind. Client to server: Resume with the last `seq` it has of each call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from asr.recognition.degradation import DegradationLevel
from asr.types import Role, Seconds
from service.record.facts import Alert, CallOpened, CallResumed, Fact
from service.record.summary import CallSummary, changes_summary
from service.storage.port import LoggedFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the service itself does, for the strip on top of every page. `max_calls` can be carried now and are allowed;
    `level` is what is left undone for want of time; `troubles` are sentences' codes."""

    model: str
    live_calls: int
    max_calls: int
    backlog: Seconds
    level: DegradationLevel = "full"
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All live calls and the newest undecided alerts; replaces whatever the client held."""

    now: datetime
    calls: tuple[CallSummary, ...]
    alerts: tuple[Alert, ...]
    health: Health
    type: Literal["snapshot"] = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One stored fact; with it the call's summary as of then or later, at most once for the facts that came together,
    and not where none of them changes it. Its call has no metadata: the opening's fact and the snapshot tell it."""

    call_id: str
    seq: int
    at: datetime
    fact: Annotated[Fact, Field(discriminator="type")]
    summary: CallSummary | None
    type: Literal["event"] = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsAnswer:
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Twice a second for each live call: loudness in dBFS (RMS) and who is speaking. Not stored, no `seq`."""

    call_id: str
    at: Seconds
    dbfs: dict[Role, float]
    speaking: tuple[Role, ...]
    type: Literal["levels"] = "levels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What one party has said so far of the utterance in progress: the words that two recognitions in a row agree on.
    Not stored, no `seq`.

    While `start` stays the same, `text` only ever grows. Empty: there is no interim text any more (the final text has
    come, or nobody spoke). One that begins before the end of its party's last utterance is stale.
    """

    call_id: str
    role: Role
    start: Seconds
    text: str
    type: Literal["partial"] = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChanged:
    health: Health
    type: Literal["health"] = "health"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resync:
    """Messages were dropped because this client reads too slowly; a Snapshot follows."""

    type: Literal["resync"] = "resync"


LiveMessage: TypeAlias = Snapshot | Event | Levels | Partial | HealthChanged | Resync
LIVE_MESSAGE: TypeAdapter[LiveMessage] = TypeAdapter(Annotated[LiveMessage, Field(discriminator="type")])


MAX_SEQ = 2**31 - 1
"""The store counts a call's facts in 32 bits: beyond is no `seq`, and no database takes it."""

Seq: TypeAlias = Annotated[int, Field(ge=0, le=MAX_SEQ)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The last `seq` the client holds of each call: missed Events follow the Snapshot."""

    seqs: dict[str, Seq]
    type: Literal["resume"] = "resume"


def events_of(batch: Sequence[LoggedFact]) -> Iterator[Event]:
    """The events of one call's facts that were stored, or are read, together: each fact once.

    One carries the newest summary, if any of them changes it: the opening or the going on, with which a call comes onto
    the screen, else the last one.
    """
    carrier = _carrier(batch)
    for logged in batch:
        yield Event(
            call_id=logged.call_id,
            seq=logged.seq,
            at=logged.at,
            fact=logged.fact,
            summary=_without_metadata(batch[-1].summary) if logged is carrier else None,
        )


def _carrier(batch: Sequence[LoggedFact]) -> LoggedFact | None:
    entries = (logged for logged in batch if isinstance(logged.fact, CallOpened | CallResumed))
    changed = any(changes_summary(logged.fact) for logged in batch)
    return next(entries, batch[-1] if changed else None)


def _without_metadata(summary: CallSummary) -> CallSummary:
    """The summary without its metadata, which may have 60 kB and never change after the opening."""
    return replace(summary, call=replace(summary.call, metadata={}))
