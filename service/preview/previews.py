"""The last connections of every source, and those that fit none. Plain; one a service, kept in memory alone."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

from asr.types import Seconds
from service.preview.trace import ConnectionTrace
from service.preview.values import ConnectionPreview
from service.settings import Settings

MOST_LET_IN: Final = 12
"""Connections of a source, the newest. Each may take some 40 kB."""
MOST_TURNED_AWAY: Final = 12
"""Of a source, beside those: whoever tries keys may not drive out what was let in."""
MOST_UNMATCHED: Final = 50
MOST_SOURCES: Final = 100
"""Those of which one connected last."""

_NO_SOURCE: Final = ""


class _Kept:
    """One source's, with their numbers."""

    def __init__(self, let_in: int, turned_away: int) -> None:
        self.let_in: deque[tuple[int, ConnectionTrace]] = deque(maxlen=let_in)
        self.turned_away: deque[tuple[int, ConnectionTrace]] = deque(maxlen=turned_away)


class Previews:
    """By the name of the source; "" for none."""

    def __init__(self) -> None:
        self._sources: OrderedDict[str, _Kept] = OrderedDict()
        self._unmatched = _Kept(1, MOST_UNMATCHED)
        self._count = 0

    def let_in(self, trace: ConnectionTrace, source: str) -> None:
        """A connection of the source; what it is told later shows, too."""
        self._count += 1
        self._of(source).let_in.append((self._count, trace))

    def turned_away(self, trace: ConnectionTrace, source: str = _NO_SOURCE) -> None:
        """One that was not let in, once it is known why. The same again counts as one more of it."""
        kept = self._of(source).turned_away
        if kept and kept[-1][1].same(trace):
            kept[-1][1].again(trace)
            return
        self._count += 1
        kept.append((self._count, trace))

    def knows(self, source: str) -> bool:
        """Something of the source is kept."""
        return source in self._sources

    def of(self, source: str, now: Seconds, settings: Settings) -> tuple[ConnectionPreview, ...]:
        """The source's, the newest first."""
        kept = self._sources.get(source)
        return () if kept is None else _shown((*kept.let_in, *kept.turned_away), now, settings)

    def unmatched(self, now: Seconds, settings: Settings) -> tuple[ConnectionPreview, ...]:
        """Those that fit no source, the newest first."""
        return _shown(self._unmatched.turned_away, now, settings)

    def _of(self, source: str) -> _Kept:
        if source == _NO_SOURCE:
            return self._unmatched
        kept = self._sources.setdefault(source, _Kept(MOST_LET_IN, MOST_TURNED_AWAY))
        self._sources.move_to_end(source)
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        return kept


def _shown(
    kept: Iterable[tuple[int, ConnectionTrace]], now: Seconds, settings: Settings
) -> tuple[ConnectionPreview, ...]:
    shown = (trace.shown(number, now, settings) for number, trace in kept)
    return tuple(sorted(shown, key=lambda each: (each.opened_at, each.id), reverse=True))
