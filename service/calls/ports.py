"""What a call's session asks of its neighbours; the composition root brings the real ones."""

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
    """Stores facts, then publishes them. Drops none: while the store fails it keeps them in order and tries again."""

    @property
    def failing(self) -> bool:
        """The store refuses writes now."""
        ...

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        """Returns once the facts are safe with the journal: stored, or kept until they can be."""
        ...

    def finished(self, call_id: str) -> None:
        """Nothing more will be written of this call."""
        ...


class CallLogs(Protocol):
    """Calls' logs as they will stand, with what is not stored yet. Every method may raise StorageError."""

    async def log(self, call_id: str) -> Sequence[LoggedFact]:
        """The whole log, oldest fact first."""
        ...

    async def summary(self, call_id: str) -> CallSummary: ...


class CallsJournal(Journal, CallLogs, Protocol):
    """A journal that many calls share."""

    def unwritten(self) -> set[str]:
        """The calls of which something is kept that is not stored yet, also those that are finished."""
        ...


class LiveDisplay(Protocol):
    """Shows what is so in a call at this moment. Nothing of it is stored."""

    def show_levels(self, levels: Levels) -> None:
        """How loud a call is."""
        ...

    def show_partial(self, partial: Partial) -> None:
        """What a party has said so far."""
        ...


class LiveBus(LiveDisplay, Protocol):
    """What happens, to everyone who watches: dashboards, and those who follow one call. Never waits, stores nothing."""

    def publish(self, *logged: LoggedFact) -> None:
        """Facts of one call that were stored together."""
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
        """How the service does has changed."""
        ...

    def live_call(self, call_id: str) -> Call | None:
        """A live call as it was announced."""
        ...

    def start_anew(self) -> None:
        """What was published of calls is of another store than what follows."""
        ...


class Recogniser(Protocol):
    """The recogniser, as sessions see it."""

    def submit(self, request: RecognitionRequest) -> asyncio.Future[Transcript | None]: ...

    def withdraw(self, call_id: str) -> None: ...


class DetectorRunner(Protocol):
    """One call's detectors, isolated and timed (detectors.runtime.runner.ThreadedDetectorRunner)."""

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]: ...

    async def heard_again(self, utterances: Sequence[Utterance]) -> list[Observation | DetectorFailure]: ...

    async def foresee(self, utterance: Utterance) -> list[Finding]: ...

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]: ...

    async def held(self, at: Seconds, seconds: Seconds) -> list[Observation | DetectorFailure]: ...

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]: ...

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]: ...


class Recorder(Protocol):
    """One call's recording. `write` never blocks; the session watches for trouble, `failing` and `paused`."""

    @property
    def failing(self) -> bool: ...

    @property
    def paused(self) -> bool: ...

    def take_unrecorded(self) -> Sequence[Unrecorded]: ...

    def write(self, role: Role, start: int, pcm: NDArray[np.int16]) -> None: ...

    async def close(self) -> None: ...
