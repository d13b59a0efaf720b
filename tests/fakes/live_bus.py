"""A live bus that remembers what it was told; it passes the bus's contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from service.live.followers import Followers
from service.live.messages import Levels, Partial
from service.record.facts import Call, CallClosed
from service.storage.port import LoggedFact


@dataclass
class FakeLiveBus:
    """Keeps everything, of all calls together in the order in which it came. `healths`: how often the service's health
    was shown."""

    published: list[LoggedFact] = field(default_factory=list)
    levels: list[Levels] = field(default_factory=list)
    partials: list[Partial] = field(default_factory=list)
    healths: int = 0
    begun_anew: int = 0
    followers: Followers[LoggedFact] = field(default_factory=Followers[LoggedFact])
    interim: Followers[Partial] = field(default_factory=Followers[Partial])

    def publish(self, *logged: LoggedFact) -> None:
        self.published += logged
        for each in logged:
            self.followers.tell(each.call_id, each)

    def ended(self, call_id: str) -> None:
        self.followers.end(call_id)
        self.interim.end(call_id)

    def follow(self, call_id: str) -> AsyncIterator[LoggedFact]:
        return self.followers.follow(call_id)

    def follow_partials(self, call_id: str) -> AsyncIterator[Partial]:
        return self.interim.follow(call_id)

    def show_levels(self, levels: Levels) -> None:
        self.levels.append(levels)

    def show_partial(self, partial: Partial) -> None:
        self.partials.append(partial)
        self.interim.tell(partial.call_id, partial)

    def show_health(self) -> None:
        self.healths += 1

    def live_call(self, call_id: str) -> Call | None:
        newest = next((logged for logged in reversed(self.published) if logged.call_id == call_id), None)
        return None if newest is None or isinstance(newest.fact, CallClosed) else newest.summary.call

    def start_anew(self) -> None:
        self.begun_anew += 1
