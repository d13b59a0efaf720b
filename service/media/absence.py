"""Time in which a live connection brought no audio and never made up for it. A stall whose audio comes later is
none."""

from __future__ import annotations

from dataclasses import dataclass

from asr.types import Seconds

LONGEST_PAUSE: Seconds = 5.0
"""Audio comes in bursts a quarter of a second apart; what took longer than this is worth telling if it is not made up
for."""
SETTLED: Seconds = 5.0
"""A backlog that has not shortened what is missing for so long does not come."""
_SHORTENED: Seconds = 0.5
MOST_TOLD = 50
"""Absences a call that are told each: a source that sends nothing while nobody speaks, and no timestamps, has one every
few turns."""
TOLD_TOGETHER: Seconds = 300.0
"""Later ones are told once there are so many seconds of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """For `seconds` of real time no audio came. `at` is where on the call's clock that was, or the last of it."""

    at: Seconds
    seconds: Seconds


@dataclass(slots=True, kw_only=True)
class _Pause:
    """One that is over; whether its audio comes later is not known yet. `missing` is the least so far, `marked` what
    it was when it had last become notably less."""

    at: Seconds
    since: Seconds
    missing: Seconds
    marked: Seconds
    told_at: Seconds


class Absences:
    """Compares the call's clock with real time after each pause.

    Where samples are the clock (no timestamps), audio on hold moves it not at all, and nothing on the timeline shows
    how long that was. Where timestamps moved it there is a gap, and nothing is missing here. After a network stall the
    audio of the pause follows faster than it was spoken, and nothing is missing either. Seconds are of any steady
    clock; before the first audio nothing is an absence.
    """

    def __init__(self) -> None:
        self._position: Seconds = 0.0
        self._arrived_at: Seconds | None = None
        self._pause: _Pause | None = None
        self._told = 0
        self._untold: Seconds = 0.0

    def arrived(self, position: Seconds, now: Seconds) -> list[Absence]:
        """Audio came, and the call's clock stands at `position`. Returns the absences that are certain by now."""
        told: list[Absence] = []
        if self._arrived_at is not None and now - self._arrived_at >= LONGEST_PAUSE:
            told = self._settle()
            self._begin(now - self._arrived_at, now)
        self._position, self._arrived_at = position, now
        return [*told, *self._judged(position, now)]

    def closed(self, now: Seconds) -> list[Absence]:
        """The call is over at `now`, and its connection was there to the end."""
        if self._arrived_at is None or now - self._arrived_at < LONGEST_PAUSE:
            return self.interrupted()
        absence = Absence(at=self._position, seconds=now - self._arrived_at)
        return [*self.interrupted(), *self._counted(absence)]

    def interrupted(self) -> list[Absence]:
        """The connection is gone: what comes next follows nothing."""
        self._arrived_at = None
        return self._settle()

    def _settle(self) -> list[Absence]:
        """Nothing more will come that could make up for the pause."""
        pause, self._pause = self._pause, None
        return [] if pause is None else self._counted(Absence(at=pause.at, seconds=pause.missing))

    def _counted(self, absence: Absence) -> list[Absence]:
        self._told += 1
        self._untold += absence.seconds
        if self._told > MOST_TOLD and self._untold < TOLD_TOGETHER:
            return []
        together, self._untold = self._untold, 0.0
        return [Absence(at=absence.at, seconds=together)]

    def _begin(self, waited: Seconds, now: Seconds) -> None:
        self._pause = _Pause(
            at=self._position, since=now - waited, missing=waited, marked=waited, told_at=now + SETTLED
        )

    def _judged(self, position: Seconds, now: Seconds) -> list[Absence]:
        pause = self._pause
        if pause is None:
            return []
        missing = (now - pause.since) - (position - pause.at)
        pause.missing = min(pause.missing, missing)
        if missing < LONGEST_PAUSE:
            self._pause = None
        elif missing <= pause.marked - _SHORTENED:
            pause.marked, pause.told_at = missing, now + SETTLED
        elif now >= pause.told_at:
            return self._settle()
        return []
