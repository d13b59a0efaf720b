"""What a recording holds, read back: for a call that goes on after its process died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.types import Seconds
from service.recordings.wav import HEAD_BYTES, NotARecording, WavForm, read_wav_head


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAudio:
    """`frames` whole sample frames of `form`; `changed_at`: when the last ones were written."""

    path: Path
    form: WavForm
    frames: int
    changed_at: datetime

    @property
    def duration(self) -> Seconds:
        return self.frames / self.form.rate

    def read(self, start: int, stop: int) -> NDArray[np.int16]:
        """Blocks: the sample frames [start, stop), int16[frames, legs]; fewer where the file ends before. OSError."""
        with self.path.open("rb") as file:
            file.seek(HEAD_BYTES + start * self.form.frame_bytes)
            data = file.read(max(0, stop - start) * self.form.frame_bytes)
        whole = len(data) - len(data) % self.form.frame_bytes
        return np.frombuffer(data[:whole], "<i2").reshape(-1, len(self.form.roles))


def recorded_audio(path: Path, form: WavForm) -> RecordedAudio | None:
    """Blocks: None where there is no file, or none of that form."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        found = path.stat()
        if head.strip(b"\0") and read_wav_head(head) != form:  # a machine that went down may leave zeros
            return None
    except (OSError, NotARecording):
        return None
    changed = datetime.fromtimestamp(found.st_mtime, UTC)
    return RecordedAudio(path=path, form=form, frames=form.frames_in(found.st_size), changed_at=changed)
