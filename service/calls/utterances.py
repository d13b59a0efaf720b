"""A call's utterances in their turn: each awaits its text, is written, and is judged.

Of those that still go on the agreed words are shown, and critical alerts raised, in that same order; what is written of
an utterance itself, and what is found in it, waits for its final text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from asr.audio.acoustics import acoustics_of
from asr.endpointing.endpointer import SpeechSegment
from asr.engines.port import RecognitionError
from asr.types import Role, Seconds, Transcript
from detectors.contract import Finding
from service.calls.call_recognition import AgentLookAhead, CallRecognition, PartialUtterance
from service.calls.evidence import CallDetectors
from service.calls.judging import CallLog
from service.calls.ports import LiveDisplay
from service.calls.standing_notices import StandingNotices
from service.calls.word_times import WordTimes
from service.live.messages import Partial
from service.metrics import Metrics
from service.record.facts import GapMarked, UtteranceHeard


class UtteranceWriter:
    """One call's. `reached` tells how far its audio clock has come, `late` how long ago a moment of its audio came in;
    `final_until`: how far each party's texts came in an earlier session."""

    def __init__(
        self,
        call_id: str,
        recognition: CallRecognition,
        detectors: CallDetectors,
        log: CallLog,
        word_times: WordTimes,
        notices: StandingNotices,
        display: LiveDisplay,
        metrics: Metrics,
        reached: Callable[[], Seconds],
        late: Callable[[Seconds], Seconds],
        final_until: dict[Role, Seconds],
    ) -> None:
        self._call_id = call_id
        self._recognition = recognition
        self._detectors = detectors
        self._log = log
        self._word_times = word_times
        self._notices = notices
        self._display = display
        self._metrics = metrics
        self._reached = reached
        self._late = late
        self._final_until = final_until
        self._ahead = AgentLookAhead(recognition.awaited, lambda: "agent" in self._alerted)
        self._alerted: dict[Role, PartialUtterance] = {}
        """Utterances without their final text that raised an alert already."""

    def submit(self, segment: SpeechSegment) -> SpeechSegment | GapMarked:
        """Ask for an utterance's text; a gap where too much waits already."""
        work = self._recognition.submit(segment)
        if isinstance(work, SpeechSegment):
            self._ahead.submitted(work)
        return work

    async def write(self, segment: SpeechSegment) -> None:
        """Await the text of one utterance, whose turn it is, write it, let it be judged."""
        role = segment.role
        await self._ahead.wait(segment, self._look_ahead)
        transcript = await self._text_of(segment)
        self._final_until[role] = segment.end
        alerted = self._alerted.pop(role, None)
        if transcript is None and alerted is not None:
            transcript = alerted.recognised  # the alert's evidence: it must be there to look at
        if transcript is None:
            self._show(role, segment.start, "")
            return
        self._metrics.final_latency.observe(self._late(segment.end))
        await self._judge(segment, transcript)

    def show(self, partial: PartialUtterance) -> None:
        """What has been said so far."""
        self._show(partial.role, partial.start, partial.recognised.text)

    async def judge_early(self, partial: PartialUtterance) -> None:
        """Let the agreed words of an utterance that goes on be judged, in their turn."""
        if partial.start >= self._final_until.get(partial.role, 0.0) and await self._foresee(partial):
            self._alerted[partial.role] = partial

    async def mark(self, gap: GapMarked) -> None:
        """Write a gap; the detectors hold nobody to what nobody heard."""
        self._metrics.gaps.labels(gap.reason).inc()
        await self._log.write(gap)
        await self._log.observe(await self._detectors.missed(gap), self._reached())

    async def _text_of(self, segment: SpeechSegment) -> Transcript | None:
        try:
            transcript = await self._recognition.text_of(segment)
            await self._log.tell(self._notices.end("recognition_failing", self._reached()))
        except RecognitionError as failure:
            await self._unrecognised(segment, failure)
            return None
        return transcript

    async def _unrecognised(self, segment: SpeechSegment, failure: RecognitionError) -> None:
        self._metrics.recognition_failures.inc()
        gap = GapMarked(role=segment.role, start=segment.start, end=segment.end, reason="unrecognised")
        await self.mark(gap)
        message = f"Speech is recorded but not recognised: {failure}"
        await self._log.tell(self._notices.begin("recognition_failing", message, self._reached()))

    async def _judge(self, segment: SpeechSegment, transcript: Transcript) -> None:
        so_far = self._recognition.utterance(segment.role, segment.start, segment.end, transcript)
        utterance = replace(so_far, acoustics=acoustics_of(segment.pcm))
        await self._log.write(UtteranceHeard(utterance=utterance))
        self._recognition.written(utterance)
        observed = await self._detectors.heard(utterance)
        await self._log.observe(observed, self._reached())
        if any(isinstance(seen, Finding) and seen.utterance_id == utterance.id for seen in observed):
            self._word_times.ask(segment, utterance)

    async def _look_ahead(self, partial: PartialUtterance, before: int) -> None:
        """Words of the agent are known before their turn; `before` of the agent's utterances will be written first."""
        self.show(partial)
        await self._foresee(partial, before)

    async def _foresee(self, partial: PartialUtterance, before: int = 0) -> bool:
        """Whether it raises an alert before its utterance is written."""
        utterance = self._recognition.utterance(partial.role, partial.start, partial.end, partial.recognised, before)
        return await self._log.foresee(await self._detectors.foresee(utterance))

    def _show(self, role: Role, start: Seconds, text: str) -> None:
        self._display.show_partial(Partial(call_id=self._call_id, role=role, start=start, text=text))
