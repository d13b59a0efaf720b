"""How the C library hands out memory."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8
"""glibc's `malloc.h`."""
_ARENAS = 2


def share_arenas() -> None:
    """Let all threads allocate from two arenas, where the C library is glibc. Call it before threads are started.

    By default glibc gives each thread that allocates one of up to eight arenas a core, and each of those keeps the most
    that it ever needed. Batches of speech are large and meet any thread: memory crept up for hours as one arena after
    another came to hold its largest. With two it levels off within minutes, a fifth lower, at 0.98 of the speed.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
