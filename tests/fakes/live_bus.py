"""A live bus that remembers what it was told; it passes the bus's contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

from service.live.followers import Followers
from service.live.messages import Levels, Partial
from service.record.facts import Call, CallClosed
from service.storage.port import LoggedFact


class FakeLiveBus:
    """Keeps everything, of all calls together in the order in which it came."""

    def __init__(self) -> None:
        self.published: list[LoggedFact] = []
        self.levels: list[Levels] = []
        self.partials: list[Partial] = []
        self.healths = 0
        """How often the service's health was shown."""
        self.begun_anew = 0
        self._followers = Followers()

    def publish(self, *logged: LoggedFact) -> None:
        self.published += logged
        for each in logged:
            self._followers.tell(each.call_id, each)

    def ended(self, call_id: str) -> None:
        self._followers.end(call_id)

    def follow(self, call_id: str) -> AsyncIterator[LoggedFact]:
        return self._followers.follow(call_id)

    def show_levels(self, levels: Levels) -> None:
        self.levels.append(levels)

    def show_partial(self, partial: Partial) -> None:
        self.partials.append(partial)

    def show_health(self) -> None:
        self.healths += 1

    def live_call(self, call_id: str) -> Call | None:
        newest = next((logged for logged in reversed(self.published) if logged.call_id == call_id), None)
        return None if newest is None or isinstance(newest.fact, CallClosed) else newest.summary.call

    def start_anew(self) -> None:
        self.begun_anew += 1
