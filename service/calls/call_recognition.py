"""A call's speech on its way to text: requests to the recogniser, utterances back. One for each call; it holds the
futures of texts that are awaited."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from asr.endpointing.endpointer import SpeechSegment
from asr.engines.port import Biasing, Effort, Speech
from asr.recognition.queue import RecognitionRequest, RequestKind
from asr.types import Language, Role, Seconds, Transcript, Utterance
from service.calls.party_languages import PartyLanguages
from service.calls.ports import Recogniser
from service.record.facts import Call, GapMarked

BACKLOG: Seconds = 240.0
"""So much speech of a call may await its text: 15 MB of audio. A recogniser that is this far behind is as good as gone.
What comes then is recorded and marked, and not kept in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialUtterance:
    """The agreed part of an utterance that began at `start`; recognised from the audio up to `end`."""

    role: Role
    start: Seconds
    end: Seconds
    recognised: Transcript


class CallRecognition:
    """The requests of one call to the recogniser. `biasing` is the call's vocabulary in each language. At most
    `backlog` seconds of its speech await their text."""

    def __init__(
        self,
        call: Call,
        recogniser: Recogniser,
        biasing: Mapping[Language, Biasing],
        *,
        backlog: Seconds = BACKLOG,
    ) -> None:
        self._call = call
        self._recogniser = recogniser
        self._biasing = biasing
        self._backlog = backlog
        self._languages = PartyLanguages(call.roles)
        self._awaited: dict[SpeechSegment, asyncio.Future[Transcript | None]] = {}
        self._submitted: Counter[Role] = Counter()
        self._written: Counter[Role] = Counter()
        self._eased = asyncio.Event()

    @property
    def waiting(self) -> Seconds:
        """The speech, in seconds, that awaits its text."""
        return sum(segment.seconds for segment in self._awaited)

    def restore(self, utterances: Sequence[Utterance]) -> None:
        """An earlier session of the call has written these utterances, in their order."""
        for utterance in utterances:
            self._submitted[utterance.role] = self._written[utterance.role] = utterance.index + 1
            self._languages.restore(utterance.role, utterance.language, utterance.end - utterance.start)

    def submit(self, segment: SpeechSegment) -> SpeechSegment | GapMarked:
        """Ask for an utterance's text. Returns a gap if too much speech awaits its text already."""
        role = segment.role
        if self.waiting + segment.seconds > self._backlog:
            return GapMarked(role=role, start=segment.start, end=segment.end, reason="unrecognised")
        request = self._request("final", role, self._submitted[role], self._speech(role, segment.pcm, "normal"))
        self._submitted[role] += 1
        self._awaited[segment] = self._recogniser.submit(request)
        return segment

    def ask_early(self, role: Role, pcm: bytes, effort: Effort) -> asyncio.Future[Transcript | None]:
        """Ask for the text so far of the leg's next utterance. The future gives None if there is no time for it."""
        speech = self._speech(role, pcm, effort)
        return self._recogniser.submit(self._request("partial", role, self._submitted[role], speech))

    def ask_words(self, segment: SpeechSegment, utterance: Utterance) -> asyncio.Future[Transcript | None]:
        """Ask when each word of an utterance, whose text is known, was said. The answer comes when nothing else
        waits."""
        given = Speech(pcm=segment.pcm, language=utterance.language, text=utterance.text)
        return self._recogniser.submit(self._request("words", segment.role, utterance.index, given))

    def awaited(self, segment: SpeechSegment) -> asyncio.Future[Transcript | None]:
        """The text that was asked for; None if nobody speaks."""
        return self._awaited[segment]

    async def text_of(self, segment: SpeechSegment) -> Transcript | None:
        """Awaits the text of the call's next utterance; None if nobody speaks. Raises RecognitionError."""
        try:
            transcript = await self._awaited[segment]
        finally:
            del self._awaited[segment]
            self._eased.set()
        if transcript is not None:
            self._languages.recognised(segment.role, transcript.language, transcript.language_odds, segment.seconds)
        return transcript

    async def settle(self, most: Seconds) -> None:
        """Wait until at most `most` seconds of speech await their text."""
        while self.waiting > most:
            self._eased.clear()
            await self._eased.wait()

    def utterance(self, role: Role, start: Seconds, end: Seconds, recognised: Transcript, before: int = 0) -> Utterance:
        """The leg's next utterance, as far as it is known, once `before` others are written. Until it is written it has
        the same id."""
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
        """The utterance was written, so the next one gets the next number."""
        self._written[utterance.role] += 1

    def _request(self, kind: RequestKind, role: Role, utterance: int, speech: Speech) -> RecognitionRequest:
        return RecognitionRequest(call_id=self._call.id, role=role, utterance=utterance, kind=kind, speech=speech)

    def _speech(self, role: Role, pcm: bytes, effort: Effort) -> Speech:
        """The speech to recognise: in the call's language, or in one that is to be detected."""
        if self._call.language == "auto":
            leaning = self._languages.leaning(role)
            return Speech(pcm=pcm, leaning=leaning, biasing=self._biasing, effort=effort)
        return Speech(pcm=pcm, language=self._call.language, biasing=self._biasing, effort=effort)


class AgentLookAhead:
    """The agent's words that are known while an earlier utterance of the call still waits for its text.

    What is written of a call keeps the order it was said in. Where recognition has too little time, customers' words
    wait behind agents': what the agent said meanwhile is then shown, and critical alerts are raised about it, before
    its turn.

    `awaited` is the text that an utterance awaits. `alerted`: whether the first of the agent's utterances has raised an
    alert already, so that it is written even if it should have no final text.
    """

    def __init__(
        self, awaited: Callable[[SpeechSegment], asyncio.Future[Transcript | None]], alerted: Callable[[], bool]
    ) -> None:
        self._awaited = awaited
        self._alerted = alerted
        self._agents: deque[SpeechSegment] = deque()
        self._looked_at = 0  # of them, from the first on
        self._answered = asyncio.Event()

    def submitted(self, segment: SpeechSegment) -> None:
        """The utterance's text is awaited from now on."""
        self._awaited(segment).add_done_callback(lambda _: self._answered.set())
        if segment.role == "agent":
            self._agents.append(segment)

    async def wait(self, segment: SpeechSegment, tell: Callable[[PartialUtterance, int], Awaitable[None]]) -> None:
        """Waits until the next utterance of the call has its text, or will have none.

        Meanwhile `tell` gets each later utterance of the agent once, in order, as soon as its text and its number are
        known, with the number of the agent's utterances that are written before it.
        """
        while not self._awaited(segment).done():
            self._answered.clear()
            if (found := self._next()) is not None:
                await tell(*found)
            else:
                await self._answered.wait()
        if self._agents and self._agents[0] is segment:
            self._agents.popleft()
            self._looked_at = max(0, self._looked_at - 1)

    def _next(self) -> tuple[PartialUtterance, int] | None:
        while self._looked_at < len(self._agents) and self._awaited(self._agents[self._looked_at]).done():
            segment = self._agents[self._looked_at]
            self._looked_at += 1
            if (transcript := self._text(segment)) is not None:
                partial = PartialUtterance(role="agent", start=segment.start, end=segment.end, recognised=transcript)
                return partial, self._written_before(self._looked_at - 1)
        return None

    def _written_before(self, place: int) -> int:
        before = list(islice(self._agents, place))
        without_text = bool(before) and self._text(before[0]) is None and self._alerted()
        return sum(self._text(segment) is not None for segment in before) + without_text

    def _text(self, segment: SpeechSegment) -> Transcript | None:
        """The utterance's text. None also if recognition failed or was withdrawn."""
        text = self._awaited(segment)
        return None if text.cancelled() or text.exception() is not None else text.result()
