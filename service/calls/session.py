"""One call's session: the only place where the stages meet.

Audio goes through the audio path and to the recording as it comes (`feed`, which never waits for recognition). What it
finds becomes work in one queue, taken in audio order by one task (`run`): it waits for an utterance's text, writes it,
lets the detectors judge it, and writes what they found. One writer a call, so that facts have the same order live and
replayed.

Of utterances that still go on the agreed words are shown, and critical alerts raised, in that same order; what is
written of the utterance itself, and what is found in it, waits for its final text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import numpy as np
import structlog
from numpy.typing import NDArray

from asr.audio.acoustics import acoustics_of
from asr.endpointing.endpointer import SpeechSegment
from asr.engines.port import Biasing, RecognitionError
from asr.types import Language, Role, Seconds
from detectors.contract import (
    Bilingual,
    CallContext,
    EarlierContact,
    Finding,
    Observation,
    PackVersion,
    Withdrawn,
)
from detectors.runtime.runner import DetectorFailure
from service.calls.arrival_times import ArrivalTimes
from service.calls.audio_path import AudioPath, AudioPathOutput, ChannelsCompared, Found, ResumePoint, TimePassed
from service.calls.call_recognition import BACKLOG, AgentLookAhead, CallRecognition, PartialUtterance
from service.calls.earlier_call import EarlierCall, hides_speech
from service.calls.evidence import QuotingDetectors
from service.calls.irregularities import Irregularities, flood_of
from service.calls.judging import CallAlerting, ChannelAwareDetectors
from service.calls.partials import Partials
from service.calls.ports import DetectorRunner, Journal, LiveDisplay, Recogniser, Recorder
from service.calls.recording_state import RecordingState
from service.calls.standing_notices import StandingNotices
from service.calls.word_times import CLOSE_WITHIN, MOST_WAITING, WordTimes
from service.calls.work_queue import MOST_WORK, Defect, Finish, LastWork, Suspend, Work, WorkQueue
from service.ingest.events import DigitPressed, FormatChanged, Irregularity, LineEvent, ProtocolViolation
from service.live.messages import Levels, Partial
from service.media.readings import LegReading
from service.metrics import Metrics
from service.record.facts import (
    Call,
    CallClosed,
    CallEnding,
    CallOpened,
    CallResumed,
    DtmfPressed,
    Fact,
    FindingWithdrawn,
    GapMarked,
    Notice,
    NoticeCode,
    UtteranceHeard,
)

log = structlog.get_logger()

EQUAL: NoticeCode = "channels_equal"
EQUAL_MEANS = (
    "Both channels carry the same sound: the source does not separate the parties."
    " Words are shown once, as the customer's; nothing is judged."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What one call may have waiting: `work` pieces of work, `backlog` seconds of speech for their text, and
    `words_awaited` utterances for the times of their words. When it is over it waits `words_within` seconds for those,
    and `recording_within` for the disk to take the last of its sound."""

    work: int = MOST_WORK
    backlog: Seconds = BACKLOG
    words_awaited: int = MOST_WAITING
    words_within: Seconds = CLOSE_WITHIN
    recording_within: Seconds = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """What a session works with. `monotonic` and `wall` are its clocks, `biasing` its call's vocabulary in
    each language, `pack` the rules that judge it; `max_pace` bounds how many times real time audio may come; `partials`
    tells whether utterances are recognised while they go on, which nobody sees of a file."""

    journal: Journal
    display: LiveDisplay
    recogniser: Recogniser
    detectors: DetectorRunner
    recorder: Recorder
    metrics: Metrics
    monotonic: Callable[[], float]
    wall: Callable[[], datetime]
    max_pace: float
    biasing: Mapping[Language, Biasing] = field(default_factory=dict[Language, Biasing])
    pack: PackVersion | None = None
    partials: bool = True
    limits: SessionLimits = SessionLimits()


SessionEnd = Literal["processed", "suspended"]
"""Everything of the call is written; or what there was here, and the call is to be gone on with."""


def context_of(call: Call, history: tuple[EarlierContact, ...] | None = None) -> CallContext:
    """What the detectors are told of a call, and of its debtor's other calls."""
    return CallContext(
        call_id=call.id,
        language=call.language,
        jurisdiction=call.jurisdiction,
        started_at=call.started_at,
        timezone=call.timezone,
        metadata=call.metadata,
        legs=call.roles,
        history=history,
    )


def _resume_point(earlier: EarlierCall, now: datetime) -> ResumePoint:
    return ResumePoint(reached=earlier.reached, settled=earlier.settled, away=earlier.away(now))


def _owed_again(missed: Finding) -> Withdrawn:
    """A duty that was held missed because the call had ended: the agent can still do it."""
    why = Bilingual(zh="通话仍在继续，时限未到", en="the call goes on, its time is not up")
    return Withdrawn(rule=missed.rule, role=missed.role, start=missed.start, end=missed.end, why=why)


class CallSession:
    """One call from its announcement until everything is written; or from where `past` left it."""

    def __init__(self, call: Call, parts: SessionParts, earlier: EarlierCall | None = None) -> None:
        self.call = call
        self._parts = parts
        self._earlier = earlier
        self._audio_path = AudioPath(
            call.roles,
            call.encoding,
            call.rate,
            max_pace=parts.max_pace,
            now=parts.monotonic(),
            resume=None if earlier is None else _resume_point(earlier, parts.wall()),
        )
        self._detectors = ChannelAwareDetectors(
            QuotingDetectors(parts.detectors), were_equal=earlier is not None and EQUAL in earlier.troubles
        )
        self._arrivals = ArrivalTimes()
        raised = () if earlier is None else earlier.alerts
        self._alerting = CallAlerting(call.id, parts.metrics, parts.wall, self._late, raised, parts.pack)
        self._work = WorkQueue(parts.limits.work)
        self._recognition = CallRecognition(call, parts.recogniser, parts.biasing, backlog=parts.limits.backlog)
        self._word_times = WordTimes(
            call.id, self._recognition, most=parts.limits.words_awaited, close_within=parts.limits.words_within
        )
        self._partials = Partials(self._recognition, self._audio_path.endpointers, self._show)
        self._ahead = AgentLookAhead(self._recognition.awaited, lambda: "agent" in self._alerted)
        self._alerted: dict[
            Role, PartialUtterance
        ] = {}  # utterances without their final text that raised an alert already
        self._heard: dict[Role, Seconds] = {}  # how far each party's final texts have come
        self._notices = StandingNotices(earlier.troubles if earlier else ())
        self._recording = RecordingState(parts.recorder, self._notices, parts.metrics)
        self._irregularities = Irregularities(parts.monotonic())
        self._finishing = False
        self._only_records = False
        if earlier is not None:
            self._recognition.restore(earlier.utterances)
            self._heard.update({said.role: said.end for said in earlier.utterances})

    @property
    def reached(self) -> Seconds:
        """How far the call's audio clock has come."""
        return self._audio_path.reached

    def reading(self, role: Role) -> LegReading:
        """How a leg of the call comes in."""
        return self._audio_path.reading(role)

    @property
    def waiting(self) -> Seconds:
        """Speech that awaits its text."""
        return self._recognition.waiting

    @property
    def finishing(self) -> bool:
        """The call goes on here no more."""
        return self._finishing

    def feed(self, event: LineEvent) -> None:
        """Take in what the gateway sent. Never waits. Raises ProtocolViolation for audio that is far too fast."""
        with self._own_defects():
            self._feed(event)

    def _feed(self, event: LineEvent) -> None:
        now = self._parts.monotonic()
        if isinstance(event, Irregularity):
            self._note(event)
        elif self._finishing and not self._only_records:
            return
        elif isinstance(event, DigitPressed):
            self._press(event, now)
        elif isinstance(event, FormatChanged):
            self._take(self._audio_path.reformat(event))
        else:
            self._take(self._audio_path.take(event, now))
            self._arrivals.mark(self.reached, now)
            if self._parts.partials and not self._only_records:
                self._partials.look()

    def join(self, form: FormatChanged) -> None:
        """A connection brings these legs for the first time, in this form."""
        with self._own_defects():
            if not self._finishing:
                self._audio_path.join(form)

    def relisten(self, role: Role, pcm: NDArray[np.int16]) -> None:
        """Recorded audio of a leg whose speech may have no text yet; before any new audio."""
        with self._own_defects():
            self._take(self._audio_path.relisten(role, pcm))

    def mark(self, gap: GapMarked) -> None:
        """Write a gap in its place among what was said."""
        self._work.put(gap)

    def pause(self) -> None:
        """The connection is gone: what was said last gets its text without waiting for more."""
        with self._own_defects():
            if not self._finishing:
                self._take(self._audio_path.pause(self._parts.monotonic()))

    def resumed(self, away: Seconds) -> None:
        """The gateway is back after `away` seconds without a connection: the timeline goes on past the gap."""
        with self._own_defects():
            if not self._finishing:
                self._take(self._audio_path.away(away))

    @contextmanager
    def _own_defects(self) -> Generator[None]:
        """A defect in taking audio in is this session's, and fails its `run`: whoever brought the audio, a connection
        or a timer, goes on. What was said before is still written."""
        try:
            yield
        except ProtocolViolation:
            raise
        except Exception as defect:
            self._finishing = True
            self._work.put(Defect(defect))

    def _note(self, seen: Irregularity) -> None:
        self._parts.metrics.irregularities.labels(seen.kind).inc()
        if notice := self._irregularities.notice(seen, self.reached):
            log.warning("gateway sends what is odd", call_id=self.call.id, kind=seen.kind, field=seen.field)
            self.tell(notice)

    def _press(self, pressed: DigitPressed, now: Seconds) -> None:
        digit = DtmfPressed(digit=pressed.digit, at=self.reached, role=pressed.role)
        if not (self._irregularities.may_press(now) and self._work.put(digit)):
            self._note(flood_of(pressed))

    def tell(self, notice: Notice) -> None:
        """Write a notice in its place among what was said."""
        self._work.put(notice)

    def finish(self, ending: CallEnding, reason: str = "") -> None:
        """The call is over: what was said last is still recognised, judged and written; then `run` returns."""
        self._end_with(Finish(ending=ending, reason=reason))

    def suspend(self) -> None:
        """This process goes on with the call no longer: as `finish`, but the call stays live in its log. What comes
        until its gateway is told is recorded, and recognised by the next process."""
        was_over = self._finishing
        self._end_with(Suspend())
        self._only_records = not was_over

    def _end_with(self, last: Finish | Suspend) -> None:
        with self._own_defects():
            if not self._finishing:
                self._finishing = True
                self._take(self._audio_path.pause(self._parts.monotonic()))
                self._work.put(last)

    async def settle(self, most: Seconds) -> None:
        """Wait until at most `most` seconds of speech await their text: for playing files faster than life."""
        await self._recognition.settle(most)

    async def run(self) -> SessionEnd:
        """Do the call's work until it is finished or suspended."""
        try:
            await self._begin()
            while not isinstance(work := await self._work.get(), LastWork):
                await self._do(work)
            if isinstance(work, Defect):
                raise work.cause
            if isinstance(work, Suspend):
                await self._leave()
                return "suspended"
            await self._close(work)
            return "processed"
        finally:
            self._parts.recogniser.withdraw(self.call.id)
            await self._parts.recorder.close()

    async def _begin(self) -> None:
        if self._earlier is None:
            await self._write(CallOpened(call=self.call))
        else:
            await self._go_on(self._earlier)
            self._earlier = None

    async def _go_on(self, earlier: EarlierCall) -> None:
        """Bring the detectors to where the call stood: they hear again what was said. What they had made of the last
        of it may never have been written."""
        observed: list[Observation | DetectorFailure] = []
        for heard in earlier.in_stretches:
            if isinstance(heard, GapMarked):
                observed += await self._tell_of_gap(heard)
            elif isinstance(heard, Notice):
                observed += await self._tell_of_hold(heard)
            else:
                observed += await self._detectors.heard_again(heard)
        observed += await self._detectors.elapsed(min(earlier.settled.values()))
        await self._write(CallResumed(at=earlier.reached, cause="restarted" if earlier.closed is None else "returned"))
        again = [
            FindingWithdrawn(withdrawn=_owed_again(alert), alert_id=alert.id, at=earlier.reached)
            for alert in earlier.premature
        ]
        await self._write(*again)
        await self._observe([seen for seen in observed if earlier.lacks(seen)])

    def _take(self, taken: AudioPathOutput) -> None:
        """Hand on what the audio path made of audio: to the recording, to the work queue, to whoever watches levels."""
        for piece in taken.recorded:
            self._parts.recorder.write(piece.role, piece.start, piece.pcm)
        if not self._only_records:
            self._find(taken.found)
        for odd in taken.odd:
            self._note(odd)
        for levels in taken.levels:
            self._parts.display.show_levels(
                Levels(call_id=self.call.id, at=levels.at, dbfs=levels.dbfs, speaking=levels.speaking)
            )

    def _find(self, found_in_order: Sequence[Found]) -> None:
        for found in found_in_order:
            work = self._recognition.submit(found) if isinstance(found, SpeechSegment) else found
            if isinstance(work, SpeechSegment):
                self._ahead.submitted(work)
            self._work.put(work)

    async def _do(self, work: Work) -> None:
        match work:
            case SpeechSegment():
                await self._hear(work)
            case PartialUtterance():
                await self._judge_early(work)
            case TimePassed(at=at):
                await self._watch_disks()
                await self._write(*self._word_times.take())
                await self._observe(await self._detectors.elapsed(at))
            case GapMarked(reason=reason):
                self._parts.metrics.gaps.labels(reason).inc()
                await self._write(work)
                await self._observe(await self._tell_of_gap(work))
            case DtmfPressed():
                await self._write(work)
            case Notice():
                await self._write(work)
                await self._observe(await self._tell_of_hold(work))
            case ChannelsCompared():
                await self._compare(work)
            case _:
                raise AssertionError(f"no work: {work!r}")

    async def _tell_of_gap(self, gap: GapMarked) -> list[Observation | DetectorFailure]:
        return await self._detectors.unheard(gap.start, gap.end) if hides_speech(gap) else []

    async def _tell_of_hold(self, notice: Notice) -> list[Observation | DetectorFailure]:
        return await self._detectors.held(notice.at, notice.missing) if notice.missing else []

    async def _hear(self, segment: SpeechSegment) -> None:
        """Await the text of one utterance, write it, let it be judged."""
        role, heard = segment.role, None
        await self._ahead.wait(segment, self._look_ahead)
        try:
            heard = await self._recognition.text_of(segment)
            await self._tell(self._notices.end("recognition_failing", self.reached))
        except RecognitionError as failure:
            await self._unrecognised(segment, failure)
        self._heard[role] = segment.end
        alerted = self._alerted.pop(role, None)
        if heard is None and alerted is not None:
            heard = alerted.recognised  # the alert's evidence: it must be there to look at
        if heard is None:
            self._show_partial(role, segment.start, "")
            return
        self._parts.metrics.final_latency.observe(self._late(segment.end))
        so_far = self._recognition.utterance(role, segment.start, segment.end, heard)
        utterance = replace(so_far, acoustics=acoustics_of(segment.pcm))
        await self._write(UtteranceHeard(utterance=utterance))
        self._recognition.written(utterance)
        observed = await self._detectors.heard(utterance)
        await self._observe(observed)
        if any(isinstance(seen, Finding) and seen.utterance_id == utterance.id for seen in observed):
            self._word_times.ask(segment, utterance)

    async def _look_ahead(self, partial: PartialUtterance, before: int) -> None:
        """Words of the agent are known before their turn; `before` of the agent's utterances will be written first."""
        self._show_partial(partial.role, partial.start, partial.recognised.text)
        await self._foresee(partial, before)

    def _show(self, partial: PartialUtterance) -> None:
        self._show_partial(partial.role, partial.start, partial.recognised.text)
        self._work.put(partial)

    def _show_partial(self, role: Role, start: Seconds, text: str) -> None:
        self._parts.display.show_partial(Partial(call_id=self.call.id, role=role, start=start, text=text))

    async def _judge_early(self, partial: PartialUtterance) -> None:
        if partial.start >= self._heard.get(partial.role, 0.0) and await self._foresee(partial):
            self._alerted[partial.role] = partial

    async def _foresee(self, partial: PartialUtterance, before: int = 0) -> bool:
        """Whether it raises an alert before its utterance is written."""
        utterance = self._recognition.utterance(partial.role, partial.start, partial.end, partial.recognised, before)
        alerts = self._alerting.early(await self._detectors.foresee(utterance))
        await self._write(*alerts)
        return bool(alerts)

    async def _unrecognised(self, segment: SpeechSegment, failure: RecognitionError) -> None:
        self._parts.metrics.recognition_failures.inc()
        self._parts.metrics.gaps.labels("unrecognised").inc()
        gap = GapMarked(role=segment.role, start=segment.start, end=segment.end, reason="unrecognised")
        await self._write(gap)
        await self._observe(await self._tell_of_gap(gap))
        message = f"Speech is recorded but not recognised: {failure}"
        await self._tell(self._notices.begin("recognition_failing", message, self.reached))

    async def _observe(self, observed: Sequence[Observation | DetectorFailure]) -> None:
        """Write what the detectors said, and the alerts it raises."""
        await self._write(*self._alerting.facts(observed, self.reached))

    def _late(self, audio: Seconds) -> Seconds:
        return self._arrivals.delay(audio, self._parts.monotonic())

    async def _watch_disks(self) -> None:
        for fact in self._recording.facts(self.reached):
            await (self._tell(fact) if isinstance(fact, Notice) else self._write(fact))
        if self._parts.journal.failing:
            message = "The store cannot be written; what happens is kept until it can."
            await self._tell(self._notices.begin("storage_failing", message, self.reached))
        else:
            await self._tell(self._notices.end("storage_failing", self.reached))

    async def _close_recording(self) -> None:
        """Once the disk has what it takes, it is known what is missing; a disk that hangs is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._parts.limits.recording_within):
                await self._parts.recorder.close()
        await self._write(*self._recording.unrecorded())

    async def _leave(self) -> None:
        """To the next process, with all that came until now."""
        await self._write(*self._work.rest())
        self._take(self._audio_path.pause(self._parts.monotonic()))
        await self._close_recording()

    async def _compare(self, channels: ChannelsCompared) -> None:
        self._detectors.channels(equal=channels.equal)
        if channels.equal:
            await self._tell(self._notices.begin(EQUAL, EQUAL_MEANS, channels.at))
        else:
            await self._tell(self._notices.end(EQUAL, channels.at))

    async def _tell(self, notice: Notice | None) -> None:
        if notice is not None:
            log.warning("call's monitoring changed", call_id=self.call.id, code=notice.code)
            await self._write(notice)

    async def _close(self, finish: Finish) -> None:
        await self._write(*self._work.rest())  # what was odd after the end is still told
        await self._observe(await self._last_words(finish))
        await self._word_times.settle()
        await self._write(*self._word_times.take())
        self._parts.metrics.late_drops.inc(self._audio_path.counts.late)
        await self._close_recording()
        closed = CallClosed(
            ended_at=self._parts.wall(), duration=self.reached, ending=finish.ending, reason=finish.reason
        )
        await self._write(closed)

    async def _last_words(self, finish: Finish) -> list[Observation | DetectorFailure]:
        """What the detectors say at the end. A call that went on unheard is not judged by what was not heard of it."""
        if finish.ending == "completed":
            return await self._detectors.closed(self.reached)
        return await self._detectors.elapsed(self.reached)

    async def _write(self, *facts: Fact) -> None:
        if facts:
            await self._parts.journal.write(self.call.id, facts, self._parts.wall())
