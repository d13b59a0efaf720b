"""What drivers raise, in the port's words."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import exc

from service.storage.port import AlreadyExists, StorageUnavailable, Unstorable

_PASSING_STATES = ("08", "25", "40", "53", "55", "57", "58")
"""PostgreSQL's SQLSTATE classes of trouble that passes: connection, read-only standby, rollback (deadlock),
insufficient resources (disk full), lock not available, operator intervention (shutdown, timeout), system error (IO)."""

_UNFIT_STATES = ("22", "54")
"""Data exception and program limit exceeded: the value is at fault, and trying again will not help."""


@contextmanager
def port_errors(doing: str) -> Generator[None]:
    """Run a piece of database work; `doing` says which, for the message. What is a bug stays what it is."""
    try:
        yield
    except exc.IntegrityError as error:
        raise AlreadyExists(f"{doing}: it is there already") from error
    except exc.DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if isinstance(error, exc.OperationalError) or error.connection_invalidated or state[:2] in _PASSING_STATES:
            raise _unavailable(doing, error.orig or error) from error
        if isinstance(error, exc.InterfaceError):
            raise _unavailable(doing, error.orig or error) from error
        if isinstance(error, exc.DataError) or state[:2] in _UNFIT_STATES:
            raise Unstorable(f"{doing}: the database refuses a value: {type(error.orig).__name__}") from error
        raise
    except exc.StatementError as error:  # a value no column type takes, such as a time without an offset
        raise Unstorable(f"{doing}: {error.orig}") from error
    except (TimeoutError, exc.TimeoutError, OSError) as error:
        raise _unavailable(doing, error) from error


def _unavailable(doing: str, cause: BaseException) -> StorageUnavailable:
    return StorageUnavailable(f"{doing}: the database does not answer as it should, try again later: {cause}")
