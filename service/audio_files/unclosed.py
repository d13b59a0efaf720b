"""Headers that tell another length of their samples than the file holds, where libsndfile takes them at their word or
says nothing of it. Pure but for reading.

A recorder that is killed, or that writes into a pipe, leaves 0, the length of no sample, or a placeholder; CAF has -1
for "up to the end", which libsndfile refuses. A copy that breaks off leaves a length past the file's end.

Sources: Sun, "Audio file format" (`audio(7)`); Microsoft/IBM, "Multimedia Programming Interface and Data Specifications
1.0" (1991); Apple, "Audio Interchange File Format 1.3" and "Core Audio Format Specification 1.0"; Sony, "Wave64".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

_SEARCHED: Final = 2**20
"""Bytes searched for the samples."""
_PLACEHOLDER: Final = 0x7F00_0000
"""Programs that write into a pipe announce about 2 GiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunks:
    """A form made of chunks, from byte `first` on: a name and a size each (`header`), padded to `even` bytes. The
    chunk named `samples` has `inner` bytes before the first sample. `whole`: sizes count the header too."""

    first: int
    header: str
    samples: bytes
    inner: int = 0
    even: int = 1
    whole: bool = False


_FORMS: Final = {
    b"RIFX": _Chunks(first=12, header=">4sI", samples=b"data", even=2),
    b"FORM": _Chunks(first=12, header=">4sI", samples=b"SSND", inner=8, even=2),
    b"caff": _Chunks(first=8, header=">4sq", samples=b"data", inner=4),
    b"riff": _Chunks(first=40, header="<4s12xQ", samples=b"data", even=8, whole=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """`told` bytes of samples begin at byte `begin`, as the field of the form `field` at byte `at` says, which counts
    `more` bytes besides."""

    at: int
    field: str
    told: int
    more: int
    begin: int


def closed_head(file: BinaryIO, length: int) -> tuple[bytes, bool]:
    """The first bytes of a file of so many, with the length of its samples put right, and whether it breaks off before
    the end that its header tells of. No bytes where the header is right, or no such form's."""
    file.seek(0)
    head = file.read(_SEARCHED)
    told = _au(head) if head[:4] == b".snd" else _chunked(head)
    if told is None:
        return b"", False
    there = length - told.begin
    if 0 < told.told <= there or there <= 0 or (told.told <= 0 and _is_chunk(head, told.begin, length)):
        return b"", False
    right = head[: told.at] + struct.pack(told.field, there + told.more)
    return right, 0 < told.told < _PLACEHOLDER


def _au(head: bytes) -> _Told | None:
    if len(head) < 12:
        return None
    begin, size = struct.unpack_from(">II", head, 4)
    return _Told(at=8, field=">I", told=size, more=0, begin=begin)


def _chunked(head: bytes) -> _Told | None:
    form = _FORMS.get(head[:4])
    at = form.first if form is not None else len(head)
    while form is not None and at + struct.calcsize(form.header) <= len(head):
        name, size = struct.unpack_from(form.header, head, at)
        body = at + struct.calcsize(form.header)
        counted = body - at if form.whole else 0
        if name == form.samples:
            field = form.header[0] + form.header[-1]
            more = form.inner + counted
            where = body - struct.calcsize(field)
            return _Told(at=where, field=field, told=size - more, more=more, begin=body + form.inner)
        end = body - counted + size
        if end <= at:
            return None
        at = end + -end % form.even
    return None


def _is_chunk(head: bytes, at: int, length: int) -> bool:
    """Whether another chunk stands where the samples would begin: there is none then."""
    form = _FORMS.get(head[:4])
    if form is None or at + struct.calcsize(form.header) > len(head):
        return False
    name, size = struct.unpack_from(form.header, head, at)
    return all(0x20 <= byte < 0x7F for byte in name) and 0 <= size <= length - at
