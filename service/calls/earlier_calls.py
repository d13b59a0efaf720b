"""Reads earlier calls from the store and their recordings, so that a call can go on. `earlier_call` has the pure
part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from asr.audio.pcm import Pcm, samples_in
from asr.threads import in_thread
from asr.types import Role, Seconds
from detectors.contract import HISTORY_DAYS, EarlierContact
from service.calls.earlier_call import EarlierCall, earlier_call_of
from service.calls.ports import CallLogs
from service.calls.session import CallSession
from service.ingest.events import CallAnnounced
from service.ingest.source import Source
from service.record.facts import Call, GapMarked
from service.record.summary import CallSummary
from service.recordings.reader import RecordedAudio, recorded_audio
from service.recordings.recordings import Recordings, RecordingUnreadable
from service.recordings.wav import WavForm
from service.storage.port import CallIndex, CallStore, NotFound, StorageUnavailable

RETURN_WITHIN: Seconds = 300.0
"""A call's id, announced again by its source this long after its end, is the same call: a pause while a card number is
read out lasts minutes. Later it is another one; counters of small PBXs begin anew. Gateways' clocks differ by less."""

_PIECE: Seconds = 2.0
"""So much recorded audio is read at once, which takes some 10 ms of the event loop's time."""


class EarlierCalls:
    """Finds a call again and tells where it stood. Every method may raise StorageError."""

    def __init__(self, store: CallStore, logs: CallLogs, recordings: Recordings, wall: Callable[[], datetime]) -> None:
        self._store = store
        self._logs = logs
        self._recordings = recordings
        self._wall = wall

    async def left(self, *, own: bool) -> list[CallSummary]:
        """The live calls of installations that are gone. With `own` also those that this one's last process left."""
        return await self._store.left(self._wall(), own=own)

    async def keep(self, call_ids: Collection[str]) -> None:
        """These calls go on here."""
        await self._store.own(call_ids, self._wall())

    async def identify(
        self, announced: CallAnnounced, source: Source, used: Collection[str], ended: str | None
    ) -> tuple[str, CallSummary | None]:
        """The id the announced call goes by, and its summary where it is one that ended a moment ago.

        A call of that id that ended long ago, or came from another source, leaves the next of `ID~2`, `ID~3`, …: what
        is said now is worth more than a tidy id. `used`: ids of calls whose opening may not be stored yet; `ended`: the
        id under which the source's last call that it announced so ended here.
        """
        if ended is not None and (found := await self._returning(ended, announced, source)):
            return ended, found
        free = await self._store.next_call_id(announced.call_id, used)
        before = _before(free, announced.call_id)
        if before not in (None, ended) and (found := await self._returning(before, announced, source)):
            return before, found
        return free, None

    async def read(self, summary: CallSummary) -> EarlierCall:
        """Where the call stood, its recording taken into account."""
        earlier = earlier_call_of(summary, await self._logs.log(summary.call.id))
        recorded = await self._recorded(earlier)
        if recorded is None:
            return earlier
        last_at = max(earlier.last_at, recorded.changed_at) if earlier.closed is None else recorded.changed_at
        return replace(earlier, reached=max(earlier.reached, recorded.duration), last_at=last_at)

    def away(self, earlier: EarlierCall) -> Seconds:
        """How long the call has had no audio."""
        return earlier.away(self._wall())

    async def history(self, call: Call) -> tuple[EarlierContact, ...] | None:
        """The debtor's other recent calls. None if the debtor is not named, or the store cannot be asked."""
        try:
            return await history_of(self._store, call)
        except StorageUnavailable:
            return None

    async def relisten(self, session: CallSession, earlier: EarlierCall) -> None:
        """Let the session hear the recorded speech that may have no text yet. What cannot be read of it is marked. When
        the words of findings were said is asked again where it was never told."""
        rate, recorded = earlier.call.rate, await self._recorded(earlier)
        if recorded is not None:
            await _time_words(session, earlier, recorded)
        begins: dict[Role, int] = {role: samples_in(earlier.settled[role], rate) for role in earlier.call.roles}
        at, end = min(begins.values()), samples_in(earlier.reached, rate)
        while at < end:
            stop = min(end, at + samples_in(_PIECE, rate))
            frames = await in_thread(lambda at=at, stop=stop: _read(recorded, at, stop))
            if not len(frames):
                await _leave_out(session, rate, at, begins, end)
                return
            for channel, role in enumerate(earlier.call.roles):
                fresh = frames[max(0, begins[role] - at) :, channel]
                session.relisten(role, fresh.copy())
            at += len(frames)

    async def _recorded(self, earlier: EarlierCall) -> RecordedAudio | None:
        call = earlier.call
        form = WavForm(roles=call.roles, rate=call.rate)
        return await asyncio.to_thread(recorded_audio, self._recordings, call.id, form)

    async def _returning(self, call_id: str, announced: CallAnnounced, source: Source) -> CallSummary | None:
        """The call of this id, if it is the announced one."""
        try:
            found = await self._logs.summary(call_id)
        except NotFound:  # its opening was refused, or another database has taken the place of its own
            return None
        if found.call.source != source.name or found.ended_at is None:
            return None
        if self._wall() - found.ended_at > timedelta(seconds=RETURN_WITHIN):
            return None
        start = announced.started_at
        return found if start is None or await self._spans(found, found.ended_at, start) else None

    async def _spans(self, found: CallSummary, ended_at: datetime, start: datetime) -> bool:
        """Whether a stream of the call may have begun then: some gateways tell each stream's own start. The call's end
        is told by the clock of its start, for calls of another day may be played in one after the other."""
        opening = (await self._logs.log(found.call.id))[0]
        lasted = max(timedelta(seconds=found.duration), ended_at - opening.at)
        begin, slack = found.call.started_at, timedelta(seconds=RETURN_WITHIN)
        return begin - slack <= start <= begin + lasted + slack


async def history_of(
    store: CallIndex, call: Call, known_at: datetime | None = None
) -> tuple[EarlierContact, ...] | None:
    """The debtor's other recent calls, as they were known then, or are now. None if the debtor is not named. Raises
    StorageUnavailable."""
    if not call.customer:
        return None
    return await store.contacts(call.customer, call.started_at - timedelta(days=HISTORY_DAYS), call.id, known_at)


def announced_id(call_id: str) -> str:
    """The id that the gateway gave the call: the part before `~`, which no announced id holds."""
    return call_id.partition("~")[0]


async def _time_words(session: CallSession, earlier: EarlierCall, recorded: RecordedAudio) -> None:
    rate = recorded.form.rate
    for said in earlier.untimed:
        begin, end = samples_in(said.start, rate), samples_in(said.end, rate)
        frames = await in_thread(lambda begin=begin, end=end: _read(recorded, begin, end))
        if len(frames):
            session.time_words(said, frames[:, recorded.form.roles.index(said.role)])


def _read(recorded: RecordedAudio | None, start: int, stop: int) -> Pcm:
    """Reads the sample frames [start, stop), or as many as there are; none if they cannot be read. Blocks."""
    if recorded is not None:
        with suppress(RecordingUnreadable):
            return recorded.read(start, stop)
    return np.empty(0, np.int16)


async def _leave_out(session: CallSession, rate: int, first: int, begins: Mapping[Role, int], end: int) -> None:
    """The recording from the sample frame `first` on cannot be recognised again. Silence keeps the clock going, and a
    gap marks it."""
    piece = samples_in(_PIECE, rate)
    for at in range(first, end, piece):
        for role, begin in begins.items():
            session.relisten(role, np.zeros(max(0, min(at + piece, end) - max(at, begin)), np.int16))
        await asyncio.sleep(0)
    for role, begin in begins.items():
        if (start := max(first, begin)) < end:
            session.mark(GapMarked(role=role, start=start / rate, end=end / rate, reason="unrecognised"))


def _before(free: str, announced: str) -> str | None:
    """The last id in use before this free one."""
    if free == announced:
        return None
    number = int(free.rpartition("~")[2]) - 1
    return announced if number == 1 else f"{announced}~{number}"
