"""One leg's packets in any order in, one unbroken run of samples out; and what a person is shown of its holes."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from asr.audio.pcm import Pcm, samples_in
from asr.types import Role, Seconds
from service.media.legs import LegAudio
from service.record.facts import GapMarked, GapReason

TOLERANCE: Seconds = 0.040
"""Timestamps this far from where the samples say are taken for jitter: +-20 ms around a first packet that may itself
be 20 ms off. So a leg's clock is true to 40 ms, and losses show when they add up to more."""
CONTIGUOUS: Seconds = 0.005
"""A packet that begins within this of the one before follows it: no packet is shorter than 10 ms on any gateway."""
WINDOW: Seconds = 0.100
"""Audio held while an earlier packet may still come: five packets of 20 ms."""
LONGEST_HOLD: Seconds = 0.250
"""The same in arrival time; bursts of gateways are this far apart."""
JUMP_SLACK: Seconds = 5.0
MOST_JUMP_SLACK: Seconds = 30.0
"""A timestamp may run ahead by the time since audio of the leg last came, for that really passed, and by a slack beyond
it: JUMP_SLACK at first, and as much more as audio comes, up to MOST_JUMP_SLACK. What is skipped in a backlog or in a
file that is played in needs it; a flipped bit or a source that counts in another unit may not cost hours of zeros."""
LONGEST_STEP_BACK: Seconds = 2.0
STRAYS_UNTIL_NEW_CLOCK = 5
"""So many impossible timestamps in a row mean that the source's clock was set anew."""
GAPS_JOINED_WITHIN: Seconds = 1.0
"""Losses closer together than this are one gap: a line that drops every twentieth packet would otherwise put
hundreds of marks of 60 ms into a transcript."""
LONGEST_JOINED_GAP: Seconds = 10.0
SHORTEST_SILENT_GAP: Seconds = 1.0
"""A source that sends nothing during pauses loses nothing by it; from here on it is worth telling."""

_SILENCE = np.zeros(16_000, np.int16)
_SILENCE.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Zeros stand in for audio of `role` from `start` to `end`."""

    role: Role
    start: Seconds
    end: Seconds
    reason: GapReason


TrackOutput: TypeAlias = LegAudio | Hole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packet:
    at: int
    pcm: Pcm
    arrived: Seconds

    @property
    def end(self) -> int:
        return self.at + self.pcm.size


class LegTrack:
    """A leg's clock in samples. `next` is the first sample not given out yet.

    Packets in order pass at once. One that leaves a hole before it is held for a short window, so that an earlier
    one can still come; then the hole is given as zeros. What comes after its place was given out is dropped and
    counted in `late`, copies in `duplicates`. Impossible timestamps (see JUMP_SLACK, LONGEST_STEP_BACK) are
    ignored, counted in `strays`, and their audio follows on; STRAYS_UNTIL_NEW_CLOCK of them in a row re-base.
    """

    def __init__(self, role: Role, rate: int, begin: int = 0) -> None:
        self.role: Role = role
        self.next = begin
        self.late = 0
        self.duplicates = 0
        self.strays = 0
        self.lost_samples = 0
        self._rate = rate
        self._tolerance = samples_in(TOLERANCE, rate)
        self._contiguous = samples_in(CONTIGUOUS, rate)
        self._held: list[_Packet] = []
        self._last: _Packet | None = None
        self._strays_in_row = 0
        self._last_arrival: Seconds | None = None
        self._slack = JUMP_SLACK
        self._silent_until = -1

    def push(self, at: int | None, pcm: Pcm, now: Seconds) -> list[TrackOutput]:
        """`at`: the source's own place of the first sample on this leg's clock, None where it follows on."""
        plausible = at is None or self._plausible(at, now)
        self._slack = min(MOST_JUMP_SLACK, self._slack + pcm.size / self._rate)
        self._last_arrival = now
        if at is None or not plausible:
            return self.follow_on(pcm)
        if self._last is not None and at < self._last.at:
            self._count_unwanted(at, pcm)
            return []
        insort(self._held, _Packet(at=at, pcm=pcm, arrived=now), key=lambda packet: packet.at)
        return self.settle(now)

    def follow_on(self, pcm: Pcm) -> list[TrackOutput]:
        """Samples that follow what came last."""
        return [*self.release(), *self._give(pcm)]

    def settle(self, now: Seconds) -> list[TrackOutput]:
        """Give out what follows on, and what was held long enough."""
        given: list[TrackOutput] = []
        while self._held and (self._follows_on(self._held[0]) or self._held_long(now)):
            given += self._place(self._held.pop(0))
        return given

    def release(self) -> list[TrackOutput]:
        """Give out all that is held."""
        held, self._held = self._held, []
        return [output for packet in held for output in self._place(packet)]

    def fill(self, until: int, reason: GapReason) -> list[TrackOutput]:
        """Zeros up to `until`, and their hole. Nothing if the leg has reached that already."""
        if until <= self.next:
            return []
        hole = Hole(role=self.role, start=self.next / self._rate, end=until / self._rate, reason=reason)
        if reason == "lost":
            self.lost_samples += until - self.next
        given: list[TrackOutput] = [hole]
        while self.next < until:
            given += self._give(_SILENCE[: until - self.next])
        if reason == "silence":
            self._silent_until = until
        return given

    def begin_anew(self) -> None:
        """A new connection of the source: its timestamps have nothing to do with those before."""
        self._last = None
        self._strays_in_row = 0

    @property
    def reached(self) -> int:
        """The end of what came, given out or held."""
        return max(self.next, self._held[-1].end) if self._held else self.next

    @property
    def lost_clock(self) -> bool:
        """The source's clock was set anew. The next timestamp tells where `next` is."""
        return self._strays_in_row >= STRAYS_UNTIL_NEW_CLOCK

    def can_be(self, at: int, now: Seconds) -> bool:
        """Whether the source may have reached its sample `at` by now."""
        return -LONGEST_STEP_BACK * self._rate <= at - self.next and self._beyond(at, now) <= self._slack

    def _beyond(self, at: int, now: Seconds) -> Seconds:
        """How far `at` runs ahead of what came last, beyond the time that has passed since."""
        passed = 0.0 if self._last_arrival is None else max(0.0, now - self._last_arrival)
        return max(0.0, (at - self.reached) / self._rate - passed)

    def _plausible(self, at: int, now: Seconds) -> bool:
        if self.can_be(at, now):
            self._slack -= self._beyond(at, now)
            self._strays_in_row = 0
            return True
        self.strays += 1
        self._strays_in_row += 1
        return False

    def _follows_on(self, packet: _Packet) -> bool:
        source_end = self.next if self._last is None else max(self.next, self._last.end)
        return packet.at <= source_end + self._contiguous

    def _held_long(self, now: Seconds) -> bool:
        first, last = self._held[0], self._held[-1]
        return last.end - first.at > WINDOW * self._rate or now - first.arrived > LONGEST_HOLD

    def _place(self, packet: _Packet) -> list[TrackOutput]:
        ahead = packet.at - self.next
        passed = ahead < -self._tolerance and ahead + packet.pcm.size <= 0
        if passed or self._is_copy(packet.at, packet.pcm):
            self._count_unwanted(packet.at, packet.pcm)
            return []
        self._last = packet
        if ahead > self._tolerance:
            reason: GapReason = "silence" if self._silent_until == self.next else "lost"
            return [*self.fill(packet.at, reason), *self._give(packet.pcm)]
        if ahead < -self._tolerance:
            return self._give(packet.pcm[-ahead:])
        return self._give(packet.pcm)

    def _is_copy(self, at: int, pcm: Pcm) -> bool:
        return self._last is not None and self._last.at == at and np.array_equal(self._last.pcm, pcm)

    def _count_unwanted(self, at: int, pcm: Pcm) -> None:
        if self._is_copy(at, pcm):
            self.duplicates += 1
        else:
            self.late += 1

    def _give(self, pcm: Pcm) -> list[TrackOutput]:
        if not pcm.size:
            return []
        audio = LegAudio(role=self.role, start=self.next, rate=self._rate, pcm=pcm)
        self.next += pcm.size
        return [audio]


class GapMarks:
    """Joins holes into gaps; a gap is told once its leg has gone on for a while after it."""

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

    def reached(self, role: Role, until: Seconds) -> list[GapMarked]:
        """The leg's audio now reaches to `until`."""
        running = self._open.get(role)
        if running is None or until - running.end < GAPS_JOINED_WITHIN:
            return []
        return _marked(self._open.pop(role))

    @property
    def open(self) -> list[Seconds]:
        """Where the holes begin that are not told yet; a leg that sent nothing was silent, and has none."""
        return [hole.start for hole in self._open.values() if hole.reason != "silence"]

    def flush(self) -> list[GapMarked]:
        """The gaps that are still open, when nothing follows for now."""
        running, self._open = self._open, {}
        return [gap for hole in running.values() for gap in _marked(hole)]


def _continues(running: Hole, hole: Hole) -> bool:
    if running.reason != hole.reason:
        return False
    if hole.start <= running.end:
        return True
    return (
        hole.reason == "lost"
        and hole.start - running.end < GAPS_JOINED_WITHIN
        and hole.end - running.start < LONGEST_JOINED_GAP
    )


def _marked(hole: Hole | None) -> list[GapMarked]:
    if hole is None or (hole.reason == "silence" and hole.end - hole.start < SHORTEST_SILENT_GAP):
        return []
    return [GapMarked(role=hole.role, start=hole.start, end=hole.end, reason=hole.reason)]
