"""The port of a store of recordings: a writer while a call lasts, and the recording's bytes at any time.

It does not say where they lie; `service/recordings/folder.py` keeps one file for each call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from asr.audio.pcm import Pcm
from asr.types import Role, Seconds


class RecordingError(Exception):
    """Base of everything a recording raises."""


class RecordingFailed(RecordingError):
    """The store refuses the recording now. What was not written is kept for a while, and tried again."""


class RecordingMismatch(RecordingError):
    """Something has that name, and it is no recording of these legs at this rate."""


class RecordingUnreadable(RecordingError):
    """The recording cannot be read now."""


class RecordingMissing(RecordingUnreadable):
    """There is no recording: nothing of that name, or not even the head of a WAV file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecorded:
    """Audio of `role` (None: every leg) that came and is silence in the recording, or behind its end."""

    role: Role | None
    start: Seconds
    end: Seconds


class RecordingWriter(Protocol):
    """One call's recording while it grows. `write` only takes in; everything else blocks, in one thread at a time."""

    @property
    def lost(self) -> Seconds:
        """Audio that the store refused for too long; the recording holds silence in its place."""
        ...

    def write(self, role: Role, start: int, pcm: Pcm) -> None:
        """A run of one leg from sample `start` on; what it skips is silence, what it repeats is left out."""
        ...

    def save(self) -> None:
        """Put into the recording what has come of all legs. Raises RecordingFailed, RecordingMismatch."""
        ...

    def skip(self) -> None:
        """Give up what has come of all legs."""
        ...

    def checkpoint(self) -> None:
        """Save, so that it outlasts the machine. Raises as `save` does."""
        ...

    def close(self, *, skip: bool = False) -> None:
        """Save what is left, or skip it, a shorter leg filled up with silence; let go, whatever happens.

        Raises as `save` does: then `lost` tells how much is missing.
        """
        ...

    def take_unrecorded(self, *, ended: bool) -> Sequence[Unrecorded]:
        """The stretches that were lost since last asked; but for the last one, to which more may come, unless it has
        ended."""
        ...


class Recording(Protocol):
    """A call's recording as it was when it was opened, as a WAV file (`service/recordings/wav.py`)."""

    @property
    def size(self) -> int:
        """Bytes, HEAD_BYTES at least."""
        ...

    @property
    def version(self) -> str:
        """Another one whenever the bytes are others. Fit for an ETag: letters, digits, hyphens."""
        ...

    @property
    def changed_at(self) -> datetime:
        """When its last bytes were written."""
        ...

    def read(self, start: int, stop: int) -> bytes:
        """Blocks: the bytes [start, stop), fewer behind the end. Raises RecordingUnreadable."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A call's recording, for somebody who wants to hear it. Who may hear less of it gets another recording."""

    call_id: str
    recording: Recording


class Recordings(Protocol):
    """One recording a call, whatever its id."""

    def writer(
        self, call_id: str, roles: Sequence[Role], rate: int, *, resume_at: int | None = None
    ) -> RecordingWriter:
        """A writer of a new recording, or of one that goes on at that sample frame. It touches nothing yet."""
        ...

    def open(self, call_id: str) -> Recording:
        """Blocks: the recording up to its present end. Raises RecordingMissing, RecordingUnreadable."""
        ...
