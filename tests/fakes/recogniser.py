"""A recogniser that answers from a list."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from asr.engines.port import RecognitionFailed
from asr.recognition.recogniser import RecognitionRequest
from asr.types import Language, Transcript, Word
from tests.stretches import recognised


class FakeRecogniser:
    """Answers each final with the next answer; an exception among them is raised by the future. Partials are answered
    from `early`, and with None when that is used up."""

    def __init__(self, *answers: str | Exception | None, early: Sequence[str] = (), language: Language = "zh") -> None:
        self.answers = list(answers)
        self.language: Language = language
        self.timing: Literal["working", "failing", "hanging"] = "working"
        self.early = list(early)
        self.requests: list[RecognitionRequest] = []
        self.withdrawn: list[str] = []

    def submit(self, request: RecognitionRequest) -> asyncio.Future[Transcript | None]:
        self.requests.append(request)
        future: asyncio.Future[Transcript | None] = asyncio.get_running_loop().create_future()
        if request.kind == "words":
            self._time(request, future)
            return future
        answer = self._answer() if request.final else self.early.pop(0) if self.early else None
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(recognised(answer, self.language) if answer else None)
        return future

    def _time(self, request: RecognitionRequest, future: asyncio.Future[Transcript | None]) -> None:
        """Two characters a second; never where `timing` is "hanging"."""
        if self.timing == "failing":
            future.set_exception(RecognitionFailed("out of memory"))
        elif self.timing == "working":
            text = request.speech.text or ""
            words = tuple(
                Word(text=one, start=at / 2, end=at / 2 + 0.5, probability=0.9) for at, one in enumerate(text)
            )
            future.set_result(replace(recognised(text, self.language), words=words))

    def withdraw(self, call_id: str) -> None:
        self.withdrawn.append(call_id)

    def _answer(self) -> str | Exception | None:
        return self.answers.pop(0) if self.answers else "好的"
