"""Recordings in a folder: a WAV file a call."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from urllib.parse import quote

from asr.types import Role
from service.recordings.recordings import RecordingMissing, RecordingUnreadable
from service.recordings.wav import HEAD_BYTES
from service.recordings.wav_writer import WavWriter, move_aside
from service.unusable import Unusable, told

_LONGEST_NAME = 200
"""File systems take 255 bytes; the rest is for suffixes of whoever copies and packs these files."""


class RecordingFolder:
    """The files are readable by this user alone."""

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

    def writer(self, call_id: str, roles: Sequence[Role], rate: int, *, resume_at: int | None = None) -> WavWriter:
        return WavWriter(self._path(call_id), roles, rate, resume_at=resume_at, device=self._device)

    def open(self, call_id: str) -> RecordingFile:
        return _opened(self._path(call_id))

    def hand_over(self, call_id: str, to: RecordingFolder) -> None:
        """Move a recording that is closed into another folder on the same disk; a file of its name there is moved
        aside. Blocks. Raises OSError."""
        place = to._path(call_id)
        if place.exists():
            move_aside(place)
        self._path(call_id).rename(place)

    def discard(self, call_id: str) -> None:
        """Delete a recording that is closed, if there is one. Blocks. Raises OSError."""
        self._path(call_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete every recording. Blocks. Raises OSError."""
        for path in self._folder.glob("*.wav"):
            path.unlink()

    def _path(self, call_id: str) -> Path:
        return self._folder / recording_name(call_id)


class RecordingFile:
    """An open file, as long as it was when it was opened."""

    def __init__(self, file: FileIO) -> None:
        """The file is this object's from now on."""
        self._file = file
        status = os.fstat(file.fileno())
        self.size = status.st_size
        self.version = f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"
        self.changed_at = datetime.fromtimestamp(status.st_mtime, UTC)

    def read(self, start: int, stop: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), max(0, min(stop, self.size) - start), start)
        except OSError as error:
            raise RecordingUnreadable(str(error)) from error

    def close(self) -> None:
        self._file.close()


def _opened(path: Path) -> RecordingFile:
    try:
        file = RecordingFile(path.open("rb", buffering=0))
    except FileNotFoundError as error:
        raise RecordingMissing(str(error)) from error
    except OSError as error:
        raise RecordingUnreadable(str(error)) from error
    if file.size < HEAD_BYTES:
        file.close()
        raise RecordingMissing(f"{path} has {file.size} bytes")
    return file


def recording_name(call_id: str) -> str:
    """The file name of any call id, another one for every id, never a path: %-escapes for all but A-Z a-z 0-9 _ . - ~,
    a leading dot too; a hash in place of an empty or very long id."""
    name = quote(call_id, safe="", errors="surrogatepass")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if not 0 < len(name) <= _LONGEST_NAME:
        name = "%" + hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name}.wav"
