"""How long the store waits for what its database waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asr.types import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePatience:
    """`busy`: for another process's lock on a SQLite file. The only other writers are short commands (`callwarden keys
    create`); one that holds the lock for longer is trouble that the supervisors should hear of.

    `settled`: a file that takes the place of the open one may still be being copied. It is opened once it has been left
    alone for so long.

    `connect` and `statement`: a PostgreSQL server that has gone silent must become an error, or the calls would wait
    with it.
    """

    busy: Seconds = 2.0
    settled: Seconds = 5.0
    connect: Seconds = 5.0
    statement: Seconds = 10.0


PATIENCE: Final = StorePatience()
