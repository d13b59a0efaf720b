"""The agent's words that are known while an earlier utterance of the call still waits for its text. One a call.

What is written of a call keeps the order it was said in. Where recognition has too little time customers' words wait
behind agents': what the agent said meanwhile is then shown, and critical alerts are raised about it, before its turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import islice

from asr.endpointing.endpointer import SpeechSegment
from asr.types import Transcript
from service.calls.partials import PartialUtterance


class AgentLookAhead:
    """The agent's utterances that have not had their turn. `awaited` is the text that an utterance awaits. `alerted`:
    whether the first of them has raised an alert already, so that it is written even if it should have no final text.
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
        """Its text is awaited from now on."""
        self._awaited(segment).add_done_callback(lambda _: self._answered.set())
        if segment.role == "agent":
            self._agents.append(segment)

    async def wait(self, segment: SpeechSegment, tell: Callable[[PartialUtterance, int], Awaitable[None]]) -> None:
        """Until this utterance, whose turn it is, has its text or will have none. What the agent said after it is told
        as soon as it is known and its number too, once, in its order; with it, how many of the agent's utterances will
        be written before it."""
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
            if (heard := self._text(segment)) is not None:
                partial = PartialUtterance(role="agent", start=segment.start, end=segment.end, recognised=heard)
                return partial, self._written_before(self._looked_at - 1)
        return None

    def _written_before(self, place: int) -> int:
        before = list(islice(self._agents, place))
        without_text = bool(before) and self._text(before[0]) is None and self._alerted()
        return sum(self._text(segment) is not None for segment in before) + without_text

    def _text(self, segment: SpeechSegment) -> Transcript | None:
        """None also where recognition failed or was withdrawn."""
        text = self._awaited(segment)
        return None if text.cancelled() or text.exception() is not None else text.result()
