"""Where the samples of a RIFF WAVE file really lie. Pure but for reading.

A writer that is killed, that writes into a pipe, or that is still writing leaves size fields that are 0, a placeholder
or out of date; a copy that breaks off leaves sizes past the file's end. What follows the `data` header tells then.

Sources: Microsoft/IBM, "Multimedia Programming Interface and Data Specifications 1.0" (1991); EBU Tech 3306 (RF64);
ITU-R BS.2088 (BW64).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_FORMS = (b"RIFF", b"RF64", b"BW64")
_UNSET = 0xFFFF_FFFF
"""Written where a size is not known yet, or stands in the `ds64` chunk."""
_PLACEHOLDER = 0x7FFF_0000
"""Encoders that write into a pipe announce about 2 GiB."""
_SEARCHED = 2**20
"""Bytes searched for the samples where a chunk before them has a size that leads nowhere."""
_LEAST_FORMAT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveLayout:
    """`length` bytes of samples begin at byte `begin`, in the form that the `fmt ` chunk's body `form` tells.

    `told` is the length that the header gives, None where it gives none. `plain` tells that every chunk is where the
    one before it says.
    """

    form: bytes
    begin: int
    length: int
    told: int | None
    plain: bool

    @property
    def coding(self) -> int:
        """The registered number of how samples are coded (RFC 2361): 1 is PCM, 7 is mu-law."""
        return int.from_bytes(self.form[:2], "little")

    @property
    def bytes_a_second(self) -> int:
        """How many bytes of samples a second takes."""
        return max(1, int.from_bytes(self.form[8:12], "little"))

    @property
    def right(self) -> bool:
        """The header can be taken at its word."""
        return self.plain and self.told == self.length

    @property
    def missing(self) -> int:
        """Bytes of samples that the header tells of and the file does not hold."""
        return max(0, (self.told or 0) - self.length)

    def head(self) -> bytes:
        """A header that tells what is there, to stand before the samples."""
        rest = b"fmt " + struct.pack("<I", len(self.form)) + self.form + b"\0" * (len(self.form) % 2) + b"data"
        size = 4 + len(rest) + 4 + self.length
        if size < _UNSET:
            return b"RIFF" + struct.pack("<I", size) + b"WAVE" + rest + struct.pack("<I", self.length)
        sizes = b"ds64" + struct.pack("<IQQQI", 28, size + 36, self.length, 0, 0)
        return b"RF64" + struct.pack("<I", _UNSET) + b"WAVE" + sizes + rest + struct.pack("<I", _UNSET)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    name: bytes
    begin: int
    size: int
    padded: bool = True

    @property
    def end(self) -> int:
        return self.begin + self.size + (self.size % 2 if self.padded else 0)


def wave_layout(file: BinaryIO, length: int) -> WaveLayout | None:
    """The layout of a file of so many bytes; None where it is no little-endian WAVE file or holds no samples' form."""
    file.seek(0)
    head = file.read(12)
    if head[:4] not in _FORMS or head[8:] != b"WAVE":
        return None
    chunks = {chunk.name: chunk for chunk in _chunks(file, 12, length)}
    plain = head[:4] != b"BW64" and all(chunk.padded for chunk in chunks.values())
    form, data = chunks.get(b"fmt "), chunks.get(b"data")
    if form is None or data is None:
        plain, form, data = False, *_searched(file, length)
    if form is None or data is None or form.size < _LEAST_FORMAT:
        return None
    body = _read(file, form.begin, min(form.size, data.begin - form.begin))
    told = _told(file, data, chunks.get(b"ds64"))
    return WaveLayout(
        form=body, begin=data.begin, length=_length(file, data.begin, told, length, body), told=told, plain=plain
    )


class Spliced:
    """A file as if `head` stood in the place of what comes before byte `begin`; it ends after `length` bytes more.

    libsndfile reads it by callbacks, which cannot raise: a `fault` of the disk is kept, and the file ends there.
    """

    def __init__(self, head: bytes, file: BinaryIO, begin: int, length: int) -> None:
        self._head = head
        self._file = file
        self._begin = begin
        self._length = length
        self._at = 0
        self.fault: OSError | None = None

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        from_where = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._head) + self._length}[whence]
        self._at = max(0, from_where + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = len(self._head) + self._length - self._at
        wanted = left if size < 0 else min(size, left)
        if wanted <= 0:
            return b""
        got = self._head[self._at : self._at + wanted]
        try:
            if len(got) < wanted:
                self._file.seek(self._begin + self._at + len(got) - len(self._head))
                got += self._file.read(wanted - len(got))
        except OSError as fault:
            self.fault = fault
        self._at += len(got)
        return got


def _chunks(file: BinaryIO, at: int, length: int) -> Iterator[_Chunk]:
    """The chunks from byte `at` up to the samples, as far as their sizes lead to further chunks."""
    while at + 8 <= length:
        name, size = struct.unpack("<4sI", _read(file, at, 8))
        if not _is_name(name):
            return
        chunk = _Chunk(name=name, begin=at + 8, size=size)
        if size % 2 and not _follows(file, chunk.end, length) and _follows(file, chunk.end - 1, length):
            chunk = _Chunk(name=name, begin=at + 8, size=size, padded=False)
        yield chunk
        if name == b"data":
            return
        at = chunk.end


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)


def _follows(file: BinaryIO, at: int, length: int) -> bool:
    """Whether another chunk begins there, or the file ends."""
    return at == length or _is_name(_read(file, at, 4))


def _searched(file: BinaryIO, length: int) -> tuple[_Chunk | None, _Chunk | None]:
    """The form and the samples, found by their names."""
    head = _read(file, 0, min(length, _SEARCHED))
    form = head.find(b"fmt ")
    data = head.find(b"data", form + 8 + _LEAST_FORMAT) if form >= 0 else -1
    if data < 0 or data + 8 > len(head):
        return None, None
    sizes = [int.from_bytes(head[at + 4 : at + 8], "little") for at in (form, data)]
    return _Chunk(name=b"fmt ", begin=form + 8, size=sizes[0]), _Chunk(name=b"data", begin=data + 8, size=sizes[1])


def _told(file: BinaryIO, data: _Chunk, sizes: _Chunk | None) -> int | None:
    if data.size == _UNSET and sizes is not None and sizes.size >= 16:
        size = int.from_bytes(_read(file, sizes.begin + 8, 8), "little")
        return size if 0 < size < 2**63 else None
    return data.size if data.size < _PLACEHOLDER or data.end <= file.seek(0, io.SEEK_END) else None


def _length(file: BinaryIO, begin: int, told: int | None, length: int, form: bytes) -> int:
    """How many bytes of samples there are. What stands behind the told ones is samples too, unless it is chunks."""
    there = length - begin
    if told is None or told >= there:
        return there
    behind = begin + told + told % 2
    second = int.from_bytes(form[8:12], "little")
    if _closed(file, behind, length) or (told and length - behind < second):
        return told
    return there


def _closed(file: BinaryIO, at: int, length: int) -> bool:
    """Whether nothing but whole chunks, or a few odd bytes, stand from there to the file's end."""
    while at + 8 <= length:
        name, size = struct.unpack("<4sI", _read(file, at, 8))
        if not _is_name(name) or at + 8 + size > length:
            return False
        at += 8 + size + size % 2
    return True


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
