"""Calls that ended in this process a moment ago, by the names that their gateways may announce again. Plain."""

from __future__ import annotations

from dataclasses import dataclass

from asr.types import Seconds
from service.calls.registered_call import CallKey


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedCall:
    """The id of the last call of its name, and when it ended, in seconds of any steady clock."""

    call_id: str
    at: Seconds


class EndedCalls:
    """Remembers each for `within` seconds."""

    def __init__(self, within: Seconds) -> None:
        self._within = within
        self._calls: dict[CallKey, EndedCall] = {}
        """The one that ended first comes first."""

    def add(self, name: CallKey, call_id: str, now: Seconds) -> None:
        """This call has ended."""
        self._calls.pop(name, None)
        self._calls[name] = EndedCall(call_id=call_id, at=now)
        self._forget(now)

    def of(self, name: CallKey, now: Seconds) -> EndedCall | None:
        """The last call of this name, if it ended a moment ago."""
        self._forget(now)
        return self._calls.get(name)

    def _forget(self, now: Seconds) -> None:
        while self._calls and now - next(iter(self._calls.values())).at > self._within:
            del self._calls[next(iter(self._calls))]
