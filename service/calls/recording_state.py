"""What a call tells about its recording: when it stops, when it goes on, and what is missing. Plain."""

from __future__ import annotations

from asr.types import Seconds
from service.calls.ports import Recorder
from service.calls.standing_notices import StandingNotices
from service.metrics import Metrics
from service.record.facts import GapMarked, Notice

_PAUSED = "The disk is nearly full: the sound is not recorded. The call is monitored on."
_FAILING = "The recording cannot be written; the call is monitored on."


class RecordingState:
    """The state of one call's recording, as its log shows it."""

    def __init__(self, recorder: Recorder, notices: StandingNotices, metrics: Metrics) -> None:
        self._recorder = recorder
        self._notices = notices
        self._metrics = metrics

    def facts(self, at: Seconds) -> list[Notice | GapMarked]:
        """The facts since the last call of this. `at` is how far the call has come."""
        notice = self._notice(at)
        return [*([notice] if notice else []), *self.unrecorded()]

    def unrecorded(self) -> list[GapMarked]:
        """The stretches that are missing in the recording, each once it has ended."""
        missing = self._recorder.take_unrecorded()
        self._metrics.gaps.labels("unrecorded").inc(len(missing))
        return [GapMarked(role=each.role, start=each.start, end=each.end, reason="unrecorded") for each in missing]

    def _notice(self, at: Seconds) -> Notice | None:
        if self._recorder.paused:
            self._notices.forget("recording_failing")
            return self._notices.begin("recording_paused", _PAUSED, at)
        if self._recorder.failing:
            self._notices.forget("recording_paused")
            notice = self._notices.begin("recording_failing", _FAILING, at)
            self._metrics.recording_failures.inc(notice is not None)
            return notice
        return self._notices.end("recording_paused", at) or self._notices.end("recording_failing", at)
