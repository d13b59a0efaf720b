"""A call's log as it will stand: what is stored, and behind it what is kept until the store takes it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from service.record.facts import CallOpened, Fact
from service.record.summary import fold, opened
from service.storage.port import LoggedFact

Kept: TypeAlias = tuple[Fact, datetime]
"""A fact as the store would give it back, and when it was written."""


def whole_log(call_id: str, stored: Sequence[LoggedFact], kept: Sequence[Kept]) -> list[LoggedFact]:
    """`kept` may begin with what is stored by now, or was by a try whose answer was lost. Where it begins with the
    call's opening it is all there is."""
    log = list(stored)
    for fact, at in kept[_stored_of(kept, stored) :]:
        log.append(_next(call_id, log, fact, at))
    return log


def opens(kept: Sequence[Kept]) -> bool:
    """Whether nothing of the call lies before this."""
    return bool(kept) and isinstance(kept[0][0], CallOpened)


def _stored_of(kept: Sequence[Kept], stored: Sequence[LoggedFact]) -> int:
    """How many of the first of these are the last that are stored."""
    last = [(logged.fact, logged.at) for logged in stored[-len(kept) :]] if kept else []
    return next((count for count in range(len(last), 0, -1) if list(kept[:count]) == last[-count:]), 0)


def _next(call_id: str, log: Sequence[LoggedFact], fact: Fact, at: datetime) -> LoggedFact:
    seq = log[-1].seq + 1 if log else 1
    summary = opened(fact.call, seq) if isinstance(fact, CallOpened) else fold(log[-1].summary, fact, seq)
    return LoggedFact(call_id=call_id, seq=seq, at=at, fact=fact, summary=summary)
