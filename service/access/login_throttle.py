"""Slows down password guessing. Pure: `now` (seconds, any steady clock) is an argument.

Four counters of failed attempts: of an account at an address, of an address, of an account wherever it is tried from,
and of an account on a device that has logged in to it before. A failure fades with time, each further one makes the
next attempt wait for longer, and nobody is ever locked out: the wait has an upper limit.

Whoever guesses from many addresses makes an account wait - for those who were never there. A device that has logged in
(its cookie says so) has a counter of its own and no other; an address from which the account was entered before
does not ask the account's counter. So a guesser keeps nobody away who was in before, also where all users share one
address.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal, TypeAlias

from service.access.networks import read_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """`free` failures cost nothing; each further one doubles a wait from `first_wait` to `longest_wait` seconds. One
    failure is forgotten every `fade` seconds. In the long run that allows a guess every max(longest_wait, fade)."""

    free: int
    first_wait: float
    longest_wait: float
    fade: float

    def wait_after(self, failures: float) -> float:
        """How long to wait once `failures` attempts have failed and are not forgotten."""
        beyond = round(failures) - self.free  # five within a minute are five, though the first has begun to fade
        return min(self.longest_wait, self.first_wait * 2.0 ** min(beyond, 30)) if beyond >= 0 else 0.0


PER_ACCOUNT = Allowance(free=5, first_wait=15.0, longest_wait=900.0, fade=1800.0)
"""The allowance of an account at one address, or on one device: 4 guesses an hour, some ten at the beginning."""
PER_ADDRESS = Allowance(free=60, first_wait=5.0, longest_wait=60.0, fade=60.0)
"""The allowance of an address, over all accounts: 60 guesses an hour, and as many at the beginning. An office shares an
address. Sixty people may mistype within one hour before it has to wait, and then for a minute."""
EVERYWHERE = Allowance(free=20, first_wait=15.0, longest_wait=300.0, fade=600.0)
"""The allowance of an account, over all addresses from which it was never entered: 12 guesses an hour, whatever the
number of addresses."""

REMEMBERED = 10_000
"""Attempt counters kept, and known addresses: the ones touched least recently go first."""

Key: TypeAlias = tuple[Literal["pair", "address", "account", "device"], str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who tries to log in as `user`, and from where. `device` names a device that has logged in as that user before."""

    user: str
    address: str
    device: str = ""


@dataclass(slots=True)
class _Counter:
    failures: float
    last: float


class LoginThrottle:
    """Counts failed logins.

    An attempt counts as failed from the moment it is made until `succeeded` or `withdrawn` takes it back, so that a
    hundred sent at once are not a hundred free ones.
    """

    def __init__(
        self,
        account: Allowance = PER_ACCOUNT,
        address: Allowance = PER_ADDRESS,
        everywhere: Allowance = EVERYWHERE,
        remembered: int = REMEMBERED,
    ) -> None:
        self._allowances = {"pair": account, "device": account, "address": address, "account": everywhere}
        self._remembered = remembered
        self._counters: OrderedDict[Key, _Counter] = OrderedDict()
        self._entered_from: OrderedDict[tuple[str, str], None] = OrderedDict()

    def attempt(self, attempt: Attempt, now: float) -> float:
        """0 lets the attempt through and counts it; otherwise the seconds to wait before the next one."""
        keys = tuple(self._keys(attempt))
        wait = max(self._wait(key, now) for key in keys)
        if wait <= 0:
            for key in keys:
                self._count(key, now)
        return max(0.0, wait)

    def succeeded(self, attempt: Attempt) -> None:
        """The password was right: the attempt was no failure, and this account's failures on this device, or from this
        address without one, are forgotten."""
        self.withdrawn(attempt)
        network = network_of(attempt.address)
        own: Key = ("device", attempt.user, attempt.device) if attempt.device else ("pair", attempt.user, network)
        self._counters.pop(own, None)
        self._entered_from[attempt.user, network] = None
        self._entered_from.move_to_end((attempt.user, network))
        _trim(self._entered_from, self._remembered)

    def withdrawn(self, attempt: Attempt) -> None:
        """The password was never looked at: the attempt was no failure."""
        for key in self._keys(attempt):
            counter = self._counters.get(key)
            if counter is not None:
                counter.failures = max(0.0, counter.failures - 1.0)

    def __len__(self) -> int:
        """Counters kept now."""
        return len(self._counters)

    def _keys(self, attempt: Attempt) -> Iterator[Key]:
        if attempt.device:
            yield "device", attempt.user, attempt.device
            return
        network = network_of(attempt.address)
        yield "pair", attempt.user, network
        yield "address", "", network
        if (attempt.user, network) not in self._entered_from:
            yield "account", attempt.user, ""

    def _wait(self, key: Key, now: float) -> float:
        counter = self._counters.get(key)
        if counter is None:
            return 0.0
        allowance = self._allowances[key[0]]
        return counter.last + allowance.wait_after(counter.failures) - now

    def _count(self, key: Key, now: float) -> None:
        counter = self._counters.setdefault(key, _Counter(0.0, now))
        faded = (now - counter.last) / self._allowances[key[0]].fade
        counter.failures = max(0.0, counter.failures - faded) + 1.0
        counter.last = now
        self._counters.move_to_end(key)
        _trim(self._counters, self._remembered)


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the network of 64 bits, all of which one subscriber has; an IPv4 address also
    where it is written as IPv6. Text that is no address stands for itself, cut short."""
    try:
        parsed = read_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"


def _trim(kept: OrderedDict[Key, _Counter] | OrderedDict[tuple[str, str], None], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
