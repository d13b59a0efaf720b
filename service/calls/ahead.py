"""The agent's next words, known while an earlier utterance of the call still waits for its text. Plain; one a call.

What is written of a call keeps the order it was said in. Where recognition has too little time customers' words wait
behind agents': what the agent said meanwhile is then shown, and critical alerts are raised about it, before its turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from service.calls.hearing import Spoken
from service.calls.partials import Interim


class AgentAhead:
    """The agent's utterances that have not had their turn; of these the first can be told of early."""

    def __init__(self) -> None:
        self._agents: deque[Spoken] = deque()
        self._told: Spoken | None = None
        self._answered = asyncio.Event()

    def submitted(self, spoken: Spoken) -> None:
        """Its text is awaited from now on."""
        spoken.text.add_done_callback(lambda _: self._answered.set())
        if spoken.cut.role == "agent":
            self._agents.append(spoken)

    async def wait(self, spoken: Spoken, tell: Callable[[Interim], Awaitable[None]]) -> None:
        """Until this utterance, whose turn it is, has its text or will have none; what the agent says next is told as
        soon as it is known, once."""
        while not spoken.text.done():
            self._answered.clear()
            if (interim := self._next()) is not None:
                await tell(interim)
            else:
                await self._answered.wait()
        if self._agents and self._agents[0] is spoken:
            self._agents.popleft()

    def _next(self) -> Interim | None:
        if not self._agents or self._agents[0] is self._told:
            return None
        first = self._agents[0]
        if not first.text.done() or first.text.cancelled() or first.text.exception() is not None:
            return None
        if (recognised := first.text.result()) is None:
            return None
        self._told = first
        return Interim(role="agent", start=first.cut.start, end=first.cut.end, recognised=recognised)
