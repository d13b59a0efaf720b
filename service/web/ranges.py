"""Byte ranges (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re

_SINGLE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range begins behind the end: 416."""


def requested_range(header: str | None, size: int) -> range | None:
    """The bytes that were asked for, None for all of them. Raises Unsatisfiable.

    A header that is malformed, in another unit or names several ranges is ignored, which a server may do
    (14.2); no player asks for several.
    """
    match = _SINGLE.fullmatch(header or "")
    if match is None or match[1] == match[2] == "":
        return None
    first, last = match[1], match[2]
    if first == "":
        return _suffix(int(last), size)
    begin, end = int(first), int(last) if last else size - 1
    if last and end < begin:
        return None
    if begin >= size:
        raise Unsatisfiable
    return range(begin, min(end, size - 1) + 1)


def _suffix(length: int, size: int) -> range:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return range(max(0, size - length), size)
