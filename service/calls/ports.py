"""The ports of a call's session: what it needs from the journal, the live bus, the recogniser, the detectors and the
recording."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from asr.recognition.queue import RecognitionRequest
from asr.types import Role, Seconds, Transcript, Utterance
from detectors.contract import Finding, Observation
from detectors.runtime.runner import DetectorFailure
from service.live.messages import Levels, Partial
from service.record.facts import Call, Fact
from service.record.summary import CallSummary
from service.recordings.recordings import Unrecorded
from service.storage.port import LoggedFact


class Journal(Protocol):
    """Stores facts, then publishes them. It drops none: while the store fails, it keeps them in order and tries
    again."""

    @property
    def failing(self) -> bool:
        """Whether the store refuses writes now."""
        ...

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        """Returns once the facts are safe: stored, or kept until they can be."""
        ...

    def finished(self, call_id: str) -> None:
        """Nothing more will be written of this call."""
        ...


class CallLogs(Protocol):
    """Calls' logs as they will stand, with what is not stored yet. Every method may raise StorageError."""

    async def log(self, call_id: str) -> Sequence[LoggedFact]:
        """The whole log, oldest fact first."""
        ...

    async def summary(self, call_id: str) -> CallSummary:
        """The summary folded from that log."""
        ...


class CallsJournal(Journal, CallLogs, Protocol):
    """A journal that many calls share."""

    def unwritten(self) -> set[str]:
        """The calls of which the journal keeps facts that are not stored yet. Calls that are finished count too."""
        ...


class LiveDisplay(Protocol):
    """Shows the present state of a call. Nothing of it is stored."""

    def show_levels(self, levels: Levels) -> None:
        """Show how loud each leg is."""
        ...

    def show_partial(self, partial: Partial) -> None:
        """Show what a party has said so far."""
        ...


class LiveBus(LiveDisplay, Protocol):
    """Passes on what happens to everyone who watches: dashboards, and those who follow one call. It never waits and
    stores nothing."""

    def publish(self, *logged: LoggedFact) -> None:
        """Pass on facts of one call that were stored together."""
        ...

    def ended(self, call_id: str) -> None:
        """Nothing more will be published of this call."""
        ...

    def follow(self, call_id: str) -> AsyncIterator[LoggedFact]:
        """The call's facts as they are published, from now until it has ended. Ends early for one that falls too far
        behind."""
        ...

    def follow_partials(self, call_id: str) -> AsyncIterator[Partial]:
        """The call's interim texts as they are shown, as `follow` its facts."""
        ...

    def show_health(self) -> None:
        """The state of the service has changed."""
        ...

    def live_call(self, call_id: str) -> Call | None:
        """A live call as it was announced."""
        ...

    def start_anew(self) -> None:
        """Facts published before come from another store than those that follow."""
        ...


class Recogniser(Protocol):
    """The recogniser, as sessions use it."""

    def submit(self, request: RecognitionRequest) -> asyncio.Future[Transcript | None]:
        """Ask for the text of a stretch of speech. The future gives None if nobody speaks, and raises
        RecognitionError."""
        ...

    def withdraw(self, call_id: str) -> None:
        """Cancel all requests of a call."""
        ...


class DetectorRunner(Protocol):
    """One call's detectors, isolated and timed (detectors.runtime.runner.ThreadedDetectorRunner)."""

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        """What the detectors say of a final utterance."""
        ...

    async def heard_again(self, utterances: Sequence[Utterance]) -> list[Observation | DetectorFailure]:
        """What they say of utterances of an earlier session, at least one; only what concerns the last one may be
        news."""
        ...

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        """Findings that already hold of an utterance that still goes on."""
        ...

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        """The agent's audio from `start` to `end` has no text. Only failures come back."""
        ...

    async def held(self, at: Seconds, seconds: Seconds) -> list[Observation | DetectorFailure]:
        """The audio clock stood still at `at` for so many `seconds` of real time. Only failures come back."""
        ...

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        """The audio clock has reached `at`, and everything said before it was told."""
        ...

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        """The call is over after `at` seconds. Nothing follows."""
        ...


class Recorder(Protocol):
    """One call's recording. `write` never blocks; the session watches for trouble, `failing` and `paused`."""

    @property
    def failing(self) -> bool:
        """Whether audio does not reach the store now."""
        ...

    @property
    def paused(self) -> bool:
        """Whether nothing is recorded, because the disk is nearly full."""
        ...

    def take_unrecorded(self) -> Sequence[Unrecorded]:
        """The stretches that are missing in the recording and have ended since the last call of this."""
        ...

    def write(self, role: Role, start: int, pcm: NDArray[np.int16]) -> None:
        """A run of one leg: int16 at the call's rate, from its sample `start` on."""
        ...

    async def close(self) -> None:
        """Write what is left and close the recording."""
        ...
