"""The agent's words that are known while an earlier utterance of the call still waits for its text. One a call.

What is written of a call keeps the order it was said in. Where recognition has too little time customers' words wait
behind agents': what the agent said meanwhile is then shown, and critical alerts are raised about it, before its turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import islice

from asr.types import Transcript
from service.calls.call_recognition import PendingUtterance
from service.calls.partials import PartialUtterance


class AgentLookAhead:
    """The agent's utterances that have not had their turn. `alerted`: whether the first of them has raised an alert
    already, so that it is written even if it should have no final text."""

    def __init__(self, alerted: Callable[[], bool]) -> None:
        self._alerted = alerted
        self._agents: deque[PendingUtterance] = deque()
        self._looked_at = 0  # of them, from the first on
        self._answered = asyncio.Event()

    def submitted(self, pending: PendingUtterance) -> None:
        """Its text is awaited from now on."""
        pending.text.add_done_callback(lambda _: self._answered.set())
        if pending.cut.role == "agent":
            self._agents.append(pending)

    async def wait(self, pending: PendingUtterance, tell: Callable[[PartialUtterance, int], Awaitable[None]]) -> None:
        """Until this utterance, whose turn it is, has its text or will have none. What the agent said after it is told
        as soon as it is known and its number too, once, in its order; with it, how many of the agent's utterances will
        be written before it."""
        while not pending.text.done():
            self._answered.clear()
            if (found := self._next()) is not None:
                await tell(*found)
            else:
                await self._answered.wait()
        if self._agents and self._agents[0] is pending:
            self._agents.popleft()
            self._looked_at = max(0, self._looked_at - 1)

    def _next(self) -> tuple[PartialUtterance, int] | None:
        while self._looked_at < len(self._agents) and self._agents[self._looked_at].text.done():
            pending = self._agents[self._looked_at]
            self._looked_at += 1
            if (recognised := _text(pending)) is not None:
                cut = pending.cut
                partial = PartialUtterance(role="agent", start=cut.start, end=cut.end, recognised=recognised)
                return partial, self._written_before(self._looked_at - 1)
        return None

    def _written_before(self, place: int) -> int:
        before = list(islice(self._agents, place))
        without_text = bool(before) and _text(before[0]) is None and self._alerted()
        return sum(_text(pending) is not None for pending in before) + without_text


def _text(pending: PendingUtterance) -> Transcript | None:
    """None also where recognition failed or was withdrawn."""
    text = pending.text
    return None if text.cancelled() or text.exception() is not None else text.result()
