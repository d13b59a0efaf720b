"""A call's speech on its way to text: stretches out to the recogniser, utterances back. Plain; one a call."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import seconds
from asr.endpointing.endpointer import SpeechSegment
from asr.engines.port import NO_BIASING, Biasing, Effort, Speech
from asr.recognition.recogniser import RecognitionRequest
from asr.types import Language, Role, Seconds, Transcript, Utterance
from service.calls.party_languages import PartyLanguages
from service.calls.ports import Recogniser
from service.record.facts import Call, GapMarked

BACKLOG: Seconds = 240.0
"""Speech a call may have waiting for its text: 15 MB of audio. A recogniser this far behind is as good as gone;
what comes then is recorded and marked, not kept in memory."""

FINAL_WITHIN: Seconds = 2.0
"""The text of an utterance is due this long after its end: the recogniser's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingUtterance:
    """An utterance whose text is awaited."""

    cut: SpeechSegment
    text: asyncio.Future[Transcript | None]


class CallRecognition:
    """One call's dealings with the recogniser. `biasing` is its vocabulary in each language."""

    def __init__(
        self, call: Call, recogniser: Recogniser, biasing: Mapping[Language, Biasing], monotonic: Callable[[], float]
    ) -> None:
        self._call = call
        self._recogniser = recogniser
        self._biasing = biasing
        self._languages = PartyLanguages(call.roles)
        self._monotonic = monotonic
        self._waiting = 0  # samples at 16 kHz
        self._cuts: Counter[Role] = Counter()
        self._written: Counter[Role] = Counter()
        self._eased = asyncio.Event()

    @property
    def waiting(self) -> Seconds:
        """Speech that awaits its text."""
        return seconds(self._waiting)

    def restore(self, utterances: Sequence[Utterance]) -> None:
        """These were written by an earlier session of the call, in their order."""
        for utterance in utterances:
            self._cuts[utterance.role] = self._written[utterance.role] = utterance.index + 1
            self._languages.restore(utterance.role, utterance.language, utterance.end - utterance.start)

    def submit(self, cut: SpeechSegment) -> PendingUtterance | GapMarked:
        """Ask for an utterance's text; a gap where too much waits already."""
        if seconds(self._waiting + cut.pcm.size) > BACKLOG:
            return GapMarked(role=cut.role, start=cut.start, end=cut.end, reason="unrecognised")
        self._waiting += cut.pcm.size
        request = self._job(cut.role, cut.pcm, "normal", final=True)
        self._cuts[cut.role] += 1
        return PendingUtterance(cut=cut, text=self._recogniser.submit(request))

    def ask_early(self, role: Role, pcm: NDArray[np.float32], effort: Effort) -> asyncio.Future[Transcript | None]:
        """Ask for the text so far of what will be the leg's next cut; None where there is no time for it."""
        return self._recogniser.submit(self._job(role, pcm, effort, final=False))

    def ask_words(self, cut: SpeechSegment, utterance: Utterance) -> asyncio.Future[Transcript | None]:
        """Ask when each word of the utterance, whose text is known, was said; answered when nothing else waits."""
        request = self._job(cut.role, cut.pcm, "normal", final=False)
        given = Speech(pcm=cut.pcm, language=utterance.language, text=utterance.text)
        return self._recogniser.submit(replace(request, speech=given))

    async def text_of(self, pending: PendingUtterance) -> Transcript | None:
        """The text, None where nobody speaks. Raises RecognitionError."""
        try:
            recognised = await pending.text
        finally:
            self._waiting -= pending.cut.pcm.size
            self._eased.set()
        if recognised is not None:
            found, length = recognised, seconds(pending.cut.pcm.size)
            self._languages.heard(pending.cut.role, found.language, found.language_odds, length)
        return recognised

    async def settle(self, most: Seconds) -> None:
        """Wait until at most `most` seconds of speech await their text."""
        while self.waiting > most:
            self._eased.clear()
            await self._eased.wait()

    def utterance(self, role: Role, start: Seconds, end: Seconds, recognised: Transcript, before: int = 0) -> Utterance:
        """The leg's next utterance, as far as it is known, once `before` others are written; until then it is the same
        one."""
        index = self._written[role] + before
        return Utterance(
            id=f"{role}-{index}",
            call_id=self._call.id,
            role=role,
            index=index,
            start=start,
            end=end,
            text=recognised.text,
            language=recognised.language,
            confidence=math.exp(min(0.0, recognised.avg_logprob)),
        )

    def written(self, utterance: Utterance) -> None:
        """That was the leg's next utterance."""
        self._written[utterance.role] += 1

    def _job(self, role: Role, pcm: NDArray[np.float32], effort: Effort, *, final: bool) -> RecognitionRequest:
        return RecognitionRequest(
            call_id=self._call.id,
            role=role,
            seq=self._cuts[role],
            speech=self._speech(role, pcm, effort),
            final=final,
            deadline=self._monotonic() + FINAL_WITHIN,
        )

    def _speech(self, role: Role, pcm: NDArray[np.float32], effort: Effort) -> Speech:
        """In the call's language; or in one that is to be heard, with each one's vocabulary, for a prompt in the one
        would bend the other."""
        if self._call.language == "auto":
            leaning = self._languages.leaning(role)
            return Speech(pcm=pcm, leaning=leaning, biasing_by_language=self._biasing, effort=effort)
        biasing = self._biasing.get(self._call.language, NO_BIASING)
        return Speech(pcm=pcm, language=self._call.language, biasing=biasing, effort=effort)
