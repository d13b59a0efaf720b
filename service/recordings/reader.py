"""What a recording holds, read back: for a call that goes on after its process died."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from asr.types import Seconds
from service.recordings.recordings import Recordings, RecordingUnreadable
from service.recordings.wav import HEAD_BYTES, NotARecording, WavForm, read_wav_head


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAudio:
    """`frames` whole sample frames of `form`; `changed_at`: when the last ones were written."""

    recordings: Recordings
    call_id: str
    form: WavForm
    frames: int
    changed_at: datetime

    @property
    def duration(self) -> Seconds:
        """The length of the recording."""
        return self.frames / self.form.rate

    def read(self, start: int, stop: int) -> NDArray[np.int16]:
        """Blocks: the sample frames [start, stop), int16[frames, legs]; fewer where the recording ends before.

        Raises RecordingUnreadable."""
        with closing(self.recordings.open(self.call_id)) as recording:
            return self.form.frames_of(recording.read(self.form.place_of(start), self.form.place_of(stop)))


def recorded_audio(recordings: Recordings, call_id: str, form: WavForm) -> RecordedAudio | None:
    """Blocks: None where there is no recording, or none of that form."""
    try:
        with closing(recordings.open(call_id)) as recording:
            head = recording.read(0, HEAD_BYTES)
            if head.strip(b"\0") and read_wav_head(head) != form:  # a machine that went down may leave zeros
                return None
            frames, changed_at = form.frames_in(recording.size), recording.changed_at
    except (RecordingUnreadable, NotARecording):
        return None
    return RecordedAudio(recordings=recordings, call_id=call_id, form=form, frames=frames, changed_at=changed_at)
