"""Password hashes: argon2id, off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
"""Each hash takes 64 MiB and some tens of milliseconds of every core (RFC 9106, second recommended option)."""

WAITING = 32
"""Logins that may queue; beyond, the service says that it is busy instead of hashing for minutes."""


class TooManyLogins(Exception):
    """More logins at once than will be hashed in reasonable time."""


class Passwords:
    """Hashes and verifies passwords for one process."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    def hash_now(self, password: str) -> str:
        """The hash to store. Blocks for tens of milliseconds: for the command line, not for an event loop."""
        return self._hasher.hash(password)

    async def hash(self, password: str) -> str:
        """The hash to store. Raises TooManyLogins."""
        async with self._slot():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Does the password fit the stored hash? None (no such user) takes the same time and never fits.

        Raises TooManyLogins.
        """
        async with self._slot():
            return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("no one has this password")

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncGenerator[None, None]:
        if self._waiting >= WAITING:
            raise TooManyLogins
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1
