"""A file through a call's session, as fast as recognition takes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

import numpy as np

from asr.audio.pcm import encode
from asr.recognition.queue import without_deadlines
from asr.types import Seconds
from service.audio_files.call import CallFile, packets
from service.calls.session import CallSession
from service.ingest.events import AudioArrived
from service.live.messages import Levels, Partial

AHEAD: Final[Seconds] = 60.0
"""So much speech may wait for its text while the file is read on. It is enough for full batches."""
NOBODY_WAITS: Final = without_deadlines("full", "greedy")
"""Limits for a file, which is read faster than it is spoken: decoding is hurried, but nothing is left out."""
UNBOUNDED_PACE: Final = 1e9
PACKET: Final[Seconds] = 0.2


@dataclass(slots=True)
class FileClock:
    """The clock of who reads a file: `now` is how much of it has been read, however long that took."""

    now: Seconds = 0.0

    def monotonic(self) -> Seconds:
        """How much of the file has been read, in seconds."""
        return self.now


class Unwatched:
    """Shows nothing, because nobody watches a file being read."""

    def show_levels(self, levels: Levels) -> None:
        return

    def show_partial(self, partial: Partial) -> None:
        return


async def played(audio: CallFile, session: CallSession, clock: FileClock) -> AsyncGenerator[Seconds, None]:
    """Feed the file to the session, whose clock this is; tells after each packet how far it is. It ends when everything
    has its text."""
    async for pcm in packets(audio, round(audio.rate * PACKET)):
        clock.now += len(pcm) / audio.rate
        session.feed(AudioArrived(payload=encode(np.ascontiguousarray(pcm).reshape(-1), "pcm_s16le")))
        await session.settle(AHEAD)
        yield clock.now
    await session.settle(0)
