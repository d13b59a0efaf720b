"""What a call's session works with, and what it may hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from asr.engines.port import Biasing
from asr.types import Language, Seconds
from detectors.contract import CallContext, EarlierContact, PackVersion
from service.calls.call_recognition import BACKLOG
from service.calls.ports import DetectorRunner, Journal, LiveDisplay, Recogniser, Recorder
from service.calls.word_times import CLOSE_WITHIN, MOST_WAITING
from service.calls.work_queue import MOST_WORK
from service.metrics import Metrics
from service.record.facts import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What one call may have waiting: `work` pieces of work, `backlog` seconds of speech for their text, and
    `words_awaited` utterances for the times of their words. When it is over it waits `words_within` seconds for those,
    and `recording_within` for the disk to take the last of its sound."""

    work: int = MOST_WORK
    backlog: Seconds = BACKLOG
    words_awaited: int = MOST_WAITING
    words_within: Seconds = CLOSE_WITHIN
    recording_within: Seconds = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """What a session works with. `monotonic` and `wall` are its clocks, `biasing` its call's vocabulary in
    each language, `pack` the rules that judge it; `max_pace` bounds how many times real time audio may come; `partials`
    tells whether utterances are recognised while they go on, which nobody sees of a file."""

    journal: Journal
    display: LiveDisplay
    recogniser: Recogniser
    detectors: DetectorRunner
    recorder: Recorder
    metrics: Metrics
    monotonic: Callable[[], float]
    wall: Callable[[], datetime]
    max_pace: float
    biasing: Mapping[Language, Biasing] = field(default_factory=dict[Language, Biasing])
    pack: PackVersion | None = None
    partials: bool = True
    limits: SessionLimits = SessionLimits()


def context_of(call: Call, history: tuple[EarlierContact, ...] | None = None) -> CallContext:
    """What the detectors are told of a call, and of its debtor's other calls."""
    return CallContext(
        call_id=call.id,
        language=call.language,
        jurisdiction=call.jurisdiction,
        started_at=call.started_at,
        timezone=call.timezone,
        metadata=call.metadata,
        legs=call.roles,
        history=history,
    )
