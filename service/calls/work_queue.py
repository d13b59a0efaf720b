"""What is to be done for a call, in audio order: put from the event loop without waiting, taken by one task. Plain."""

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
"""A call's work that may wait while the store stands still: an hour's passing of time, or three hours of gaps."""


NOTICES_MORE: Final = 64
"""A full queue tells of itself: twice what a call is told of its gateway."""


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
    """The last piece of work: what took audio in can go on no more."""

    cause: Exception


LastWork: TypeAlias = Finish | Suspend | Defect
Work: TypeAlias = SpeechSegment | PartialUtterance | TimePassed | ChannelsCompared | Fact | LastWork


class WorkQueue:
    """At most `most` pieces, some notices more, and what has a bound of its own: speech, and the end.

    Where it is full, a gap widens the one of its kind that waits, the newest comparison of channels replaces an older
    one, and the rest is left out: later pieces tell that time passed and what is said, digits are refused.
    """

    def __init__(self, most: int = MOST_WORK) -> None:
        self._most = most
        self._waiting: deque[Work] = deque()
        self._came = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, work: Work) -> bool:
        """Whether it is taken, by itself or as a part of what waits."""
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
        """The notices and digits among what waits, all of which is taken out."""
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
        """There are as many kinds of gaps as parties and reasons, so this adds few."""
        for place in range(len(self._waiting) - 1, -1, -1):
            waiting = self._waiting[place]
            if isinstance(waiting, GapMarked) and (waiting.role, waiting.reason) == (gap.role, gap.reason):
                start, end = min(waiting.start, gap.start), max(waiting.end, gap.end)
                self._waiting[place] = replace(waiting, start=start, end=end)
                return
        self._append(gap)
