"""Calls that were told of before they connect, for gateways whose connection can say nothing but a token. Plain."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from asr.types import Role, Seconds
from service.ingest.events import CallAnnounced
from service.storage.port import Gateway

RESERVED_FOR: Final[Seconds] = 300.0
"""A dialplan connects in the same second. A leg may wait for its party to answer."""
MOST_RESERVED: Final = 10_000
"""Two legs of 5,000 calls: what a floor of 2,000 seats may dial at once. Past it the oldest is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One leg of a call, and the key that told of it."""

    key: Gateway
    announced: CallAnnounced
    until: Seconds


class Reservations:
    """By token: 122 random bits that only whoever told of the call knows."""

    def __init__(self) -> None:
        self._by_token: OrderedDict[str, Reservation] = OrderedDict()

    def reserve(self, key: Gateway, announced: CallAnnounced, now: Seconds) -> dict[Role, str]:
        """A token for each leg of the call."""
        tokens: dict[Role, str] = {}
        for role in announced.roles:
            tokens[role] = token = str(uuid.uuid4())
            self._by_token[token] = Reservation(key=key, announced=_leg(announced, role), until=now + RESERVED_FOR)
        while len(self._by_token) > MOST_RESERVED or self._oldest_is_over(now):
            self._by_token.popitem(last=False)
        return tokens

    def find(self, token: str, now: Seconds) -> Reservation | None:
        """What was reserved; a connection that broke may come back with its token while that holds."""
        found = self._by_token.get(token)
        return found if found is not None and now < found.until else None

    def _oldest_is_over(self, now: Seconds) -> bool:
        return bool(self._by_token) and next(iter(self._by_token.values())).until <= now


def _leg(announced: CallAnnounced, role: Role) -> CallAnnounced:
    return replace(announced, roles=(role,), call_roles=announced.roles)
