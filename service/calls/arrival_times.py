"""When each stretch of a call's audio came in: from the audio clock to real time. Pure."""

from __future__ import annotations

from collections import deque

from asr.types import Seconds

REMEMBERED = 2000
"""So many marks are kept. At one mark per 100 ms of audio these are the last 200 s, more than any backlog that still
matters live."""
_SPACING: Seconds = 0.1


class ArrivalTimes:
    """Remembers at what time (monotonic seconds) each stretch of audio had arrived."""

    def __init__(self) -> None:
        self._marks: deque[tuple[Seconds, float]] = deque(maxlen=REMEMBERED)

    def mark(self, reached: Seconds, now: float) -> None:
        """Audio up to `reached` on the audio clock has arrived by `now`."""
        if not self._marks or reached - self._marks[-1][0] >= _SPACING:
            self._marks.append((reached, now))

    def delay(self, audio: Seconds, now: float) -> Seconds:
        """Seconds between the arrival of the audio at `audio` and `now`; 0 for audio that is not here yet."""
        arrived = next((at for reached, at in self._marks if reached >= audio), now)
        return max(0.0, now - arrived)
