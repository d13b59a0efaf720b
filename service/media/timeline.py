"""A call's audio clock: puts what the gateway sends, leg by leg, into its true place.

The place comes from the source's timestamps, from its samples, or from the time of arrival
(`service.ingest.source.Clock`).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from asr.audio.pcm import Encoding, Pcm, samples_in
from asr.types import Role, Seconds
from service.ingest.events import AudioArrived, FormatChanged
from service.media.drift import BEHIND, Drift, LeastDelay
from service.media.legs import LegAudio, LegSamples, WireAudio
from service.media.track import GapMarks, Hole, LegTrack, TrackOutput
from service.record.facts import GapMarked

SKEW: Seconds = 0.5
"""How far a leg may fall behind the other before silence is put in its place, so that the recording and the
endpointing of what was said before go on. Tracks of one socket come in turns, in bursts of 250 ms at most."""
LONGEST_ABSENCE: Seconds = 3600.0
"""Silence put in at once for a connection that was gone, or that brought nothing; longer ones go on after it."""
RUNS_AT_ONCE: Final = 12
"""Runs given out at a time: an hour of silence is 3,600 of 2 s in two legs, and would hold the event loop, which all
calls share, for seconds. What is left follows with what comes next, some ten seconds of silence a packet."""
LAG: Seconds = 0.3
"""A leg that is placed by when it comes may be so far behind: gateways send in bursts 250 ms apart. Past that it was
silent, or the network stood."""
HOLD: Seconds = 0.2
"""How long audio is held that comes after such a pause. What the network kept back comes within that; what was never
sent does not."""

TimelineOutput: TypeAlias = LegAudio | GapMarked


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineCounts:
    """What did not go smoothly, over all legs: for metrics and the line logged at a call's end."""

    late: int
    duplicates: int
    strays: int
    damaged: int
    lost: Seconds


class ArrivalClock:
    """One clock for all legs of a call that are placed by their arrival: a moment, and the sample that was reached by
    then.

    Audio lies on the call's clock where it came, unless it came late and all at once.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._origin: tuple[Seconds, int] | None = None

    def begin(self, now: Seconds, reached: int) -> None:
        """The first audio of any leg came now, and reaches so far."""
        if self._origin is None:
            self._origin = now, reached

    def advance(self, samples: int) -> None:
        """So many more are due: no packet comes early, so what all were ahead of was late."""
        if self._origin is not None:
            self._origin = self._origin[0], self._origin[1] + samples

    def forget(self) -> None:
        """No connection was there for a while: the next audio begins anew."""
        self._origin = None

    def reached(self, now: Seconds) -> int:
        """The sample that is due by now."""
        assert self._origin is not None, "audio has come"
        since, reached = self._origin
        return reached + samples_in(max(0.0, now - since), self._rate)


@dataclass(slots=True)
class HeldAudio:
    """One leg's audio after a pause, until it is known whether silence or a stall came before it."""

    pieces: list[Pcm] = field(default_factory=list[Pcm])
    since: Seconds = 0.0

    @property
    def samples(self) -> int:
        """How many samples are held."""
        return sum(piece.size for piece in self.pieces)

    def add(self, pcm: Pcm, now: Seconds) -> None:
        """Hold samples that came at `now`."""
        if not self.pieces:
            self.since = now
        self.pieces.append(pcm)

    def take(self) -> list[Pcm]:
        """All of it, which is held no longer."""
        taken, self.pieces = self.pieces, []
        return taken


class CallTimeline:
    """Encoded audio in, each leg's native-rate PCM out, without holes and in order; gaps are marked.

    A leg's runs follow each other from sample 0: what is missing comes as zeros, and as a GapMarked once it is over.
    Legs stay within SKEW and a hold of 0.25 s of each other, and what was said at once within 0.1 s, whatever their
    clocks and their losses (see LeastDelay and Drift). Without timestamps samples are the clock and audio follows on.
    See LegTrack for order, jitter and impossible timestamps. A later connection may bring legs in another form, and
    with another clock (`reformat`); the legs and the rate are the call's own as long as it lasts.
    `begin`: the sample that audio goes on at, of a call whose earlier audio is dealt with.
    """

    def __init__(self, roles: Sequence[Role], encoding: Encoding, rate: int, *, begin: int = 0) -> None:
        self._rate = rate
        self._wire = WireAudio(rate)
        self._forms: dict[Role, FormatChanged] = {}
        self._tracks: dict[Role, LegTrack] = {role: LegTrack(role, rate, begin) for role in roles}
        self._offsets: dict[Role, int] = {} if begin else dict.fromkeys(roles, 0)
        """The place of the source's 0 on each leg's clock. A leg has none until a new connection's first timestamp
        tells it."""
        self._arrival = ArrivalClock(rate)
        self._held: dict[Role, HeldAudio] = {role: HeldAudio() for role in roles}
        self._delays: dict[Role, LeastDelay] = {role: LeastDelay() for role in roles}
        self._drift = Drift()
        self._now: Seconds = 0.0
        self._marks = GapMarks()
        self._due: deque[TimelineOutput] = deque()
        self._set_form(FormatChanged(encoding=encoding, rate=rate, roles=tuple(roles)))

    @property
    def position(self) -> Seconds:
        """How far the leg that is ahead reaches."""
        return max(track.next for track in self._tracks.values()) / self._rate

    @property
    def untold(self) -> Seconds:
        """Where the first stretch begins whose audio is missing, and whose gap is not given out yet; infinite where
        there is none."""
        due = [gap.start for gap in self._due if isinstance(gap, GapMarked) and gap.reason != "silence"]
        return min([*due, *self._marks.open], default=math.inf)

    @property
    def received(self) -> Seconds:
        """Audio that came of the leg of which most did, whatever became of it."""
        return self._wire.received

    @property
    def strays(self) -> int:
        """Impossible timestamps so far, over all legs."""
        return sum(track.strays for track in self._tracks.values())

    @property
    def damaged(self) -> int:
        """Payloads so far that were no packet of their codec, over all legs."""
        return self._wire.damaged

    @property
    def counts(self) -> TimelineCounts:
        """The counts of all legs so far."""
        tracks = self._tracks.values()
        return TimelineCounts(
            late=sum(track.late for track in tracks),
            duplicates=sum(track.duplicates for track in tracks),
            strays=self.strays,
            damaged=self.damaged,
            lost=sum(track.lost_samples for track in tracks) / self._rate,
        )

    def track(self, role: Role) -> LegTrack:
        """The leg's, to read its counts."""
        return self._tracks[role]

    def feed(self, event: AudioArrived, now: Seconds) -> list[TimelineOutput]:
        """`now`: seconds on any steady clock. Audio of a leg that the call does not have is left out."""
        given: list[TrackOutput] = []
        self._now = now
        for piece in self._wire.decoded(event):
            given += self._pushed(piece, now)
        for track in self._tracks.values():
            given += [*self._arrived(track, now), *track.settle(now)]
        self._due += self._told([*given, *self._level_up()])
        return self._next_due()

    def reformat(self, form: FormatChanged) -> None:
        """From here on the audio of these legs comes in this form. Their timestamps, if any, begin anew."""
        for track in [self._tracks[role] for role in form.roles if role in self._tracks]:
            self._due += self._told(self._arrived(track, self._now, settle=True))
        self._due += self._set_form(form)
        self._begin_anew(form.roles)

    def disconnected(self, away: Seconds) -> list[TimelineOutput]:
        """The source is back after `away` seconds, on a new connection: silence on all legs for that long.

        Held to 0 to LONGEST_ABSENCE. Timestamps, if any, begin anew from here.
        """
        self._due += self._settled()
        lasting = min(max(away, 0.0), LONGEST_ABSENCE)
        begin = max(track.next for track in self._tracks.values())
        until = begin + samples_in(lasting, self._rate)
        silence: list[TrackOutput] = []
        for track in self._tracks.values():
            silence += track.fill(until, "disconnected")
        self._begin_anew(tuple(self._tracks))
        self._arrival.forget()
        self._due += [output for output in silence if isinstance(output, LegAudio)]
        if until > begin:
            rate = self._rate
            self._due.append(GapMarked(role=None, start=begin / rate, end=until / rate, reason="disconnected"))
        return self._next_due()

    def flush(self) -> list[TimelineOutput]:
        """Give out all that is held, and bring all legs to the same end."""
        told = [*self._due, *self._settled()]
        self._due.clear()
        return told

    def _settled(self) -> list[TimelineOutput]:
        told = self._given_out(self._wire.flush(tuple(self._tracks)))
        given = [
            output
            for track in self._tracks.values()
            for output in (*track.release(), *self._arrived(track, self._now, settle=True))
        ]
        end = max(track.next for track in self._tracks.values())
        for track in self._tracks.values():
            given += track.fill(end, "silence")
        return [*told, *self._told(given), *self._marks.flush()]

    def _next_due(self) -> list[TimelineOutput]:
        return [self._due.popleft() for _ in range(min(RUNS_AT_ONCE, len(self._due)))]

    def _set_form(self, form: FormatChanged) -> list[TimelineOutput]:
        self._forms.update(dict.fromkeys(form.roles, form))
        return self._given_out(self._wire.set(form))

    def _begin_anew(self, roles: Sequence[Role]) -> None:
        self._drift = Drift()
        for role in roles:
            self._offsets.pop(role, None)
            if role in self._tracks:
                self._tracks[role].begin_anew()
                self._delays[role] = LeastDelay()

    def _given_out(self, withheld: Sequence[LegSamples]) -> list[TimelineOutput]:
        """What the filters withheld, placed after what came last."""
        given: list[TrackOutput] = []
        for piece in withheld:
            if piece.role in self._tracks:
                given += self._tracks[piece.role].follow_on(piece.pcm)
        return self._told(given)

    def _pushed(self, piece: LegSamples, now: Seconds) -> list[TrackOutput]:
        track = self._tracks.get(piece.role)
        if track is None or not piece.pcm.size:
            return []
        clock = self._forms[piece.role].clock
        if clock == "arrival":
            self._arrival.begin(now, max(leg.next for leg in self._tracks.values()) + piece.pcm.size)
            self._held[piece.role].add(piece.pcm, now)
            given = self._arrived(track, now)
            return given if self._held[piece.role].pieces else [*given, *self._caught_up(track, now)]
        place = self._place(track, piece.at if clock == "timestamps" else None, now)
        given = track.push(place, piece.pcm, now)
        return [*given, *(self._caught_up(track, now) if place is None else self._moved_on(track, place, piece, now))]

    def _caught_up(self, track: LegTrack, now: Seconds) -> list[TrackOutput]:
        """Silence in a leg without timestamps that lags for good: by what was lost of it, or by its clock."""
        delay = self._delays[track.role]
        by_arrival = self._forms[track.role].clock == "arrival"
        due = self._arrival.reached(now) / self._rate if by_arrival else now
        delay.arrived(due - track.reached / self._rate, now)
        if by_arrival and (led := delay.led(now)):
            self._arrival.advance(samples_in(led, self._rate))
            for each in self._delays.values():
                each.moved(-led)
        lag = self._lag(track.role, now, to_clock=by_arrival)
        if lag <= BEHIND:
            return []
        delay.moved(lag)
        return self._put_in(track, samples_in(lag, self._rate))

    def _lag(self, role: Role, now: Seconds, *, to_clock: bool) -> Seconds:
        """Behind the clock, or behind the leg that is ahead."""
        known = {leg: least for leg, each in self._delays.items() if (least := each.least(now)) is not None}
        return known.get(role, 0.0) - (0.0 if to_clock or role not in known else min(known.values()))

    def _moved_on(self, track: LegTrack, place: int, piece: LegSamples, now: Seconds) -> list[TrackOutput]:
        """Silence in legs whose timestamps fall behind those of the others."""
        given: list[TrackOutput] = []
        delay = now - (place + piece.pcm.size) / self._rate
        for role, late in self._drift.arrived(track.role, delay, now).items():
            moved = samples_in(late, self._rate)
            self._offsets[role] += moved
            given += self._put_in(self._tracks[role], moved)
        return given

    def _put_in(self, track: LegTrack, silence: int) -> list[TrackOutput]:
        return [*track.release(), *track.fill(track.reached + silence, "silence")]

    def _arrived(self, track: LegTrack, now: Seconds, *, settle: bool = False) -> list[TrackOutput]:
        """What is held of a leg that is placed by when it comes, once it is known whether silence goes before it."""
        held = self._held[track.role]
        if not held.pieces:
            return []
        behind = self._arrival.reached(now) - track.reached - held.samples
        paused = behind > samples_in(LAG, self._rate)
        if paused and not settle and now - held.since < HOLD:
            return []
        given = track.release()
        if paused:
            given += track.fill(track.reached + min(behind, samples_in(LONGEST_ABSENCE, self._rate)), "silence")
        return [*given, *(output for pcm in held.take() for output in track.follow_on(pcm))]

    def _place(self, track: LegTrack, at: Seconds | None, now: Seconds) -> int | None:
        """The source's time as a sample of the leg's clock."""
        if at is None or not math.isfinite(at * self._rate):
            return None
        source = round(at * self._rate)
        if track.role not in self._offsets:
            base = max(leg.next for leg in self._tracks.values())
            self._offsets.update(dict.fromkeys(self._forms[track.role].roles, base - source))
        if track.lost_clock:
            track.begin_anew()
            self._offsets[track.role] = track.next - source
        self._shorten(track, source + self._offsets[track.role], now)
        return source + self._offsets[track.role]

    def _shorten(self, track: LegTrack, place: int, now: Seconds) -> None:
        """A hole longer than LONGEST_ABSENCE counts as that on the clock, and all legs go on after it."""
        excess = place - track.reached - samples_in(LONGEST_ABSENCE, self._rate)
        if excess > 0 and track.can_be(place, now):
            for role in self._forms[track.role].roles:
                self._offsets[role] -= excess

    def _level_up(self) -> list[TrackOutput]:
        """Silence for legs that fell behind, unless it will soon be known by how much."""
        least = max(track.next for track in self._tracks.values()) - samples_in(SKEW, self._rate)
        given: list[TrackOutput] = []
        for track in self._tracks.values():
            if track.next < least and not self._held[track.role].pieces:
                given += track.release()
                given += track.fill(least, "silence")
        return given

    def _told(self, given: Sequence[TrackOutput]) -> list[TimelineOutput]:
        """The outputs, with holes turned into marks as soon as their end is known."""
        told: list[TimelineOutput] = []
        for output in given:
            if isinstance(output, Hole):
                told += self._marks.add(output)
            else:
                told.append(output)
                told += self._marks.reached(output.role, output.end)
        return told
