"""Calls that were written of before, read from store and recordings: to go on with them. The shell of `resume`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from asr.audio.pcm import samples_in
from asr.threads import in_thread
from asr.types import Seconds
from detectors.contract import HISTORY_DAYS, EarlierContact
from service.calls.earlier_call import EarlierCall, earlier_call_of
from service.calls.session import CallSession
from service.ingest.events import CallAnnounced
from service.ingest.source import Source
from service.record.facts import Call
from service.record.summary import CallSummary
from service.recordings.reader import RecordedAudio, recorded_audio
from service.recordings.recordings import Recordings
from service.recordings.wav import WavForm
from service.storage.port import CallStore, LoggedFact, StorageUnavailable

RETURN_WITHIN: Seconds = 300.0
"""A call's id, announced again by its source this long after its end, is the same call: a pause while a card number is
read out lasts minutes. Later it is another one; counters of small PBXs begin anew."""
SAME_START: Seconds = 2.0
"""Announced starts further apart than this are two calls. Clients that write whole seconds round either way."""

_PAGE = 1000
_PIECE: Seconds = 2.0
"""Recorded audio listened to at once: some 10 ms of the event loop's time."""


class EarlierCalls:
    """Finds a call again and tells where it stood. Every method may raise StorageError."""

    def __init__(self, store: CallStore, recordings: Recordings, wall: Callable[[], datetime]) -> None:
        self._store = store
        self._recordings = recordings
        self._wall = wall

    async def left(self, *, own: bool) -> list[CallSummary]:
        """Live calls of installations that are gone; with `own` those, too, that this one's last process left."""
        return await self._store.left(self._wall(), own=own)

    async def keep(self, call_ids: Collection[str]) -> None:
        """These calls go on here."""
        await self._store.own(call_ids, self._wall())

    async def identify(
        self, announced: CallAnnounced, source: Source, claimed: Collection[str]
    ) -> tuple[str, CallSummary | None]:
        """The id the announced call goes by, and its summary where it is one that ended a moment ago.

        A call of that id that ended long ago, or came from another source, leaves the next of `ID~2`, `ID~3`, …: what
        is said now is worth more than a tidy id. `claimed`: ids of calls whose opening may not be stored yet.
        """
        free = await self._store.next_call_id(announced.call_id, claimed)
        before = _before(free, announced.call_id)
        if before is None or before in claimed:
            return free, None
        found = await self._store.summary(before)
        return (before, found) if self._returns(found, announced, source) else (free, None)

    async def read(self, summary: CallSummary) -> EarlierCall:
        """Where the call stood, its recording taken into account."""
        log: list[LoggedFact] = []
        while page := await self._store.facts(summary.call.id, after=log[-1].seq if log else 0, limit=_PAGE):
            log += page
        earlier = earlier_call_of(summary, log)
        recorded = await self._recorded(earlier)
        if recorded is None:
            return earlier
        last_at = max(earlier.last_at, recorded.changed_at) if earlier.closed is None else recorded.changed_at
        return replace(earlier, reached=max(earlier.reached, recorded.duration), last_at=last_at)

    def away(self, earlier: EarlierCall) -> Seconds:
        """How long the call has been without audio."""
        return max(0.0, (self._wall() - earlier.last_at).total_seconds())

    async def history(self, call: Call) -> tuple[EarlierContact, ...] | None:
        """The debtor's other calls of late; None where the debtor is not named, or the store cannot be asked."""
        if not call.customer:
            return None
        since = call.started_at - timedelta(days=HISTORY_DAYS)
        try:
            return await self._store.contacts(call.customer, since, call.id)
        except StorageUnavailable:
            return None

    async def relisten(self, session: CallSession, earlier: EarlierCall) -> None:
        """Let the session hear the recorded speech that may have no text yet."""
        recorded = await self._recorded(earlier)
        if recorded is None:
            return
        rate = earlier.call.rate
        begins = {role: samples_in(earlier.settled[role], rate) for role in earlier.call.roles}
        at = min(begins.values())
        while at < recorded.frames:
            stop = min(recorded.frames, at + samples_in(_PIECE, rate))
            frames = await in_thread(lambda at=at, stop=stop: recorded.read(at, stop))
            for channel, role in enumerate(earlier.call.roles):
                fresh = frames[max(0, begins[role] - at) :, channel]
                session.relisten(role, fresh.copy())
            at = stop

    async def _recorded(self, earlier: EarlierCall) -> RecordedAudio | None:
        call = earlier.call
        form = WavForm(roles=call.roles, rate=call.rate)
        return await asyncio.to_thread(recorded_audio, self._recordings, call.id, form)

    def _returns(self, found: CallSummary, announced: CallAnnounced, source: Source) -> bool:
        call = found.call
        if call.source != source.name or found.ended_at is None:
            return False
        if (
            announced.started_at is not None
            and abs(announced.started_at - call.started_at).total_seconds() > SAME_START
        ):
            return False
        return self._wall() - found.ended_at <= timedelta(seconds=RETURN_WITHIN)


def announced_id(call_id: str) -> str:
    """What the gateway calls it: the part before `~`, which no announced id holds."""
    return call_id.partition("~")[0]


def _before(free: str, announced: str) -> str | None:
    """The last id in use before this free one."""
    if free == announced:
        return None
    number = int(free.rpartition("~")[2]) - 1
    return announced if number == 1 else f"{announced}~{number}"
