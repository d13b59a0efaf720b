"""A call's speech on its way to text: stretches out to the recogniser, utterances back. Plain; one a call."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from asr.audio import seconds
from asr.engine import Speech
from asr.scheduler import Job, Recognised
from asr.types import Role, Seconds, Utterance
from service.calls.intake import Cut
from service.calls.ports import Recogniser
from service.facts import Call, GapMarked

BACKLOG: Seconds = 240.0
"""Speech a call may have waiting for its text: 15 MB of audio. A recogniser this far behind is as good as gone;
what comes then is recorded and marked, not kept in memory."""

FINAL_WITHIN: Seconds = 2.0
"""The text of an utterance is due this long after its end: the scheduler's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """An utterance whose text is awaited."""

    cut: Cut
    text: asyncio.Future[Recognised | None]


class Hearing:
    """One call's dealings with the recogniser. `prompt` is its vocabulary."""

    def __init__(self, call: Call, recogniser: Recogniser, prompt: str, monotonic: Callable[[], float]) -> None:
        self._call = call
        self._recogniser = recogniser
        self._prompt = prompt
        self._monotonic = monotonic
        self._waiting = 0  # samples at 16 kHz
        self._cuts: Counter[Role] = Counter()
        self._said: Counter[Role] = Counter()
        self._eased = asyncio.Event()

    @property
    def waiting(self) -> Seconds:
        """Speech that awaits its text."""
        return seconds(self._waiting)

    def submit(self, cut: Cut) -> Spoken | GapMarked:
        """Ask for an utterance's text; a gap where too much waits already."""
        if seconds(self._waiting + cut.pcm.size) > BACKLOG:
            return GapMarked(role=cut.role, start=cut.start, end=cut.end, reason="unrecognised")
        self._waiting += cut.pcm.size
        job = Job(
            call_id=self._call.id,
            role=cut.role,
            seq=self._cuts[cut.role],
            speech=Speech(pcm=cut.pcm, language=self._call.language, prompt=self._prompt),
            final=True,
            deadline=self._monotonic() + FINAL_WITHIN,
        )
        self._cuts[cut.role] += 1
        return Spoken(cut=cut, text=self._recogniser.submit(job))

    async def text_of(self, spoken: Spoken) -> Recognised | None:
        """The text, None where nobody speaks. Raises RecognitionError."""
        try:
            return await spoken.text
        finally:
            self._waiting -= spoken.cut.pcm.size
            self._eased.set()

    async def settle(self, most: Seconds) -> None:
        """Wait until at most `most` seconds of speech await their text."""
        while self.waiting > most:
            self._eased.clear()
            await self._eased.wait()

    def utterance(self, cut: Cut, recognised: Recognised) -> Utterance:
        """The leg's next utterance."""
        index = self._said[cut.role]
        self._said[cut.role] += 1
        return Utterance(
            id=f"{cut.role}-{index}",
            call_id=self._call.id,
            role=cut.role,
            index=index,
            start=cut.start,
            end=cut.end,
            text=recognised.text,
            language=recognised.transcript.language,
            confidence=math.exp(min(0.0, recognised.transcript.avg_logprob)),
        )
