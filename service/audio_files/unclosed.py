"""Headers that leave the length of their samples open, where libsndfile takes them at their word. Pure but for reading.

A recorder that is killed, or that writes into a pipe, leaves 0 in an AU and in a big-endian RIFF header; a CAF header
may hold -1 for "up to the end", which libsndfile refuses.

Sources: Sun, "Audio file format" (`audio(7)`); Microsoft/IBM, "Multimedia Programming Interface and Data Specifications
1.0" (1991); Apple, "Core Audio Format Specification 1.0".
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

_SEARCHED: Final = 2**20
"""Bytes searched for the samples."""
_AU_UNKNOWN: Final = 0xFFFF_FFFF


def closed_head(file: BinaryIO, length: int) -> bytes:
    """The first bytes of a file of so many, with the length of its samples put right; empty where it is not open."""
    file.seek(0)
    head = file.read(_SEARCHED)
    if head[:4] == b".snd":
        return _au(head)
    if head[:4] == b"RIFX":
        return _chunked(head, length, 12, ">4sI", (0, 0xFFFF_FFFF))
    if head[:4] == b"caff":
        return _chunked(head, length, 8, ">4sq", (-1,))
    return b""


def _au(head: bytes) -> bytes:
    return head[:8] + struct.pack(">I", _AU_UNKNOWN) if head[8:12] == bytes(4) else b""


def _chunked(head: bytes, length: int, at: int, form: str, open_sizes: tuple[int, ...]) -> bytes:
    """The head with the size of the `data` chunk, searched from byte `at` on, set to reach the file's end."""
    size_of_head = struct.calcsize(form)
    while at + size_of_head <= len(head):
        name, size = struct.unpack_from(form, head, at)
        begin = at + size_of_head
        if name == b"data":
            there = length - begin
            return head[:at] + struct.pack(form, name, there) if size in open_sizes and there else b""
        if size < 0:
            return b""
        at = begin + size + (size % 2 if form == ">4sI" else 0)
    return b""
