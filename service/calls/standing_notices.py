"""What is wrong with a call's monitoring: told once when it begins, once when it is over. Plain."""

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
    """One call's troubles that last."""

    def __init__(self, on: Iterable[NoticeCode] = ()) -> None:
        """`on`: notices in force that an earlier session of the call has told."""
        self._on: set[NoticeCode] = {code for code in on if code in _OVER}

    def begin(self, code: NoticeCode, message: str, at: Seconds) -> Notice | None:
        """The trouble is there; None if that has been told."""
        if code in self._on:
            return None
        self._on.add(code)
        return Notice(code=code, message=message, at=at)

    def forget(self, code: NoticeCode) -> None:
        """Another trouble takes the place of this one, whose end is nothing to tell."""
        self._on.discard(code)

    def end(self, code: NoticeCode, at: Seconds) -> Notice | None:
        """The trouble is not there, or no longer; None if it was not there before."""
        if code not in self._on:
            return None
        self._on.discard(code)
        recovered, message = _OVER[code]
        return Notice(code=recovered, message=message, at=at)
