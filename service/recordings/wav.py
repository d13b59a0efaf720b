"""The head of a recording: RIFF WAVE with 16-bit PCM, one channel a leg, and a comment that names the legs.

Source: Microsoft/IBM, "Multimedia Programming Interface and Data Specifications 1.0" (1991). Every number has a fixed
place, so that a growing file's sizes can be written over in one call.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from asr.types import ROLES, Role

SAMPLE_BYTES: Final = 2
HEAD_BYTES: Final = 96
MOST_DATA_BYTES: Final = 0xFFFF_FFFF - HEAD_BYTES
"""Sizes have 32 bits: 37 hours of two legs at 8 kHz."""

_HEAD: Final = struct.Struct("<4sI4s 4sIHHIIHH 4sI4s4sI32s 4sI")
_COMMENT_BYTES: Final = 32
_INFO_BYTES: Final = 4 + 8 + _COMMENT_BYTES


class NotARecording(ValueError):
    """These bytes are not the head of one of our recordings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WavForm:
    """Channel i carries `roles[i]`."""

    roles: tuple[Role, ...]
    rate: int

    @property
    def frame_bytes(self) -> int:
        """One sample of every channel."""
        return SAMPLE_BYTES * len(self.roles)

    def frames_in(self, file_bytes: int) -> int:
        """Whole sample frames of a file so long, whatever its head says: after a crash it says less than there is."""
        return max(0, file_bytes - HEAD_BYTES) // self.frame_bytes

    def place_of(self, frame: int) -> int:
        """The place of the sample frame in the file, in bytes."""
        return HEAD_BYTES + frame * self.frame_bytes

    def frames_of(self, data: bytes) -> NDArray[np.int16]:
        """The whole sample frames of these bytes, int16[frames, legs]."""
        whole = len(data) - len(data) % self.frame_bytes
        return np.frombuffer(data[:whole], "<i2").reshape(-1, len(self.roles))


def wav_head(form: WavForm, frames: int) -> bytes:
    """HEAD_BYTES bytes that stand before `frames` sample frames."""
    data = frames * form.frame_bytes
    comment = ",".join(form.roles).encode("ascii")
    return _HEAD.pack(
        *(b"RIFF", HEAD_BYTES - 8 + data, b"WAVE"),
        *(b"fmt ", 16, 1, len(form.roles), form.rate, form.rate * form.frame_bytes, form.frame_bytes, 16),
        *(b"LIST", _INFO_BYTES, b"INFO", b"ICMT", _COMMENT_BYTES, comment),
        *(b"data", data),
    )


def read_wav_head(head: bytes) -> WavForm:
    """Raises NotARecording for anything that `wav_head` did not write."""
    if len(head) < HEAD_BYTES:
        raise NotARecording(f"{len(head)} bytes are no recording's head")
    fields = _HEAD.unpack_from(head)
    names: list[str] = fields[16].rstrip(b"\0").decode("ascii", "replace").split(",")
    form = WavForm(roles=tuple(role for name in names for role in ROLES if role == name), rate=fields[7])
    if not form.roles or not form.rate or head[8:40] != wav_head(form, 0)[8:40] or len(form.roles) != len(names):
        raise NotARecording("the head is another program's")
    return form
