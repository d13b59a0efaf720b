"""When each word of an utterance was said. It is asked for utterances with a finding, and written when it comes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from asr.endpointing.endpointer import SpeechSegment
from asr.types import Seconds, Transcript, Utterance
from service.calls.call_recognition import CallRecognition
from service.record.facts import WordsTimed

MOST_WAITING = 20
"""So many utterances of a call may await their word times, because each holds its audio. Further ones keep only their
own span."""

CLOSE_WITHIN = 10.0
"""Seconds that a call that is over waits for word times. Finals go first, so a full machine may have no time for
them."""

log = structlog.get_logger()


class WordTimes:
    """The word times of one call. At most `most` utterances are awaited, for `close_within` seconds once the call is
    over."""

    def __init__(
        self,
        call_id: str,
        recognition: CallRecognition,
        *,
        most: int = MOST_WAITING,
        close_within: Seconds = CLOSE_WITHIN,
    ) -> None:
        self._call_id = call_id
        self._recognition = recognition
        self._most = most
        self._close_within = close_within
        self._awaited: set[asyncio.Future[Transcript | None]] = set()
        self._come: list[WordsTimed] = []

    def ask(self, segment: SpeechSegment, utterance: Utterance) -> None:
        """Ask for the times of the utterance's words, unless too many are awaited."""
        if len(self._awaited) >= self._most:
            return
        asked = self._recognition.ask_words(segment, utterance)
        self._awaited.add(asked)
        asked.add_done_callback(lambda answer: self._answered(utterance, answer))

    def take(self) -> list[WordsTimed]:
        """The facts that have come since the last call of this."""
        come, self._come = self._come, []
        return come

    async def settle(self) -> None:
        """Wait for what is awaited, as long as a call that is over may."""
        if self._awaited:
            await asyncio.wait(self._awaited, timeout=self._close_within)
            await asyncio.sleep(0)  # the answers' callbacks run after the wait's own

    def _answered(self, utterance: Utterance, answer: asyncio.Future[Transcript | None]) -> None:
        self._awaited.discard(answer)
        if answer.cancelled():
            return
        if (failure := answer.exception()) is not None:
            log.warning("words not timed", call_id=self._call_id, utterance=utterance.id, problem=str(failure))
        elif (timed := answer.result()) is not None and timed.words:
            words = tuple(
                replace(word, start=_on_clock(utterance, word.start), end=_on_clock(utterance, word.end))
                for word in timed.words
            )
            self._come.append(WordsTimed(utterance_id=utterance.id, words=words))


def _on_clock(utterance: Utterance, within: Seconds) -> Seconds:
    """A moment within the utterance on the call's audio clock."""
    return min(round(utterance.start + within, 3), utterance.end)
