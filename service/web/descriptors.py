"""Open files: as many as the system lets this process have, and a log that does not fill up when they run out."""

from __future__ import annotations

import logging
import resource
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_DESCRIPTORS = 65_536
"""More than any call centre needs. Some systems allow a billion, and some libraries make tables of that size."""

_OFTEN = 10
_PERIOD_SECONDS = 60.0
_KINDS_REMEMBERED = 256


def raise_descriptor_limit() -> int:
    """Raise the soft limit on open files to the hard one, at most MOST_DESCRIPTORS. Returns what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
        return ceiling
    return MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


class Sparing(logging.Filter):
    """Lets each kind of warning through ten times a minute; the next one after that tells how many were left out.

    A kind is a message before its arguments are put in: whoever connects can make a server say some of them thousands
    of times a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line too many."""
        if record.levelno < logging.WARNING:
            return True
        kind, now = str(record.msg)[:40], self._clock()
        begun, count = self._kinds.pop(kind, (now, 0))
        left_out = 0
        if now - begun >= _PERIOD_SECONDS:
            left_out = max(0, count - _OFTEN)
            begun, count = now, 0
        self._kinds[kind] = begun, count + 1
        if len(self._kinds) > _KINDS_REMEMBERED:
            self._kinds.popitem(last=False)
        if left_out:
            record.msg = f"{record.msg} ({left_out} more like this were left out before)"
        return count < _OFTEN
