"""A call's session on its own: fakes all around it, the audio of a real call fed to it."""

from __future__ import annotations

from typing import TypeVar

from asr.audio.pcm import encode
from detectors.contract import PackVersion
from service.audio_files.call import CallAudio
from service.calls.session import CallSession
from service.calls.session_parts import SessionLimits, SessionParts
from service.ingest.events import AudioArrived
from service.metrics import Metrics
from service.record.facts import Fact
from tests import scenes
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.fakes.journal import FakeJournal
from tests.fakes.live_bus import FakeLiveBus
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.recorder import FakeRecorder
from tests.scenes import now

F = TypeVar("F", bound=Fact)


class Stage:
    """A session among fakes, and a real call's audio to feed it."""

    def __init__(
        self,
        recogniser: FakeRecogniser | None = None,
        detectors: FakeDetectorRunner | None = None,
        max_pace: float = 1e9,
        *,
        partials: bool = True,
        limits: SessionLimits | None = None,
        pack: PackVersion | None = None,
    ) -> None:
        self.bus = FakeLiveBus()
        self.journal = FakeJournal(self.bus)
        self.recogniser = recogniser or FakeRecogniser()
        self.detectors = detectors or FakeDetectorRunner()
        self.recorder = FakeRecorder()
        self.metrics = Metrics()
        self.clock = 1000.0
        parts = SessionParts(
            journal=self.journal,
            display=self.bus,
            recogniser=self.recogniser,
            detectors=self.detectors,
            recorder=self.recorder,
            metrics=self.metrics,
            monotonic=lambda: self.clock,
            wall=now,
            max_pace=max_pace,
            partials=partials,
            limits=limits or SessionLimits(),
            pack=pack,
        )
        self.session = CallSession(scenes.call(encoding="pcm_s16le"), parts)

    def feed(self, audio: CallAudio, seconds: float) -> None:
        """Real time passes with the audio."""
        packet = audio.rate // 50
        for first in range(0, int(seconds * audio.rate), packet):
            self.clock += 0.02
            self.session.feed(AudioArrived(payload=encode(audio.pcm[first : first + packet].reshape(-1), "pcm_s16le")))

    async def finished(self) -> list[Fact]:
        self.session.finish("completed")
        await self.session.run()
        return self.journal.facts

    def told(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.journal.facts if isinstance(fact, kind)]
