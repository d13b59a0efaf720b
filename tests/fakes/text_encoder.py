"""A text encoder that is told what each text means; it passes the text encoder's contract suite."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class FakeTextEncoder:
    """`meant` gives a text its axis, one of `size`; any other text has the last one. `asked`: every text so far, in so
    many `turns`.

    `fails` tells of each turn whether it raises; a turn waits for the event in its thread.
    """

    def __init__(
        self,
        meant: Mapping[str, int],
        size: int = 3,
        *,
        fails: Iterable[bool] = (),
        waits_for: threading.Event | None = None,
    ) -> None:
        self._fails = iter(fails)
        self._waits_for = waits_for
        self._meant = meant
        self._axes = np.eye(size, dtype=np.float32)
        self.asked: list[str] = []
        self.turns = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        self.turns += 1
        if self._waits_for is not None:
            self._waits_for.wait(20)
        if next(self._fails, False):
            raise MemoryError("no room")
        return self._axes[[self._meant.get(text, len(self._axes) - 1) for text in texts]]
