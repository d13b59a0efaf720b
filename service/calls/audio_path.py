"""A call's audio path: from what the gateway sends to the recording, utterances, gaps and levels. Plain; one for each
call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from asr.audio.crosstalk import CleanAudio, Crosstalk
from asr.audio.highpass import HighPass
from asr.audio.pcm import FLOOR_DBFS, SAMPLE_RATE, Encoding, Pcm, samples_in, seconds
from asr.endpointing.endpointer import LegEndpointer, SpeechSegment
from asr.types import ROLES, Role, Seconds
from service.calls.irregularities import DAMAGED_PACKET, IMPOSSIBLE_TIME, absence_notice, changes_of_form
from service.ingest.events import AudioArrived, FormatChanged, Irregularity
from service.ingest.rate_limits import PaceLimit
from service.media.absence import Absences
from service.media.legs import LegAudio, LegBlocks, LegResampler, LevelMeter
from service.media.readings import LegReading, SpeechLevels
from service.media.timeline import CallTimeline, TimelineCounts, TimelineOutput
from service.record.facts import GapMarked, Notice

PASSED_EVERY: Seconds = 1.0
"""How often detectors learn that time has passed. So a missed duty is told within a second of its deadline."""
LEVELS_EVERY: Seconds = 0.5
BLOCK: Seconds = 0.08
"""Audio is handled in blocks of so many seconds, four packets. This saves a fifth of the event loop's work with a
call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Whatever was said before `at` has been cut already, and whatever is missing before it has been told: no earlier
    utterance will follow, and no gap that begins earlier."""

    at: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLevels:
    """Loudness since the last reading, and who is speaking."""

    at: Seconds
    dbfs: dict[Role, float]
    speaking: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsCompared:
    """From `at` on both channels carry one signal, so that nobody can tell who speaks. `equal` False: they no longer
    do."""

    at: Seconds
    equal: bool


Found: TypeAlias = SpeechSegment | GapMarked | TimePassed | ChannelsCompared | Notice


@dataclass(slots=True, kw_only=True)
class AudioPathOutput:
    """What the arrival of audio led to. `found` is in audio order; `odd` names what was wrong with the audio."""

    recorded: list[LegAudio] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    levels: list[LegLevels] = field(default_factory=list)
    odd: list[Irregularity] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePoint:
    """Where a call goes on that an earlier process or session has begun: positions on its audio clock.

    New audio goes on at `reached`. `settled`: the position up to which each leg's speech has its text or a mark. The
    recording from there to `reached` is recognised again (`relisten`). `away`: how long the call has had no audio; its
    gateway may have kept that.
    """

    reached: Seconds
    settled: Mapping[Role, Seconds]
    away: Seconds = 0.0


class AudioPath:
    """Timeline, high-pass, resampling, comparison of legs, endpointing and levels of one call, fed audio as it arrives.

    The recording gets the audio as it came in. The level meter gets it after the high-pass, the endpointers also
    without the other leg's echo.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        encoding: Encoding,
        rate: int,
        *,
        max_pace: float,
        now: float,
        resume: ResumePoint | None = None,
    ) -> None:
        resume = resume or ResumePoint(reached=0.0, settled=dict.fromkeys(roles, 0.0))
        begin: dict[Role, int] = {role: samples_in(resume.settled[role], SAMPLE_RATE) for role in roles}
        self._rate = rate
        self._timeline = CallTimeline(roles, encoding, rate, begin=samples_in(resume.reached, rate))
        self._blocks = LegBlocks(BLOCK)
        self._filters: dict[Role, HighPass] = {role: HighPass(rate) for role in roles}
        self._resampler = LegResampler(roles, rate, begin=begin)
        self.endpointers: dict[Role, LegEndpointer] = {role: LegEndpointer(role, begin=begin[role]) for role in roles}
        self._crosstalk = Crosstalk((begin["agent"], begin["customer"])) if set(roles) == set(ROLES) else None
        self._equal = False
        self._meter = LevelMeter(roles)
        self._levels = LegLevels(at=resume.reached, dbfs=dict.fromkeys(roles, FLOOR_DBFS), speaking=())
        self._speech = SpeechLevels()
        self._pace = PaceLimit(max_pace, now - resume.away)
        self._absences = Absences()
        form = FormatChanged(encoding=encoding, rate=rate, roles=tuple(roles))
        self._forms: dict[Role, FormatChanged] = dict.fromkeys(roles, form)
        """The form of each leg, so that a change can be told."""
        self._taken_in_until: dict[Role, Seconds] = dict(resume.settled)
        self._passed: Seconds = min(resume.settled.values())
        self._measured: Seconds = resume.reached

    @property
    def reached(self) -> Seconds:
        """How far the audio clock has come."""
        return self._timeline.position

    @property
    def counts(self) -> TimelineCounts:
        """Late, doubled, stray and lost audio so far."""
        return self._timeline.counts

    def reading(self, role: Role) -> LegReading:
        """How a leg of the call comes in."""
        track = self._timeline.track(role)
        return LegReading(
            dbfs=self._levels.dbfs[role],
            speech=self._speech.of(role),
            peak=self._meter.peak(role),
            speaking=role in self._levels.speaking,
            lost=round(track.lost_samples / self._rate, 3),
            late=track.late,
            duplicates=track.duplicates,
            strays=track.strays,
        )

    def take(self, audio: AudioArrived, now: float) -> AudioPathOutput:
        """Takes audio that came. Raises ProtocolViolation for more than the pace allows."""
        before, strays, damaged = self._timeline.received, self._timeline.strays, self._timeline.damaged
        outputs = self._timeline.feed(audio, now)
        self._pace.received(self._timeline.received - before, now)
        taken = self._timed([*outputs, *map(absence_notice, self._absences.arrived(self.reached, now))])
        if self._timeline.strays > strays:
            taken.odd.append(IMPOSSIBLE_TIME)
        if self._timeline.damaged > damaged:
            taken.odd.append(DAMAGED_PACKET)
        return taken

    def reformat(self, form: FormatChanged) -> AudioPathOutput:
        """The audio of these legs has this form from here on. The call's legs and the rate of its recording stay as
        they were."""
        known: list[Role] = [role for role in form.roles if role in self._forms] or list(self._forms)
        before = self._forms[known[0]]
        self.join(form)
        odd = changes_of_form(before, form, tuple(self.endpointers))
        return AudioPathOutput(odd=odd)

    def join(self, form: FormatChanged) -> None:
        """A connection brings these legs for the first time."""
        self._forms.update({role: form for role in form.roles if role in self.endpointers})
        self._timeline.reformat(form)

    def away(self, seconds: Seconds) -> AudioPathOutput:
        """The gateway was gone for so long. Silence stands in its place."""
        absent = self._absences.interrupted()
        return self._timed([*map(absence_notice, absent), *self._timeline.disconnected(seconds)])

    def relisten(self, role: Role, pcm: Pcm) -> AudioPathOutput:
        """Takes recorded audio of a leg, at the call's rate, from where its speech is settled on. It comes before any
        new audio."""
        taken = AudioPathOutput()
        again = LegAudio(role=role, start=samples_in(self._taken_in_until[role], self._rate), rate=self._rate, pcm=pcm)
        self._listen(self._resampler.feed(self._filtered(again)), taken)
        return taken

    def pause(self, now: float) -> AudioPathOutput:
        """No audio follows for now, or at all. Returns what is still held, and the utterances in progress, which end
        here."""
        absent = self._absences.closed(now)
        taken = self._handled([*map(absence_notice, absent), *self._timeline.flush()])
        for block in self._blocks.flush():
            self._take_block(block, taken)
        for rest in self._resampler.flush():
            self._listen(rest, taken)
        if self._crosstalk is not None:
            self._take_clean(self._crosstalk.flush(), taken)
        for endpointer in self.endpointers.values():
            taken.found += endpointer.close()
        taken.found.sort(key=_place)
        return taken

    def _timed(self, outputs: Sequence[TimelineOutput | Notice]) -> AudioPathOutput:
        """And what time has passed by then: behind all that was found, the gaps that are only just over among it."""
        taken = self._handled(outputs)
        self._mark_time(taken)
        return taken

    def _handled(self, outputs: Sequence[TimelineOutput | Notice]) -> AudioPathOutput:
        taken = AudioPathOutput()
        for output in outputs:
            if not isinstance(output, LegAudio):
                taken.found.append(output)
            elif (block := self._blocks.feed(output)) is not None:
                self._take_block(block, taken)
        taken.found.sort(key=_place)
        return taken

    def _take_block(self, block: LegAudio, taken: AudioPathOutput) -> None:
        taken.recorded.append(block)
        filtered = self._filtered(block)
        self._meter.feed(filtered)
        self._listen(self._resampler.feed(filtered), taken)

    def _filtered(self, audio: LegAudio) -> LegAudio:
        return replace(audio, pcm=self._filters[audio.role].push(audio.pcm))

    def _listen(self, audio: LegAudio, taken: AudioPathOutput) -> None:
        if self._crosstalk is None:
            self._endpoint(audio.role, audio.pcm, audio.end, taken)
            return
        self._take_clean(self._crosstalk.push(ROLES.index(audio.role), audio.pcm), taken)
        if self._crosstalk.equal != self._equal:
            self._equal = self._crosstalk.equal
            taken.found.append(ChannelsCompared(at=self.reached, equal=self._equal))

    def _take_clean(self, cleaned: Sequence[CleanAudio], taken: AudioPathOutput) -> None:
        for clean in cleaned:
            role, end = ROLES[clean.leg], seconds(clean.start + clean.pcm.size)
            if clean.revised:
                self.endpointers[role].revise(clean.start, clean.pcm)
            else:
                self._endpoint(role, clean.pcm, end, taken)

    def _endpoint(self, role: Role, pcm: Pcm, end: Seconds, taken: AudioPathOutput) -> None:
        taken.found += self.endpointers[role].push(pcm)
        self._taken_in_until[role] = end

    def _mark_time(self, taken: AudioPathOutput) -> None:
        if self.reached - self._measured >= LEVELS_EVERY:
            self._measured = self.reached
            speaking: tuple[Role, ...] = tuple(role for role, leg in self.endpointers.items() if leg.speaking)
            self._levels = LegLevels(at=self.reached, dbfs=self._meter.take(), speaking=speaking)
            self._speech.read(self._levels.dbfs, speaking)
            taken.levels.append(self._levels)
        settled = min(self._timeline.untold, *(self._settled(role) for role in self.endpointers))
        if settled - self._passed >= PASSED_EVERY:
            self._passed = settled
            taken.found.append(TimePassed(at=settled))

    def _settled(self, role: Role) -> Seconds:
        """The position up to which the leg's utterances are complete."""
        since = self.endpointers[role].speech_since
        return self._taken_in_until[role] if since is None else min(since / SAMPLE_RATE, self._taken_in_until[role])


def _place(found: Found) -> Seconds:
    """The place in the order of the call: where it ended, because it became known then."""
    return found.at if isinstance(found, TimePassed | ChannelsCompared | Notice) else found.end
