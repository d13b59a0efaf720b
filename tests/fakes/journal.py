"""A journal that keeps what it is told in lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from service.live.messages import Levels, Partial
from service.record.facts import Fact
from service.storage.port import LoggedFact


class FakeJournal:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.levels: list[Levels] = []
        self.partials: list[Partial] = []
        self.failing = False

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        self.facts += facts

    def show_levels(self, levels: Levels) -> None:
        self.levels.append(levels)

    def show_partial(self, partial: Partial) -> None:
        self.partials.append(partial)

    def follow(self, call_id: str) -> AsyncIterator[LoggedFact]:
        raise NotImplementedError

    def finished(self, call_id: str) -> None:
        return
