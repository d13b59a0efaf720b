"""Real speech: turns of the sample calls, as an engine is given them."""

from __future__ import annotations

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from service.samples import sample_calls

_AROUND = 0.2


def turn(call_id: str, words: str) -> NDArray[np.float32]:
    """The turn of a sample call that holds these words: float32 mono at 16 kHz."""
    call = next(each for each in sample_calls() if each.id == call_id)
    said = next(each for each in call.turns if words in each.text)
    pcm, rate = soundfile.read(call.audio, dtype="float32")
    first, last = int((said.start - _AROUND) * rate), int((said.end + _AROUND) * rate)
    leg = pcm[first:last, 0 if said.speaker == "agent" else 1]
    return np.asarray(soxr.resample(leg, rate, 16_000), np.float32)
