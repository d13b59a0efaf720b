"""The lasting faults in a call's monitoring. Each is told once when it begins, and once when it ends. Plain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from asr.types import Seconds
from service.record.facts import Notice, NoticeCode

_OVER: Mapping[NoticeCode, tuple[NoticeCode, str]] = MappingProxyType(
    {
        "recognition_failing": ("recognition_recovered", "Speech is recognised again."),
        "recording_failing": ("recording_recovered", "The recording goes on."),
        "recording_paused": ("recording_recovered", "The recording goes on."),
        "storage_failing": ("storage_recovered", "Everything kept has been stored."),
        "channels_equal": ("channels_recovered", "The channels carry different sound again; words are judged again."),
    }
)


class StandingNotices:
    """The lasting faults of one call."""

    def __init__(self, on: Iterable[NoticeCode] = ()) -> None:
        """`on`: the notices that stand and were told by an earlier session of the call."""
        self._on: set[NoticeCode] = {code for code in on if code in _OVER}

    def begin(self, code: NoticeCode, message: str, at: Seconds) -> Notice | None:
        """The fault is there. Returns its notice; None if it was told before."""
        if code in self._on:
            return None
        self._on.add(code)
        return Notice(code=code, message=message, at=at)

    def forget(self, code: NoticeCode) -> None:
        """Another fault takes the place of this one, whose end is not told."""
        self._on.discard(code)

    def end(self, code: NoticeCode, at: Seconds) -> Notice | None:
        """The fault is gone, or was never there. Returns the notice of its end; None if it was not there before."""
        if code not in self._on:
            return None
        self._on.discard(code)
        recovered, message = _OVER[code]
        return Notice(code=recovered, message=message, at=at)
