"""The one reader of audio files: whatever libsndfile reads, WAVE files with a wrong header too, by blocks."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.types import Seconds
from service.audio_files.ogg import breaks_off
from service.audio_files.riff import Spliced, WaveLayout, wave_layout
from service.audio_files.unclosed import closed_head

BLOCK: Final[Seconds] = 5.0
_UNKNOWN: Final = 2**63 - 1
"""libsndfile's number of samples where a FLAC header gives none."""
_BAD_SEEK: Final = 39
"""libsndfile's fault at the end of such a file; what was read before it is there."""
_INTEGER_SCALES: Final = (2.0**15, 2.0**23, 2.0**31)
_NO_SAMPLE: Final = "holds no sample: there is a header and no sound behind it"
_CODINGS: Final = frozenset({0x01, 0x02, 0x03, 0x06, 0x07, 0x11, 0x14, 0x31, 0x38, 0x40, 0x55, 0xFFFE})
"""The codings of WAVE files that libsndfile knows, by their registered numbers."""
_RATES: Final = range(4_000, 400_000)


class AudioUnusable(Exception):
    """The file cannot be used: the message says which, why, and what would do."""


class AudioFile:
    """An audio file that is open for reading. Use as a context manager. Raises AudioUnusable.

    `seconds` is None where the header does not tell. `shortfall` says, once the blocks have been read, what of the
    file could not be; empty where all could.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _opened(path)
        try:
            self._layout, self._source, self._cut = _source(self._file, path)
            self._sound = _decoder(self._source, self._layout, path)
        except BaseException:
            self._file.close()
            raise
        self.rate = int(self._sound.samplerate)
        self.channels = int(self._sound.channels)
        self.shortfall = ""
        self._fault: soundfile.LibsndfileError | None = None
        self._begun = False
        self._frames: int | None = None if self._sound.frames == _UNKNOWN else int(self._sound.frames)

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._sound.close()
        self._file.close()

    @property
    def seconds(self) -> Seconds | None:
        return None if self._frames is None else self._frames / self.rate

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """All of it, in pieces of at most `BLOCK` seconds: float32 in [-1, 1] of shape (samples, channels).

        Raises AudioUnusable where there is no sample at all; a fault further on ends the blocks (`shortfall`).
        """
        scale = self._scale()
        read = 0
        for block in self._raw():
            read += len(block)
            yield np.clip(np.nan_to_num(block) / scale, -1.0, 1.0)
        if not read:
            raise AudioUnusable(f"{self._path}: {self._why_nothing()}")
        self.shortfall = self._unread(read)

    def _raw(self) -> Iterator[NDArray[np.float32]]:
        self._rewind()
        size = max(1, round(BLOCK * self.rate))
        self._fault = None
        while self._fault is None:
            room = np.full((size, self.channels), np.nan, np.float32)  # a fault leaves what was read before it
            try:
                block = self._sound.read(out=room)
            except soundfile.LibsndfileError as cause:
                self._fault = None if self._frames is None and cause.code == _BAD_SEEK else cause
                block = room[: int(np.argmax(np.isnan(np.append(room[:, 0], np.nan))))]
            if not len(block):
                break
            yield block

    def _rewind(self) -> None:
        """Go back to the first sample, if any has been read. Some forms (GSM 6.10, G.721) cannot seek at all."""
        begun, self._begun = self._begun, True
        try:
            if begun:
                self._sound.seek(0)
        except soundfile.LibsndfileError as cause:
            raise AudioUnusable(f"{self._path}: can be read only once: {_reason(cause)}") from cause

    def _scale(self) -> float:
        """Full scale in a file of floats: 1, except for programs that write integers as floats."""
        if self._sound.subtype not in ("FLOAT", "DOUBLE"):
            return 1.0
        beyond = sounding = 0
        peak = 0.0
        for block in self._raw():
            levels = np.abs(np.nan_to_num(block, posinf=0.0, neginf=0.0))
            beyond += int(np.count_nonzero(levels > 1.0))
            sounding += int(np.count_nonzero(levels))
            peak = max(peak, float(levels.max()))
        return next((scale for scale in _INTEGER_SCALES if peak <= scale), 1.0) if 2 * beyond > sounding else 1.0

    def _why_nothing(self) -> str:
        if fault := self._source.fault or self._fault:
            return f"no sample of it can be read ({_reason(fault)})"
        return "breaks off before its first sample" if self._cut else _NO_SAMPLE

    def _unread(self, read: int) -> str:
        """The part of the file that its header announces and that is missing or damaged."""
        if fault := self._source.fault or self._fault:
            rest = f"what follows is cut off or damaged ({_reason(fault)})"
            return f"only the first {read / self.rate:.1f} s can be read; {rest}"
        if self._cut:
            return f"it breaks off after {read / self.rate:.1f} s: its end is missing"
        told = self._frames or 0
        if self._layout is not None:
            told = read + round(self._layout.missing / self._layout.bytes_a_second * self.rate)
        if told - read < self.rate / 10:
            return ""
        return f"it ends after {read / self.rate:.1f} s, and its header tells of {told / self.rate:.1f} s"


def _opened(path: Path) -> BinaryIO:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioUnusable(f"{path}: is a folder; name the audio file in it")
        if not stat.S_ISREG(status.st_mode):
            raise AudioUnusable(f"{path}: is no regular file but a pipe or device; write the audio to a file first")
        if not status.st_size:
            raise AudioUnusable(f"{path}: is empty, 0 bytes")
        return path.open("rb")
    except FileNotFoundError as cause:
        raise AudioUnusable(f"{path}: there is no such file") from cause
    except (OSError, ValueError) as cause:
        raise AudioUnusable(f"{path}: cannot be opened: {_reason(cause)}") from cause


def _source(file: BinaryIO, path: Path) -> tuple[WaveLayout | None, Spliced, bool]:
    """The file as it is, or the same samples behind a header that is right; and whether it is known to break off."""
    try:
        length = file.seek(0, io.SEEK_END)
        layout, (head, short) = wave_layout(file, length), closed_head(file, length)
        cut = short or breaks_off(file, length)
    except OSError as cause:
        raise AudioUnusable(f"{path}: cannot be read: {_reason(cause)}") from cause
    if layout is None or layout.right:
        return layout, Spliced(head, file, len(head), length - len(head)), cut
    if not layout.length:
        raise AudioUnusable(f"{path}: {_NO_SAMPLE}")
    return layout, Spliced(layout.head(), file, layout.begin, layout.length), cut


def _decoder(source: Spliced, layout: WaveLayout | None, path: Path) -> Any:
    file: Any = source  # libsndfile asks it for no more than seek, tell and read
    try:
        sound = soundfile.SoundFile(file)
    except (soundfile.SoundFileError, TypeError, ValueError) as cause:
        why = _uncommon(layout) or _reason(source.fault or cause)
        told = f"cannot be read as audio ({why}); WAV, FLAC, MP3 and Ogg files can"
        raise AudioUnusable(f"{path}: {told}") from cause
    if sound.samplerate not in _RATES:
        raise AudioUnusable(f"{path}: {sound.samplerate} samples a second are no rate that speech is recorded at")
    return sound


def _uncommon(layout: WaveLayout | None) -> str:
    """That a WAVE file's samples are coded as no decoder here knows, which libsndfile calls malformed; else empty."""
    if layout is None or layout.coding in _CODINGS:
        return ""
    return f"its samples are coded as 0x{layout.coding:04X}, which no decoder here knows; write them as PCM"


def _reason(fault: Exception) -> str:
    if isinstance(fault, OSError):
        return (fault.strerror or str(fault)).lower()
    told = fault.error_string if isinstance(fault, soundfile.LibsndfileError) else str(fault)
    return str(told).removeprefix("Error : ").strip().rstrip(".")
