"""Recordings in memory; they pass the recordings' contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from asr.audio.pcm import Pcm
from asr.types import Role, Seconds
from service.recordings.interleave import Interleaver
from service.recordings.recordings import RecordingMismatch, RecordingMissing, RecordingUnreadable, Unrecorded
from service.recordings.wav import HEAD_BYTES, WavForm, read_wav_head, wav_head

_VERSIONS = count(1)


class FakeRecordings:
    """Whatever is put in a recording's place counts as one; of the calls in `unreadable` none can be read."""

    def __init__(self) -> None:
        self.unreadable: set[str] = set()
        self._kept: dict[str, FakeRecording] = {}

    def put(self, call_id: str, data: bytes) -> None:
        """These are the recording's bytes now."""
        self._kept[call_id] = FakeRecording(data)

    def writer(
        self, call_id: str, roles: Sequence[Role], rate: int, *, resume_at: int | None = None
    ) -> FakeRecordingWriter:
        return FakeRecordingWriter(self, call_id, WavForm(roles=tuple(roles), rate=rate), resume_at)

    def open(self, call_id: str) -> FakeRecording:
        if call_id in self.unreadable:
            raise RecordingUnreadable(f"{call_id} cannot be read")
        found = self._kept.get(call_id)
        if found is None or found.size < HEAD_BYTES:
            raise RecordingMissing(f"{call_id} has no recording")
        return found


class FakeRecording:
    """Some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.version = str(next(_VERSIONS))
        self.changed_at = datetime.now(UTC)

    def read(self, start: int, stop: int) -> bytes:
        return self._data[start:stop]

    def close(self) -> None:
        pass


class FakeRecordingWriter:
    """Keeps everything; loses nothing but what it is told to skip."""

    def __init__(self, recordings: FakeRecordings, call_id: str, form: WavForm, resume_at: int | None) -> None:
        self._recordings = recordings
        self._call_id = call_id
        self._form = form
        self._new = resume_at is None
        self._interleaver = Interleaver(form.roles, resume_at or 0)
        self._data: bytearray | None = None
        self._unrecorded: list[Unrecorded] = []
        self._lost: Seconds = 0.0

    @property
    def lost(self) -> Seconds:
        return self._lost

    def write(self, role: Role, start: int, pcm: Pcm) -> None:
        self._interleaver.put(role, start, pcm)

    def save(self) -> None:
        self._save(*self._interleaver.take())

    def checkpoint(self) -> None:
        self.save()

    def skip(self) -> None:
        self._leave_out(*self._interleaver.take())

    def close(self, *, skip: bool = False) -> None:
        (self._leave_out if skip else self._save)(*self._interleaver.take_all())

    def take_unrecorded(self, *, ended: bool) -> list[Unrecorded]:
        taken, self._unrecorded = (self._unrecorded, []) if ended else ([], self._unrecorded)
        return taken

    def _save(self, first: int, frames: Pcm) -> None:
        data = self._found()
        begin = first * self._form.frame_bytes
        data.extend(bytes(max(0, begin - len(data))))
        data[begin : begin + frames.nbytes] = frames.tobytes()
        self._recordings.put(self._call_id, wav_head(self._form, len(data) // self._form.frame_bytes) + bytes(data))

    def _leave_out(self, first: int, frames: Pcm) -> None:
        if frames.size:
            start, end = first / self._form.rate, (first + len(frames)) / self._form.rate
            self._unrecorded.append(Unrecorded(role=None, start=start, end=end))
            self._lost += end - start

    def _found(self) -> bytearray:
        """What is recorded, without its head. Raises RecordingMismatch."""
        if self._data is None:
            self._data = bytearray(b"" if self._new else self._before())
        return self._data

    def _before(self) -> bytes:
        try:
            found = self._recordings.open(self._call_id)
        except RecordingMissing:
            return b""
        if read_wav_head(found.read(0, HEAD_BYTES)) != self._form:
            raise RecordingMismatch(f"{self._call_id} has other legs")
        return found.read(HEAD_BYTES, found.size)
