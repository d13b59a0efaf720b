"""Slows down password guessing. Pure: `now` (seconds, any steady clock) is an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """`free` attempts cost nothing; each further one doubles a wait from `first_wait` to `longest_wait` seconds."""

    free: int
    first_wait: float
    longest_wait: float

    def wait_after(self, failures: int) -> float:
        """How long to wait once `failures` attempts have failed in a row."""
        if failures < self.free:
            return 0.0
        return min(self.longest_wait, self.first_wait * 2.0 ** min(failures - self.free, 30))


PER_ACCOUNT = Allowance(free=5, first_wait=15.0, longest_wait=900.0)
PER_ADDRESS = Allowance(free=30, first_wait=15.0, longest_wait=900.0)
"""An office shares an address: thirty people mistype before it has to wait."""

REMEMBERED = 10_000
"""Attempt counters kept. A flood from one address makes at most PER_ADDRESS.free of them before it has to wait."""


@dataclass(slots=True)
class _Counter:
    failures: int
    last: float


class LoginThrottle:
    """Counts failed logins for each (user, address) and each address.

    An attempt counts as failed from the moment it is made until `succeeded` clears it, so that a hundred sent
    at once are not a hundred free ones. A user is never locked out from elsewhere: the address is in the key.
    """

    def __init__(
        self, account: Allowance = PER_ACCOUNT, address: Allowance = PER_ADDRESS, remembered: int = REMEMBERED
    ) -> None:
        self._account = account
        self._address = address
        self._remembered = remembered
        self._counters: OrderedDict[tuple[str, str], _Counter] = OrderedDict()

    def attempt(self, user: str, address: str, now: float) -> float:
        """0 lets the attempt through and counts it; otherwise the seconds to wait before the next one."""
        keys = ((user, address), self._account), (("", address), self._address)
        wait = max(self._wait(key, allowance, now) for key, allowance in keys)
        if wait <= 0:
            for key, _allowance in keys:
                self._count(key, now)
        return max(0.0, wait)

    def succeeded(self, user: str, address: str) -> None:
        """The password was right: this account's count at this address starts anew."""
        self._counters.pop((user, address), None)
        at_address = self._counters.get(("", address))
        if at_address is not None:
            at_address.failures = max(0, at_address.failures - 1)

    def __len__(self) -> int:
        """Counters kept now."""
        return len(self._counters)

    def _wait(self, key: tuple[str, str], allowance: Allowance, now: float) -> float:
        counter = self._counters.get(key)
        if counter is None:
            return 0.0
        if now - counter.last > 2 * allowance.longest_wait:
            del self._counters[key]
            return 0.0
        return counter.last + allowance.wait_after(counter.failures) - now

    def _count(self, key: tuple[str, str], now: float) -> None:
        counter = self._counters.setdefault(key, _Counter(0, now))
        counter.failures += 1
        counter.last = now
        self._counters.move_to_end(key)
        while len(self._counters) > self._remembered:
            self._counters.popitem(last=False)
