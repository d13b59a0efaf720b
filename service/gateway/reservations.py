"""Calls that are announced before they connect, for gateways whose connection can say nothing but a token. Plain."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from asr.types import Role, Seconds
from service.ingest.events import CallAnnounced, Irregularity
from service.storage.port import Gateway

RESERVED_FOR: Final[Seconds] = 300.0
"""How long a reservation holds. A dialplan connects in the same second, but a leg may wait for its party to answer. A
call can also be gone on with for so long after its end, so its token holds as long again after its connection is
over."""
MOST_RESERVED: Final = 10_000
"""Two legs of 5,000 calls: what a floor of 2,000 seats may dial at once. Past it the oldest is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One leg of a call, and the key that announced it. `notes`: what was odd in the announcement."""

    key: Gateway
    announced: CallAnnounced
    notes: tuple[Irregularity, ...] = ()
    until: Seconds


class Reservations:
    """The reservations, by the digest of their token. A token has 122 random bits that only the announcing side
    knows."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Reservation] = OrderedDict()
        """The waiting reservations; the first to expire comes first."""
        self._live: dict[str, Reservation] = {}
        self._connections: Counter[str] = Counter()
        self.changes = 0
        """How often anything has changed."""

    def reserve(
        self, key: Gateway, announced: CallAnnounced, now: Seconds, notes: Sequence[Irregularity] = ()
    ) -> dict[Role, str]:
        """A token for each leg of the call."""
        self.changes += 1
        tokens: dict[Role, str] = {}
        for role in announced.roles:
            tokens[role] = token = str(uuid.uuid4())
            leg = replace(announced, roles=(role,), call_roles=announced.roles)
            held = Reservation(key=key, announced=leg, notes=tuple(notes), until=now + RESERVED_FOR)
            self._waiting[digest_of(token)] = held
        while len(self._waiting) > MOST_RESERVED or self._oldest_is_over(now):
            self._waiting.popitem(last=False)
        return tokens

    def connected(self, token: str, now: Seconds) -> Reservation | None:
        """What was reserved, held until every connection that came with the token is `gone`; None where there is
        nothing, or nothing any more."""
        digest = digest_of(token)
        found = self._waiting.pop(digest, None)
        if found is not None and now < found.until:
            self._live[digest] = found
        if digest in self._live:
            self._connections[digest] += 1
            self.changes += 1
        return self._live.get(digest)

    def gone(self, token: str, now: Seconds) -> None:
        """A connection that came with the token is over: its leg may come back as long again."""
        digest = digest_of(token)
        self.changes += 1
        self._connections[digest] -= 1
        if self._connections[digest] <= 0:
            del self._connections[digest]
            self._waiting[digest] = replace(self._live.pop(digest), until=now + RESERVED_FOR)

    def held(self, now: Seconds) -> list[tuple[str, Reservation]]:
        """All reservations with the digests of their tokens, as they stand if every connection is over now."""
        live = [(digest, replace(leg, until=now + RESERVED_FOR)) for digest, leg in self._live.items()]
        return [*((digest, held) for digest, held in self._waiting.items() if now < held.until), *live]

    def restore(self, held: Iterable[tuple[str, Reservation]]) -> None:
        """Takes up what another process `held`, before anything is reserved here."""
        self._waiting.update(sorted(held, key=lambda each: each[1].until)[-MOST_RESERVED:])

    def _oldest_is_over(self, now: Seconds) -> bool:
        return bool(self._waiting) and next(iter(self._waiting.values())).until <= now


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
