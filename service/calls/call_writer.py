"""The one writer of a call: what its audio came to is awaited, written and judged, in audio order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import SAMPLE_RATE, Resampler, samples_in
from asr.endpointing.endpointer import SpeechSegment
from asr.types import Seconds, Utterance
from detectors.contract import Bilingual, Finding, Observation, Withdrawn
from detectors.runtime.runner import DetectorFailure
from service.calls.audio_path import ChannelsCompared, TimePassed
from service.calls.call_recognition import CallRecognition, PartialUtterance
from service.calls.earlier_call import EarlierCall
from service.calls.evidence import CallDetectors
from service.calls.judging import CallLog
from service.calls.recording_state import RecordingState
from service.calls.session_parts import SessionParts
from service.calls.standing_notices import StandingNotices
from service.calls.utterances import UtteranceWriter
from service.calls.word_times import WordTimes
from service.calls.work_queue import Finish, Work
from service.record.facts import (
    Call,
    CallClosed,
    CallOpened,
    CallResumed,
    DtmfPressed,
    FindingWithdrawn,
    GapMarked,
    Notice,
    NoticeCode,
)

EQUAL: NoticeCode = "channels_equal"
EQUAL_MEANS = (
    "Both channels carry the same sound: the source does not separate the parties."
    " Words are shown once, as the customer's; nothing is judged."
)


def _owed_again(missed: Finding) -> Withdrawn:
    """A duty that was held missed because the call had ended: the agent can still do it."""
    why = Bilingual(zh="通话仍在继续，时限未到", en="the call goes on, its time is not up")
    return Withdrawn(rule=missed.rule, role=missed.role, start=missed.start, end=missed.end, why=why)


class CallWriter:
    """One call's, from its announcement or from where `earlier` left it. `reached` tells how far its audio clock has
    come, `late` how long ago a moment of its audio came in."""

    def __init__(
        self,
        call: Call,
        parts: SessionParts,
        recognition: CallRecognition,
        reached: Callable[[], Seconds],
        late: Callable[[Seconds], Seconds],
        earlier: EarlierCall | None,
    ) -> None:
        self._call = call
        self._parts = parts
        self._reached = reached
        troubles, raised = ((), ()) if earlier is None else (earlier.troubles, earlier.alerts)
        self._detectors = CallDetectors(parts.detectors, were_equal=EQUAL in troubles)
        self._log = CallLog(call.id, parts.journal, parts.metrics, parts.wall, late, raised, parts.pack)
        self._notices = StandingNotices(troubles)
        self._recording = RecordingState(parts.recorder, self._notices, parts.metrics)
        limits = parts.limits
        self._word_times = WordTimes(call.id, recognition, most=limits.words_awaited, close_within=limits.words_within)
        self.utterances = UtteranceWriter(
            call.id,
            recognition,
            self._detectors,
            self._log,
            self._word_times,
            self._notices,
            parts.display,
            parts.metrics,
            reached,
            late,
            {} if earlier is None else {said.role: said.end for said in earlier.utterances},
        )

    async def begin(self, earlier: EarlierCall | None) -> None:
        """Before any work: the call opens here, or goes on."""
        if earlier is None:
            await self._log.write(CallOpened(call=self._call))
        else:
            await self._go_on(earlier)

    async def do(self, work: Work) -> None:
        """The next piece of work."""
        match work:
            case SpeechSegment():
                await self.utterances.write(work)
            case PartialUtterance():
                await self.utterances.judge_early(work)
            case TimePassed(at=at):
                await self._watch_disks()
                await self._log.write(*self._word_times.take())
                await self._observe(await self._detectors.elapsed(at))
            case GapMarked():
                await self.utterances.mark(work)
            case DtmfPressed():
                await self._log.write(work)
            case Notice():
                await self._log.write(work)
                await self._observe(await self._detectors.waited(work))
            case ChannelsCompared():
                await self._compare(work)
            case _:
                raise AssertionError(f"no work: {work!r}")

    def time_words(self, utterance: Utterance, pcm: NDArray[np.int16]) -> None:
        """Ask when each word of an utterance was said that an earlier session wrote; its recorded audio at the call's
        rate."""
        resampler = Resampler(self._call.rate)
        resampled = np.concatenate([resampler.push(pcm), resampler.flush()])
        first = samples_in(utterance.start, SAMPLE_RATE)
        self._word_times.ask(SpeechSegment(role=utterance.role, first=first, pcm=resampled.tobytes()), utterance)

    async def write_rest(self, rest: list[Notice | DtmfPressed]) -> None:
        """What was still told after the last piece of work, and the times of words that are known by then."""
        await self._log.write(*rest, *self._word_times.take())

    async def close_recording(self) -> None:
        """Once the disk has what it takes, it is known what is missing; a disk that hangs is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._parts.limits.recording_within):
                await self._parts.recorder.close()
        await self._log.write(*self._recording.unrecorded())

    async def close(self, finish: Finish) -> None:
        """The call is over."""
        await self._observe(await self._last_words(finish))
        await self._word_times.settle()
        await self._log.write(*self._word_times.take())
        await self.close_recording()
        closed = CallClosed(
            ended_at=self._parts.wall(), duration=self._reached(), ending=finish.ending, reason=finish.reason
        )
        await self._log.write(closed)

    async def _go_on(self, earlier: EarlierCall) -> None:
        """Bring the detectors to where the call stood: they hear again what was said. What they had made of the last
        of it may never have been written."""
        observed: list[Observation | DetectorFailure] = []
        for heard in earlier.in_stretches:
            if isinstance(heard, GapMarked):
                observed += await self._detectors.missed(heard)
            elif isinstance(heard, Notice):
                observed += await self._detectors.waited(heard)
            else:
                observed += await self._detectors.heard_again(heard)
        observed += await self._detectors.elapsed(min(earlier.settled.values()))
        cause = "restarted" if earlier.closed is None else "returned"
        await self._log.write(CallResumed(at=earlier.reached, cause=cause))
        again = [
            FindingWithdrawn(withdrawn=_owed_again(alert), alert_id=alert.id, at=earlier.reached)
            for alert in earlier.premature
        ]
        await self._log.write(*again)
        await self._observe([seen for seen in observed if earlier.lacks(seen)])

    async def _observe(self, observed: list[Observation | DetectorFailure]) -> None:
        await self._log.observe(observed, self._reached())

    async def _watch_disks(self) -> None:
        for fact in self._recording.facts(self._reached()):
            await (self._log.tell(fact) if isinstance(fact, Notice) else self._log.write(fact))
        if self._log.failing:
            message = "The store cannot be written; what happens is kept until it can."
            await self._log.tell(self._notices.begin("storage_failing", message, self._reached()))
        else:
            await self._log.tell(self._notices.end("storage_failing", self._reached()))

    async def _compare(self, channels: ChannelsCompared) -> None:
        self._detectors.channels(equal=channels.equal)
        if channels.equal:
            await self._log.tell(self._notices.begin(EQUAL, EQUAL_MEANS, channels.at))
        else:
            await self._log.tell(self._notices.end(EQUAL, channels.at))

    async def _last_words(self, finish: Finish) -> list[Observation | DetectorFailure]:
        """What the detectors say at the end. A call that went on unheard is not judged by what was not heard of it."""
        if finish.ending == "completed":
            return await self._detectors.closed(self._reached())
        return await self._detectors.elapsed(self._reached())
