"""A call's recording while it grows: a WAV file that plays at any moment, also after a kill -9."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import Pcm
from asr.types import Role, Seconds
from service.recordings.interleave import Interleaver
from service.recordings.recordings import RecordingError, RecordingFailed, RecordingMismatch, Unrecorded
from service.recordings.wav import HEAD_BYTES, MOST_DATA_BYTES, NotARecording, WavForm, read_wav_head, wav_head

KEPT_SECONDS: Seconds = 30.0
"""Audio kept in memory while the disk refuses it: 1 MB of two legs at 8 kHz."""

_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unsaved:
    """Sample frames and their place in the file's data, in bytes."""

    offset: int
    data: bytes


class WavWriter:
    """Channel i is `roles[i]`, 16-bit PCM at `rate`.

    `write` only takes in. `save` puts whole sample frames where they belong in the file, so that what could not be
    written for too long is silence and nothing moves, and brings the head up to them.

    `resume_at`: the sample frame at which a call that an earlier writer recorded goes on; what its file holds stays.
    Without it the recording is a new one: a file of that name, which then is another call's, is moved aside.
    """

    def __init__(
        self,
        path: Path,
        roles: Sequence[Role],
        rate: int,
        *,
        resume_at: int | None = None,
        device: int | None = None,
    ) -> None:
        self.path = path
        self._device = device
        self._form = WavForm(roles=tuple(roles), rate=rate)
        self._interleaver = Interleaver(roles, resume_at or 0)
        self._new = resume_at is None
        self._unsaved: deque[_Unsaved] = deque()
        self._unsaved_bytes = 0
        self._file: int | None = None
        self._found_bytes = 0
        self._saved_bytes = 0
        self._declared_bytes = 0
        self._synced_bytes = -1
        self._lost_bytes = 0
        self._lost: list[tuple[int, int]] = []

    @property
    def lost(self) -> Seconds:
        """Audio that the disk refused for too long; the file holds silence in its place."""
        return self._seconds(self._lost_bytes)

    def write(self, role: Role, start: int, pcm: Pcm) -> None:
        """A run of one leg from sample `start` on; what it skips is silence, what it repeats is left out."""
        self._interleaver.put(role, start, pcm)

    def save(self) -> None:
        """Put into the file what has come of all legs, and its size. Raises RecordingFailed, RecordingMismatch."""
        self._keep(*self._interleaver.take())
        try:
            self._save()
        except RecordingError:
            self._drop(self._unsaved_bytes - int(KEPT_SECONDS * self._form.rate) * self._form.frame_bytes)
            raise

    def skip(self) -> None:
        """Give up what has come of all legs: the disk's last room is not for recordings."""
        self._keep(*self._interleaver.take())
        self._drop(self._unsaved_bytes)

    def checkpoint(self) -> None:
        """Save, and have the disk keep it should the machine go down. Raises as `save` does."""
        self._look()
        self.save()
        self._sync()

    def close(self, *, skip: bool = False) -> None:
        """Save what is left, or skip it, a shorter leg filled up with silence; let go of the file, whatever happens.

        Raises as `save` does: then `lost` tells how much is missing.
        """
        self._keep(*self._interleaver.take_all())
        if skip:
            self._drop(self._unsaved_bytes)
        try:
            self._look()
            if not skip or self._file is not None:
                self._save()
                self._sync()
        finally:
            self._drop(self._unsaved_bytes)
            self._let_go()

    def take_unrecorded(self, *, ended: bool) -> list[Unrecorded]:
        """The stretches that were lost since last asked; but for the last one, to which more may come, unless it has
        ended."""
        count = len(self._lost) if ended else max(0, len(self._lost) - 1)
        taken, self._lost = self._lost[:count], self._lost[count:]
        return [Unrecorded(role=None, start=self._seconds(first), end=self._seconds(end)) for first, end in taken]

    def _seconds(self, data_bytes: int) -> Seconds:
        return data_bytes / (self._form.frame_bytes * self._form.rate)

    def _keep(self, first: int, frames: NDArray[np.int16]) -> None:
        if frames.size:
            self._unsaved.append(_Unsaved(offset=first * self._form.frame_bytes, data=frames.tobytes()))
            self._unsaved_bytes += len(self._unsaved[-1].data)

    def _drop(self, too_many: int) -> None:
        """Give up the oldest unsaved blocks, at least `too_many` bytes of them."""
        while too_many > 0:
            block = self._unsaved.popleft()
            dropped = len(block.data)
            too_many -= dropped
            self._unsaved_bytes -= dropped
            self._lose(block.offset, block.offset + dropped)

    def _lose(self, begin: int, end: int) -> None:
        self._lost_bytes += end - begin
        if self._lost and self._lost[-1][1] == begin:
            begin = self._lost.pop()[0]
        self._lost.append((begin, end))

    def _save(self) -> None:
        try:
            file = self._opened()
            while self._unsaved:
                self._write(file, self._unsaved[0])
                self._unsaved_bytes -= len(self._unsaved.popleft().data)
            if self._declared_bytes != self._saved_bytes:
                self._write_head(file)
        except OSError as error:
            raise self._failed(error) from error

    def _opened(self) -> int:
        """The file, made or gone on with."""
        if self._file is None:
            self._enter_folder()
            file = self._made() if self._new else self._open(0)
            self._new = False
            try:
                self._find(file)
            except BaseException:
                os.close(file)
                raise
            self._file = file
        return self._file

    def _made(self) -> int:
        """A file that was not there before."""
        try:
            return self._open(os.O_EXCL)
        except FileExistsError:
            move_aside(self.path)
            return self._open(os.O_EXCL)

    def _open(self, flags: int) -> int:
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, _PRIVATE_FILE)

    def _enter_folder(self) -> None:
        """Make it if need be, but not what it lies in: a data folder that was moved away is not made anew. OSError."""
        folder = self.path.parent
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._device not in (None, folder.stat().st_dev):
            raise OSError(errno.ESTALE, "another file system lies in the recordings folder's place")

    def _look(self) -> None:
        """Let go of a file that was moved away or deleted: nobody would find what is written to it."""
        if self._file is None:
            return
        mine = os.fstat(self._file)
        try:
            named = self.path.stat()
        except OSError:
            named = None
        if named is None or (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino):
            self._let_go()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _find(self, file: int) -> None:
        """Take up what is in the file, and see to it that it has a head."""
        size = os.fstat(file).st_size
        head = os.pread(file, HEAD_BYTES, 0)
        if len(head) == HEAD_BYTES and head.strip(b"\0"):  # a machine that went down may leave zeros
            try:
                found = read_wav_head(head)
            except NotARecording as error:
                raise RecordingMismatch(f"{self.path} is no recording ({error}); move it away") from error
            if found != self._form:
                raise RecordingMismatch(f"{self.path} holds {found}, the call has {self._form}; move it away")
        before, self._saved_bytes = self._saved_bytes, self._form.frames_in(size) * self._form.frame_bytes
        self._found_bytes = self._saved_bytes
        if self._saved_bytes < before:  # the file that has the name now lacks what the one before it had
            self._lose(self._saved_bytes, before)
        self._synced_bytes = -1
        self._write_head(file)

    def _write(self, file: int, block: _Unsaved) -> None:
        end = block.offset + len(block.data)
        if end > MOST_DATA_BYTES:
            raise OSError(errno.EFBIG, "a WAV file has no room for more than 4 GiB")
        position = max(block.offset, self._found_bytes)
        while position < end:
            position += os.pwrite(file, block.data[position - block.offset :], HEAD_BYTES + position)
        self._saved_bytes = max(self._saved_bytes, end)

    def _sync(self) -> None:
        """Raises RecordingFailed: a disk may find out only now that it is full."""
        if self._synced_bytes == self._saved_bytes:
            return
        try:
            os.fdatasync(self._opened())
        except OSError as error:
            raise self._failed(error) from error
        self._synced_bytes = self._saved_bytes

    def _write_head(self, file: int) -> None:
        head = wav_head(self._form, self._saved_bytes // self._form.frame_bytes)
        if os.pwrite(file, head, 0) < HEAD_BYTES:
            raise OSError(errno.ENOSPC, "no room for the head of the file")
        self._declared_bytes = self._saved_bytes

    def _failed(self, error: OSError) -> RecordingFailed:
        return RecordingFailed(f"{self.path} cannot be written: {error.strerror or error}")


def move_aside(path: Path) -> None:
    """Keep the file under the next free name of `NAME.wav.1`, `NAME.wav.2`, …; no recording's name ends so."""
    number = 1
    while (kept := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    path.rename(kept)
