"""What recognition can carry, as a test says; it passes the pace's contract suite."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class FakePace:
    """Keeps up with `most` seconds of speech a second. `speech`: what each call has brought of late; others nothing."""

    most: float = math.inf
    speech: dict[str, float] = field(default_factory=dict[str, float])

    def speech_of(self, call_id: str) -> float:
        return self.speech.get(call_id, 0.0)

    def carries(self, speech: float) -> bool:
        return speech <= self.most
