"""A journal in memory; it passes the journal's contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from service.calls.followers import Followers
from service.live.messages import Levels, Partial
from service.record.facts import CallOpened, Fact
from service.record.summary import CallSummary, fold, opened
from service.storage.port import AlreadyExists, LoggedFact, NotFound


class FakeJournal:
    """Keeps what it is told, of all calls together in the order in which it came."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.levels: list[Levels] = []
        self.partials: list[Partial] = []
        self.failing = False
        self._summaries: dict[str, CallSummary] = {}
        self._followers = Followers()

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        for fact in facts:
            summary = self._summaries[call_id] = self._folded(call_id, fact)
            self.facts.append(fact)
            logged = LoggedFact(call_id=call_id, seq=summary.seq, at=at, fact=fact, summary=summary)
            self._followers.tell(call_id, logged)

    def show_levels(self, levels: Levels) -> None:
        self.levels.append(levels)

    def show_partial(self, partial: Partial) -> None:
        self.partials.append(partial)

    def follow(self, call_id: str) -> AsyncIterator[LoggedFact]:
        return self._followers.follow(call_id)

    def finished(self, call_id: str) -> None:
        self._followers.end(call_id)

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
