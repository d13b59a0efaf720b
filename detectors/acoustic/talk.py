"""Stretches of speech, and who breaks in on whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asr.types import Seconds

OVERLAP: Final[Seconds] = 0.7
"""Both parties must speak for so long. A shorter overlap is a turn taken too early."""
INTO_IT: Final[Seconds] = 0.5
"""The one who is broken in on must have spoken for so long."""
REMEMBERED: Final = 30
"""So many of a speaker's last stretches count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Seconds on the call's clock, 0 <= start <= end."""

    start: Seconds
    end: Seconds


def breaks_in(second: Stretch, first: Stretch) -> bool:
    """Whether the second party begins while the first is speaking, both go on, and the second ends last. Who says "yes,
    I see" meanwhile only listens."""
    shared = first.end - second.start
    return first.start + INTO_IT <= second.start and shared >= OVERLAP and second.end >= first.end
