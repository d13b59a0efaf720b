"""A call's audio clock: what the gateway sends, as each leg's samples in their true places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from asr.audio import Encoding, MalformedAudio, Pcm, decode, deinterleave, samples_in
from asr.types import Role, Seconds
from service.facts import GapMarked
from service.gateway.events import CLOSE_UNSUPPORTED, AudioArrived, ProtocolViolation
from service.media.gaps import GapMarks, Hole
from service.media.legs import LegAudio
from service.media.track import LegTrack, TrackOutput

SKEW: Seconds = 0.5
"""How far a leg may fall behind the other before silence is put in its place, so that the recording and the
endpointing of what was said before go on. Tracks of one socket come in turns, in bursts of 250 ms at most."""
LONGEST_ABSENCE: Seconds = 3600.0

TimelineOutput: TypeAlias = LegAudio | GapMarked


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineCounts:
    """What did not go smoothly, over all legs: for metrics and the line logged at a call's end."""

    late: int
    duplicates: int
    strays: int
    lost: Seconds


class CallTimeline:
    """Encoded audio in, each leg's native-rate PCM out, without holes and in order; gaps are marked.

    A leg's runs follow each other from sample 0: what is missing comes as zeros, and as a GapMarked once it is over.
    Legs stay within SKEW and a hold of 0.25 s of each other. Without timestamps samples are the clock and audio
    follows on. See LegTrack for order, jitter and impossible timestamps. `begin`: the sample that audio goes on at,
    of a call whose earlier audio is dealt with.
    """

    def __init__(self, roles: Sequence[Role], encoding: Encoding, rate: int, *, begin: int = 0) -> None:
        self._encoding: Encoding = encoding
        self._rate = rate
        self._tracks: dict[Role, LegTrack] = {role: LegTrack(role, rate, begin) for role in roles}
        self._offsets: dict[Role, int] = {} if begin else dict.fromkeys(roles, 0)
        """Where the source's 0 lies on each leg's clock; empty until a new connection's first timestamp tells."""
        self._marks = GapMarks()
        self._received: dict[Role, int] = dict.fromkeys(roles, 0)

    @property
    def position(self) -> Seconds:
        """How far the leg that is ahead reaches."""
        return max(track.next for track in self._tracks.values()) / self._rate

    @property
    def received(self) -> Seconds:
        """Audio that came of the leg of which most did, whatever became of it."""
        return max(self._received.values()) / self._rate

    @property
    def counts(self) -> TimelineCounts:
        tracks = self._tracks.values()
        return TimelineCounts(
            late=sum(track.late for track in tracks),
            duplicates=sum(track.duplicates for track in tracks),
            strays=sum(track.strays for track in tracks),
            lost=sum(track.lost_samples for track in tracks) / self._rate,
        )

    def feed(self, event: AudioArrived, now: Seconds) -> list[TimelineOutput]:
        """`now`: seconds on any steady clock. Raises ProtocolViolation for half samples and an unknown leg."""
        given: list[TrackOutput] = []
        for role, pcm in self._decoded(event):
            self._received[role] += pcm.size
            given += self._tracks[role].push(self._place(role, event.at), pcm, now)
        for track in self._tracks.values():
            given += track.settle(now)
        return self._told([*given, *self._level_up()])

    def disconnected(self, away: Seconds) -> list[TimelineOutput]:
        """The source is back after `away` seconds, on a new connection: silence on all legs for that long.

        Held to 0 to LONGEST_ABSENCE. Timestamps, if any, begin anew from here.
        """
        told = self.flush()
        lasting = min(max(away, 0.0), LONGEST_ABSENCE)
        begin = max(track.next for track in self._tracks.values())
        until = begin + samples_in(lasting, self._rate)
        silence: list[TrackOutput] = []
        for track in self._tracks.values():
            track.begin_anew()
            silence += track.fill(until, "disconnected")
        self._offsets.clear()
        told += [output for output in silence if isinstance(output, LegAudio)]
        if until > begin:
            rate = self._rate
            told.append(GapMarked(role=None, start=begin / rate, end=until / rate, reason="disconnected"))
        return told

    def flush(self) -> list[TimelineOutput]:
        """Give out what is held and bring all legs to the same end."""
        given = [output for track in self._tracks.values() for output in track.release()]
        end = max(track.next for track in self._tracks.values())
        for track in self._tracks.values():
            given += track.fill(end, "silence")
        return [*self._told(given), *self._marks.flush()]

    def _decoded(self, event: AudioArrived) -> list[tuple[Role, Pcm]]:
        roles = tuple(self._tracks) if event.role is None else (event.role,)
        if not self._tracks.keys() >= set(roles):
            raise ProtocolViolation("role", f"this call has no leg of the {event.role}")
        try:
            legs = deinterleave(decode(event.payload, self._encoding), len(roles))
        except MalformedAudio as error:
            raise ProtocolViolation("audio", str(error), CLOSE_UNSUPPORTED) from error
        return list(zip(roles, legs, strict=True))

    def _place(self, role: Role, at: Seconds | None) -> int | None:
        """The source's time as a sample of the leg's clock."""
        if at is None or not math.isfinite(at * self._rate):
            return None
        source = round(at * self._rate)
        if not self._offsets:
            base = max(track.next for track in self._tracks.values())
            self._offsets.update(dict.fromkeys(self._tracks, base - source))
        track = self._tracks[role]
        if track.lost_clock:
            track.begin_anew()
            self._offsets[role] = track.next - source
        return source + self._offsets[role]

    def _level_up(self) -> list[TrackOutput]:
        """Silence for legs that fell behind."""
        least = max(track.next for track in self._tracks.values()) - samples_in(SKEW, self._rate)
        given: list[TrackOutput] = []
        for track in self._tracks.values():
            if track.next < least:
                given += track.release()
                given += track.fill(least, "silence")
        return given

    def _told(self, given: Sequence[TrackOutput]) -> list[TimelineOutput]:
        """Holes become marks as soon as it is clear where they end."""
        told: list[TimelineOutput] = []
        for output in given:
            if isinstance(output, Hole):
                told += self._marks.add(output)
            else:
                told.append(output)
                told += self._marks.heard(output.role, output.end)
        return told
