"""Facts: what happened in a call, in the one form that is stored, published and replayed.

Every fact is appended to its call's event log under the next `seq` before anyone sees it. The `type` field is
the discriminator in JSON; pydantic reads and writes these dataclasses at the edges (`FACT`). Which way a person may
move an alert is told here too (`may_change`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from asr.audio.pcm import Encoding
from asr.types import CallLanguage, Role, Seconds, Utterance, Word
from detectors.contract import Finding, Jurisdiction, Sentiment, Statement, Withdrawn
from service.record.note import CallNote

AlertState = Literal["open", "acknowledged", "confirmed", "dismissed"]
UNDECIDED: tuple[AlertState, ...] = ("open", "acknowledged")
"""States in which an alert still waits for a person's judgement."""
_NEXT_STATES: dict[AlertState, frozenset[AlertState]] = {
    "open": frozenset({"acknowledged", "confirmed", "dismissed"}),
    "acknowledged": frozenset({"confirmed", "dismissed"}),
    # A decision may be corrected. It is never undone: somebody has judged the alert, and the record says so.
    "confirmed": frozenset({"dismissed"}),
    "dismissed": frozenset({"confirmed"}),
}
SYSTEM = "callwarden"
"""The author of a change that no person makes."""
CallState = Literal["live", "ended"]
CallEnding = Literal["completed", "dropped", "rejected", "interrupted"]
"""How a call ended: the gateway said stop; it went away; it broke the protocol; the service itself went down."""

GapReason = Literal["lost", "silence", "disconnected", "unrecognised", "unrecorded"]
"""Why a stretch has no text: packets lost; a leg that sent nothing; the connection was gone; the audio is in the
recording but no recogniser could be had for it. `unrecorded` is the other way round: heard and judged, but the disk did
not take the sound."""
NoticeCode = Literal[
    "storage_failing",
    "storage_recovered",
    "storage_replaced",
    "recording_failing",
    "recording_paused",
    "recording_recovered",
    "recognition_failing",
    "recognition_recovered",
    "detector_failed",
    "protocol_error",
    "gateway_irregular",
    "audio_missing",
    "zone_unreadable",
    "zone_unknown",
    "channels_equal",
    "channels_recovered",
]
"""`gateway_irregular`: the gateway sent what it should not, and the call goes on. `audio_missing`: nothing came for a
while, and nothing of that was made up for later. `zone_unreadable`, `zone_unknown`: the debtor's clock is another than
the gateway named, or none is known, and permitted hours are judged by what stands in. `channels_equal`: one sound on
both channels, so that nobody can tell who speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One phone call as its gateway announced it. `source` names the gateway key it came in on.

    `timezone` names the debtor's time zone, by which permitted hours are judged: the tz database's name, or
    `UTC+08:00` where only an offset is known; empty where none is, or in records older than the field.
    """

    id: str
    source: str
    roles: tuple[Role, ...]
    encoding: Encoding
    rate: int
    language: CallLanguage
    jurisdiction: Jurisdiction
    started_at: datetime
    agent: str = ""
    customer: str = ""
    timezone: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Finding):
    """A finding that asks for a person's eyes. `latency` is seconds from the evidence's end to the alert, live."""

    id: str
    call_id: str
    raised_at: datetime
    latency: float
    state: AlertState = "open"
    changed_by: str | None = None
    changed_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOpened:
    call: Call
    type: Literal["call_opened"] = "call_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class UtteranceHeard:
    utterance: Utterance
    type: Literal["utterance"] = "utterance"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsTimed:
    """When each word of an utterance that carries a finding was said, on the audio clock: evidence to the word. The
    words are the utterance's text in order; they may lack its marks."""

    utterance_id: str
    words: tuple[Word, ...]
    type: Literal["words"] = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentScored:
    sentiment: Sentiment
    type: Literal["sentiment"] = "sentiment"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementMade:
    """Something was said that belongs into the record of the call."""

    statement: Statement
    type: Literal["statement"] = "statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWritten:
    """A person corrected the record of the call, or took it over as it was drafted."""

    note: CallNote
    by: str
    at: datetime
    type: Literal["note_written"] = "note_written"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMade:
    finding: Finding
    type: Literal["finding"] = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    alert: Alert
    type: Literal["alert"] = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChanged:
    """A person moved an alert to another state."""

    alert_id: str
    state: AlertState
    by: str
    at: datetime
    note: str = ""
    type: Literal["alert_changed"] = "alert_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingWithdrawn:
    """A finding turned out to be none. `alert_id`: the alert that it raised, which is dismissed where no person has
    decided on it. `at`: how far the call had come."""

    withdrawn: Withdrawn
    alert_id: str | None
    at: Seconds
    type: Literal["finding_withdrawn"] = "finding_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class GapMarked:
    """Audio of `role` (None: every leg) is missing from `start` to `end`; the recording holds silence there."""

    role: Role | None
    start: Seconds
    end: Seconds
    reason: GapReason
    type: Literal["gap"] = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class DtmfPressed:
    digit: str
    at: Seconds
    role: Role | None = None
    type: Literal["dtmf"] = "dtmf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something about this call's monitoring itself that a supervisor must know.

    `missing`: real time that passed while the audio clock stood still at `at`.
    """

    code: NoticeCode
    message: str
    at: Seconds
    missing: Seconds | None = None
    type: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResumed:
    """The call goes on: its gateway came back after its end (`returned`), or this process took it over from one that is
    gone (`restarted`). `at` is where on the audio clock."""

    at: Seconds
    cause: Literal["returned", "restarted"]
    type: Literal["call_resumed"] = "call_resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClosed:
    ended_at: datetime
    duration: Seconds
    ending: CallEnding
    reason: str = ""
    type: Literal["call_closed"] = "call_closed"


Fact: TypeAlias = (
    CallOpened
    | UtteranceHeard
    | WordsTimed
    | SentimentScored
    | StatementMade
    | FindingMade
    | FindingWithdrawn
    | AlertRaised
    | AlertChanged
    | GapMarked
    | DtmfPressed
    | Notice
    | CallResumed
    | CallClosed
    | NoteWritten
)
FACT: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, Field(discriminator="type")])


def may_change(present: AlertState, to: AlertState) -> bool:
    """Whether a person may move an alert in `present` to `to`; the store asks before it writes a change. Moving to the
    same state is no move: a second supervisor who acknowledges is told that the first one did."""
    return to in _NEXT_STATES[present]
