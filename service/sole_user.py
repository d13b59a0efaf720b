"""Holds a data folder for one service. A second one would go on with the first one's live calls."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from asr.types import Seconds
from service.unusable import Unusable

LOCK = "in-use"
HANDED_OVER_WITHIN: Seconds = 12.0
"""A service that was told to stop ends within ten seconds; its successor may be started at once."""
_TRY_EVERY: Seconds = 0.1


@contextmanager
def sole_user(folder: Path, within: Seconds = HANDED_OVER_WITHIN) -> Generator[None, None, None]:
    """Hold the folder for this process; the system lets go of it however the process ends. Blocks while another holds
    it, and raises Unusable if it still does after `within` seconds."""
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(file, folder, time.monotonic() + within)
        yield
    finally:
        os.close(file)


def _lock(file: int, folder: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Unusable(f"another Callwarden runs on {folder}: stop it, or name another --data-dir") from None
            time.sleep(_TRY_EVERY)
        else:
            return
