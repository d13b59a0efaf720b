"""One call's questions to the text encoder, which may be slow or fail for a while and is then asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr.threads import in_thread
from asr.types import Seconds
from detectors.contract import TextEncoder

TURNS = 3
"""An answer is waited for over so many time-outs. A late one still counts, and a process that stood still loses no more
than one."""
MOST_FAILURES = 3
"""After so many failures in a row the next question would fail, too."""
RESTS_FOR = 20
"""A failing encoder is not asked about so many texts. After them it is asked again."""


class CallEncoder:
    """Asks the encoder one thing at a time. Its method must not be called before the last call has returned."""

    def __init__(self, encoder: TextEncoder, *, timeout_s: Seconds) -> None:
        self._encoder = encoder
        self._timeout = timeout_s
        self._at_work: asyncio.Task[NDArray[np.float32]] | None = None
        self._failures = 0
        self._rested = 0

    async def embeddings(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """The embedding of each text, shape (texts, size). None while an earlier answer is owed, and while the encoder
        rests. Raises what the encoder raises, and TimeoutError."""
        if self._at_work is not None or self._rests():
            return None
        self._at_work = asking = asyncio.create_task(in_thread(lambda: self._encoder.encode(texts)))
        asking.add_done_callback(self._answered)
        try:
            embeddings = await self._within_time(asking)
        except Exception:
            self._failures += 1
            raise
        self._failures = 0
        return embeddings

    def _rests(self) -> bool:
        if self._failures < MOST_FAILURES:
            return False
        self._rested = (self._rested + 1) % RESTS_FOR
        return self._rested > 0

    async def _within_time(self, asking: asyncio.Task[NDArray[np.float32]]) -> NDArray[np.float32]:
        for _turn in range(TURNS):
            await asyncio.wait([asking], timeout=self._timeout)
            if asking.done():
                self._at_work = None  # its callback may not have run: the time may be up in the moment of the answer
                return asking.result()
        raise TimeoutError(f"did not answer within {TURNS * self._timeout:g} s")

    def _answered(self, asking: asyncio.Task[NDArray[np.float32]]) -> None:
        """Takes an error that came too late for anybody to handle."""
        self._at_work = None
        if not asking.cancelled():
            asking.exception()
