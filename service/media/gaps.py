"""From holes in the audio to the gaps that a person is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from asr.types import Role, Seconds
from service.record.facts import GapMarked, GapReason

JOIN: Seconds = 1.0
"""Losses closer together than this are one gap: a line that drops every twentieth packet would otherwise put
hundreds of marks of 60 ms into a transcript."""
LONGEST_RUN: Seconds = 10.0
SHORTEST_SILENCE: Seconds = 1.0
"""A source that sends nothing during pauses loses nothing by it; from here on it is worth telling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Zeros stand in for audio of `role` from `start` to `end`."""

    role: Role
    start: Seconds
    end: Seconds
    reason: GapReason


class GapMarks:
    """Joins holes into gaps; a gap is told when its leg has been heard for a while after it."""

    def __init__(self) -> None:
        self._open: dict[Role, Hole] = {}

    def add(self, hole: Hole) -> list[GapMarked]:
        """Holes of a leg come in order. Gives the gap before, if this one does not go on with it."""
        running = self._open.get(hole.role)
        if running is not None and _continues(running, hole):
            self._open[hole.role] = replace(running, end=hole.end)
            return []
        self._open[hole.role] = hole
        return _marked(running)

    def heard(self, role: Role, until: Seconds) -> list[GapMarked]:
        """The leg's audio now reaches to `until`."""
        running = self._open.get(role)
        if running is None or until - running.end < JOIN:
            return []
        return _marked(self._open.pop(role))

    def flush(self) -> list[GapMarked]:
        running, self._open = self._open, {}
        return [gap for hole in running.values() for gap in _marked(hole)]


def _continues(running: Hole, hole: Hole) -> bool:
    if running.reason != hole.reason:
        return False
    if hole.start <= running.end:
        return True
    return hole.reason == "lost" and hole.start - running.end < JOIN and hole.end - running.start < LONGEST_RUN


def _marked(hole: Hole | None) -> list[GapMarked]:
    if hole is None or (hole.reason == "silence" and hole.end - hole.start < SHORTEST_SILENCE):
        return []
    return [GapMarked(role=hole.role, start=hole.start, end=hole.end, reason=hole.reason)]
