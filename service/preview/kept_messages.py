"""Which of a connection's messages are kept to be shown: the first, and later ones that brought no sound. Plain."""

from __future__ import annotations

from collections import deque
from typing import Final

from asr.types import Seconds
from service.preview.masking import as_it_came, outline
from service.preview.values import ArrivedMessage

FIRST_KEPT: Final = 6
LAST_KEPT: Final = 8
LONGEST_READ: Final = 32 * 1024
"""Characters. Of a longer text, which 64 entries of metadata may make, only the length is told."""
KEPT_EVERY: Seconds = 0.1
"""Of a flood of messages few are read again."""


class KeptMessages:
    """One connection's. `at`: seconds since it was opened."""

    def __init__(self) -> None:
        self._first: list[ArrivedMessage] = []
        self._last: deque[ArrivedMessage] = deque(maxlen=LAST_KEPT)
        self._kept_at: Seconds = -KEPT_EVERY

    @property
    def begun(self) -> bool:
        """The first ones have all come: from here on those with sound are not to be added."""
        return len(self._first) == FIRST_KEPT

    def add(self, message: str | bytes, at: Seconds, *, within_call: bool) -> None:
        """One more came. A text within a call may hold whatever an integrator likes, also what was said: of it only the
        form is kept."""
        first = not self.begun
        if not first and at - self._kept_at < KEPT_EVERY:
            return
        self._kept_at = at
        if isinstance(message, bytes):
            kept = ArrivedMessage(at=at, kind="binary", size=len(message))
        else:
            text = as_it_came(message) if len(message) <= LONGEST_READ else ""
            kept = ArrivedMessage(at=at, kind="text", size=len(message), text=outline(text) if within_call else text)
        (self._first if first else self._last).append(kept)

    @property
    def shown(self) -> tuple[ArrivedMessage, ...]:
        """In the order in which they came."""
        return (*self._first, *self._last)

    @property
    def beginning(self) -> tuple[str, ...]:
        """The texts with which a call is announced."""
        return tuple(message.text for message in self._first)
