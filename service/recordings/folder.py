"""Where recordings are kept: a small port, and the folder that stands behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from asr.types import Role
from service.recordings.peaks import Peaks, peaks_of
from service.recordings.reader import RecordedAudio, recorded_audio
from service.recordings.wav import WavForm
from service.recordings.writer import RecordingWriter
from service.unusable import Unusable, told

_LONGEST_NAME = 200
"""File systems take 255 bytes; the rest is for suffixes of whoever copies and packs these files."""


class RecordingStore(Protocol):
    """One recording a call."""

    def create(
        self, call_id: str, roles: Sequence[Role], rate: int, *, resume_at: int | None = None
    ) -> RecordingWriter:
        """Its writer: of a new recording, or of one that goes on at that sample frame. Touches no disk yet."""
        ...

    def recorded_audio(self, call_id: str, roles: Sequence[Role], rate: int) -> RecordedAudio | None:
        """Blocks: what there is of the call's recording of these legs; None where there is none."""
        ...

    def path(self, call_id: str) -> Path:
        """Where the recording is or would be."""
        ...

    def peaks(self, call_id: str, points: int) -> Peaks:
        """Blocks: reads the file. Raises FileNotFoundError if there is none."""
        ...


class RecordingFolder:
    """A WAV file a call in one folder, readable by this user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._device: int | None = None

    def begin(self) -> None:
        """Make the folder and remember its file system: should that go away, nothing is written into what lies in its
        place. Blocks. Raises Unusable."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._device = self._folder.stat().st_dev
        except OSError as error:
            raise Unusable(f"recordings folder: {told(error, self._folder)}") from error

    def create(
        self, call_id: str, roles: Sequence[Role], rate: int, *, resume_at: int | None = None
    ) -> RecordingWriter:
        return RecordingWriter(self.path(call_id), roles, rate, resume_at=resume_at, device=self._device)

    def recorded_audio(self, call_id: str, roles: Sequence[Role], rate: int) -> RecordedAudio | None:
        return recorded_audio(self.path(call_id), WavForm(roles=tuple(roles), rate=rate))

    def path(self, call_id: str) -> Path:
        return self._folder / recording_name(call_id)

    def peaks(self, call_id: str, points: int) -> Peaks:
        return peaks_of(self.path(call_id), points)


def recording_name(call_id: str) -> str:
    """The file name of any call id, another one for every id, never a path: %-escapes for all but A-Z a-z 0-9 _ . - ~,
    a leading dot too; a hash in place of an empty or very long id."""
    name = quote(call_id, safe="", errors="surrogatepass")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if not 0 < len(name) <= _LONGEST_NAME:
        name = "%" + hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name}.wav"
