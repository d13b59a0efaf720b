"""Password hashes."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher

from service.access.passwords import WAITING, Passwords, TooManyLogins


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def test_the_right_password_fits_and_no_other(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct hors")
    assert not await passwords.verify(stored, "")


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "no one has this password")


async def test_a_mangled_hash_fits_nothing(passwords: Passwords) -> None:
    assert not await passwords.verify("not a hash", "anything")


async def test_an_unknown_user_costs_a_hash_like_anyone_else() -> None:
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            self.verified += 1
            return super().verify(hash, password)

    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    await Passwords(hasher).verify(None, "x")
    assert hasher.verified == 1


async def test_more_logins_than_can_wait_are_turned_away(passwords: Passwords) -> None:
    tries = [asyncio.ensure_future(passwords.hash("x")) for _ in range(WAITING + 5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in results].count(TooManyLogins) == 5
    assert await passwords.hash("x")


def test_the_command_line_makes_the_same_hashes() -> None:
    assert PasswordHasher().verify(Passwords().hash_now("correct horse"), "correct horse")
