"""Database URLs: what they must look like, said without a piece of the password. Plain."""

from __future__ import annotations

import importlib
import inspect
import re
from functools import cache

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_HOST = re.compile(r"[\w.:-]+")
_FORMS = "write sqlite:////path/callwarden.db or postgresql://user:password@host:port/name"


def parse_url(url: str) -> URL:
    """The URL with our driver filled in. ValueError names what is wrong, never the password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number, which may be a password's end
        raise ValueError(f"database URL: cannot be read; {_FORMS}, with %40 for @, %3A for : and %2F for /") from None
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise ValueError(f"database URL: {_named(backend)} is not supported; {_FORMS}")
    problem = _sqlite_problem(parsed) if backend == "sqlite" else _postgres_problem(parsed)
    if problem:
        raise ValueError(f"database URL: {problem}")
    return parsed.set(drivername=_DRIVERS[backend])


def _named(backend: str) -> str:
    return backend if backend.isalnum() else "this kind of database"


def _sqlite_problem(url: URL) -> str:
    if url.database in (None, "", ":memory:"):
        return "SQLite needs a file: sqlite:////path/to/callwarden.db"
    if url.host or url.username:
        return "SQLite has no host; an absolute path has four slashes: sqlite:////path/to/callwarden.db"
    if url.query:
        return "SQLite takes no parameters behind the file"
    return ""


def _postgres_problem(url: URL) -> str:
    if url.host is not None and not _HOST.fullmatch(url.host):
        return "the host is none; in a user name or password write %40 for @, %3A for : and %2F for /"
    if not url.host and "host" not in url.query:
        return f"no host is given; {_FORMS}"
    if not url.database:
        return f"no database is named behind the host; {_FORMS}"
    if url.port is not None and not 0 < url.port < 65536:
        return "the port must be 1 to 65535"
    if {"sslmode", "sslrootcert", "sslcert", "sslkey"} & url.query.keys():
        return "the driver (asyncpg) takes TLS as ssl=require or ssl=verify-full, not as sslmode"
    if (known := _parameters()) is None:
        return "its driver is not here: pip install asyncpg"
    if unknown := url.query.keys() - known:
        return f"the driver (asyncpg) takes no parameter {', '.join(sorted(unknown))}"
    return ""


@cache
def _parameters() -> frozenset[str] | None:
    """What the PostgreSQL driver may be told in a URL; None where there is no driver."""
    try:
        driver = importlib.import_module("asyncpg")
    except ImportError:
        return None
    return frozenset(inspect.signature(driver.connect).parameters) | {"prepared_statement_cache_size"}
