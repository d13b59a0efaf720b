"""The work of a call, in audio order. The event loop puts it without waiting; one task takes it. It holds an event of
that loop."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from asr.endpointing.endpointer import SpeechSegment
from service.calls.audio_path import ChannelsCompared, TimePassed
from service.calls.call_recognition import PartialUtterance
from service.record.facts import CallEnding, DtmfPressed, Fact, GapMarked, Notice

MOST_WORK: Final = 4096
"""So much work of a call may wait while the store stands still: an hour of time that passes, or three hours of gaps."""


NOTICES_MORE: Final = 64
"""So many notices may wait besides, because a full queue is told too. It is twice what a call tells about its
gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The last piece of work: the call is over."""

    ending: CallEnding
    reason: str


@dataclass(frozen=True, slots=True)
class Suspend:
    """The last piece of work here: the call is not over, and another process goes on with it."""


@dataclass(frozen=True, slots=True)
class Defect:
    """The last piece of work: the code that takes audio in has failed."""

    cause: Exception


LastWork: TypeAlias = Finish | Suspend | Defect
Work: TypeAlias = SpeechSegment | PartialUtterance | TimePassed | ChannelsCompared | Fact | LastWork


class WorkQueue:
    """The waiting work of a call: at most `most` pieces, some notices more, and what has a bound of its own (speech,
    and the end).

    In a full queue a gap widens the waiting one of its kind, and a comparison of channels replaces the waiting one.
    Other work is left out: later pieces tell the time and the speech again, and digits are refused.
    """

    def __init__(self, most: int = MOST_WORK) -> None:
        self._most = most
        self._waiting: deque[Work] = deque()
        self._came = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, work: Work) -> bool:
        """Whether the work is taken, by itself or as a part of what waits."""
        if len(self._waiting) >= self._most and not isinstance(work, SpeechSegment | LastWork):
            return self._squeeze_in(work)
        self._append(work)
        return True

    async def get(self) -> Work:
        """The next piece; waits for one."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        return self._waiting.popleft()

    def rest(self) -> list[Notice | DtmfPressed]:
        """Takes out all that waits, and returns the notices and digits among it."""
        waiting, self._waiting = self._waiting, deque()
        return [work for work in waiting if isinstance(work, Notice | DtmfPressed)]

    def _append(self, work: Work) -> None:
        self._waiting.append(work)
        self._came.set()

    def _squeeze_in(self, work: Work) -> bool:
        match work:
            case GapMarked():
                self._widen(work)
            case ChannelsCompared():
                kept = [each for each in self._waiting if not isinstance(each, ChannelsCompared)]
                self._waiting = deque(kept)
                self._append(work)
            case Notice() if len(self._waiting) < self._most + NOTICES_MORE:
                self._append(work)
            case DtmfPressed() | Notice() | TimePassed() | PartialUtterance():
                return False
            case _:
                raise AssertionError(f"no work: {work!r}")
        return True

    def _widen(self, gap: GapMarked) -> None:
        """Widens the waiting gap of this kind. There are only as many kinds as parties and reasons."""
        for place in range(len(self._waiting) - 1, -1, -1):
            waiting = self._waiting[place]
            if isinstance(waiting, GapMarked) and (waiting.role, waiting.reason) == (gap.role, gap.reason):
                start, end = min(waiting.start, gap.start), max(waiting.end, gap.end)
                self._waiting[place] = replace(waiting, start=start, end=end)
                return
        self._append(gap)
