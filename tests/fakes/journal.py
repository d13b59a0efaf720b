"""A journal in memory; it passes the journal's contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.calls.ports import LiveBus
from service.record.facts import CallOpened, Fact
from service.record.summary import CallSummary, fold, opened
from service.storage.port import AlreadyExists, LoggedFact, NotFound


class FakeJournal:
    """Keeps what it is told, of all calls together in the order in which it came, and publishes it on the bus."""

    def __init__(self, bus: LiveBus) -> None:
        self.facts: list[Fact] = []
        self.failing = False
        self._bus = bus
        self._summaries: dict[str, CallSummary] = {}

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        for fact in facts:
            summary = self._summaries[call_id] = self._folded(call_id, fact)
            self.facts.append(fact)
            self._bus.publish(LoggedFact(call_id=call_id, seq=summary.seq, at=at, fact=fact, summary=summary))

    def unwritten(self) -> set[str]:
        return set()

    def finished(self, call_id: str) -> None:
        self._bus.ended(call_id)

    def _folded(self, call_id: str, fact: Fact) -> CallSummary:
        """Raises as the store does."""
        before = self._summaries.get(call_id)
        if isinstance(fact, CallOpened):
            if before is not None:
                raise AlreadyExists(f"call {call_id}")
            return opened(fact.call, 1)
        if before is None:
            raise NotFound(f"call {call_id}")
        return fold(before, fact, before.seq + 1)
