"""A recogniser that answers from a list; it passes the recogniser's contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from asr.engines.port import RecognitionFailed
from asr.recognition.recogniser import RecognitionRequest
from asr.types import Language, Role, Seconds, Transcript, Word
from tests.stretches import recognised

Result: TypeAlias = asyncio.Future[Transcript | None]

_PACE: Seconds = 0.5
"""What a character takes, where its stretch is long enough."""


class FakeRecogniser:
    """Answers each final with the next answer; an exception among them is raised by the future. Partials are answered
    from `early`, and with None when that is used up. Word times are told as `timing` says. The finals of a party that
    it `holds` up wait in `held` for the test to answer them."""

    def __init__(
        self,
        *answers: str | Exception | None,
        early: Sequence[str] = (),
        language: Language = "zh",
        holds: Role | None = None,
    ) -> None:
        self.holds = holds
        self.held: list[Result] = []
        self.answers = list(answers)
        self.language: Language = language
        self.timing: Literal["working", "failing", "hanging"] = "working"
        self.early = list(early)
        self.requests: list[RecognitionRequest] = []
        self.withdrawn: list[str] = []
        self._waiting: list[tuple[RecognitionRequest, Result]] = []

    def submit(self, request: RecognitionRequest) -> Result:
        again = (future for asked, future in self._waiting if asked == request)
        if (awaited := next(again, None)) is not None:
            return awaited
        self.requests.append(request)
        future: Result = asyncio.get_running_loop().create_future()
        if request.kind == "words":
            self._time(request, future)
            return future
        if request.kind == "final" and request.role == self.holds:
            self.held.append(future)
            return future
        answer = self._answer() if request.kind == "final" else self.early.pop(0) if self.early else None
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(recognised(answer, self.language) if answer else None)
        return future

    def _time(self, request: RecognitionRequest, future: Result) -> None:
        """Two characters a second, or as fast as the stretch needs; never where `timing` is "hanging"."""
        if self.timing == "failing":
            future.set_exception(RecognitionFailed("out of memory"))
        elif self.timing == "hanging":
            self._waiting.append((request, future))
        else:
            text = request.speech.text or ""
            pace = min(_PACE, request.seconds / max(1, len(text)))
            words = tuple(
                Word(text=one, start=at * pace, end=(at + 1) * pace, probability=0.9) for at, one in enumerate(text)
            )
            future.set_result(replace(recognised(text, self.language), words=words))

    def withdraw(self, call_id: str) -> None:
        self.withdrawn.append(call_id)
        for request, future in self._waiting:
            if request.call_id == call_id:
                future.cancel()
        self._waiting = [waiting for waiting in self._waiting if waiting[0].call_id != call_id]

    def _answer(self) -> str | Exception | None:
        return self.answers.pop(0) if self.answers else "好的"
