"""One call's session: the only place where the stages meet.

Audio goes through the audio path and to the recording as it comes (`feed`, which never waits for recognition). What it
finds becomes work in one queue, taken in audio order by one task (`run`), which hands it to the call's one writer. So
facts have the same order live and replayed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

import numpy as np
import structlog
from numpy.typing import NDArray

from asr.endpointing.endpointer import SpeechSegment
from asr.types import Role, Seconds, Utterance
from service.calls.arrival_times import ArrivalTimes
from service.calls.audio_path import AudioPath, AudioPathOutput, Found, ResumePoint
from service.calls.call_recognition import CallRecognition, PartialUtterance
from service.calls.call_writer import CallWriter
from service.calls.earlier_call import EarlierCall
from service.calls.irregularities import Irregularities, flood_of
from service.calls.partials import Partials
from service.calls.session_parts import SessionParts
from service.calls.work_queue import Defect, Finish, LastWork, Suspend, WorkQueue
from service.ingest.events import DigitPressed, FormatChanged, Irregularity, LineEvent, ProtocolViolation
from service.live.messages import Levels
from service.media.readings import LegReading
from service.record.facts import Call, CallEnding, DtmfPressed, GapMarked, Notice

log = structlog.get_logger()

SessionEnd = Literal["processed", "suspended"]
"""Everything of the call is written; or what there was here, and the call is to be gone on with."""


def _resume_point(earlier: EarlierCall, now: datetime) -> ResumePoint:
    return ResumePoint(reached=earlier.reached, settled=earlier.settled, away=earlier.away(now))


class CallSession:
    """One call from its announcement until everything is written; or from where `earlier` left it."""

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
        self._arrivals = ArrivalTimes()
        self._work = WorkQueue(parts.limits.work)
        self._recognition = CallRecognition(call, parts.recogniser, parts.biasing, backlog=parts.limits.backlog)
        self._writer = CallWriter(call, parts, self._recognition, lambda: self.reached, self._late, earlier)
        self._partials = Partials(self._recognition, self._audio_path.endpointers, self._show)
        self._irregularities = Irregularities(parts.monotonic())
        self._finishing = False
        self._only_records = False
        if earlier is not None:
            self._recognition.restore(earlier.utterances)

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

    def time_words(self, utterance: Utterance, pcm: NDArray[np.int16]) -> None:
        """Ask when each word of an utterance was said that an earlier session wrote; its recorded audio at the call's
        rate."""
        self._writer.time_words(utterance, pcm)

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
        with self._own_defects():
            if not self._finishing:
                self._finishing = True
                self._take(self._audio_path.pause(self._parts.monotonic()))
                self._work.put(Finish(ending=ending, reason=reason))

    def suspend(self) -> None:
        """This process goes on with the call no longer: what was said is still recognised, judged and written, and the
        call stays live in its log. An utterance that goes on is not cut where it is recorded: the next process hears
        all of it, as it does what comes until the gateway is told."""
        with self._own_defects():
            if not self._finishing:
                self._finishing = True
                if self._parts.recorder.failing or self._parts.recorder.paused:
                    self._take(self._audio_path.pause(self._parts.monotonic()))
                self._only_records = True
                self._work.put(Suspend())

    async def settle(self, most: Seconds) -> None:
        """Wait until at most `most` seconds of speech await their text: for playing files faster than life."""
        await self._recognition.settle(most)

    async def run(self) -> SessionEnd:
        """Do the call's work until it is finished or suspended."""
        try:
            await self._writer.begin(self._earlier)
            self._earlier = None
            while not isinstance(work := await self._work.get(), LastWork):
                await self._writer.do(work)
            return await self._end(work)
        finally:
            self._parts.recogniser.withdraw(self.call.id)
            await self._parts.recorder.close()

    async def _end(self, last: LastWork) -> SessionEnd:
        if isinstance(last, Defect):
            raise last.cause
        await self._writer.write_rest(self._work.rest())  # what was odd after the end is still told
        if isinstance(last, Suspend):
            self._take(self._audio_path.pause(self._parts.monotonic()))  # what came until now is recorded
            await self._writer.close_recording()
            return "suspended"
        self._parts.metrics.late_drops.inc(self._audio_path.counts.late)
        await self._writer.close(last)
        return "processed"

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
            self._work.put(self._writer.utterances.submit(found) if isinstance(found, SpeechSegment) else found)

    def _show(self, partial: PartialUtterance) -> None:
        self._writer.utterances.show(partial)
        self._work.put(partial)

    def _late(self, audio: Seconds) -> Seconds:
        return self._arrivals.delay(audio, self._parts.monotonic())
