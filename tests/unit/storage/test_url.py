"""Database URLs: which are taken, and that no refusal holds a piece of the password."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.storage.url import parse_url


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////var/lib/c.db", "sqlite+pysqlite"),
        ("sqlite+aiosqlite:////var/lib/c.db", "sqlite+pysqlite"),
        ("sqlite:///c.db", "sqlite+pysqlite"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg"),
        ("postgres://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql://u:p%40ss%2Fw%3A@h:5433/d?ssl=require", "postgresql+asyncpg"),
        ("postgresql://u:p@[::1]:5432/d", "postgresql+asyncpg"),
        ("postgresql:///d?host=/var/run/postgresql", "postgresql+asyncpg"),
    ],
)
def test_url_is_taken_with_any_driver_and_gets_ours(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


def test_a_password_with_signs_written_as_percent_codes_is_read_back() -> None:
    assert parse_url("postgresql://u:p%40ss%2Fw%3A@h:5433/d").password == "p@ss/w:"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u:secret@h/d", "mysql is not supported"),
        ("secret://u:x@h/d", "not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite://secret/c.db", "four slashes"),
        ("sqlite:////c.db?mode=ro", "no parameters"),
        ("no url, secret", "cannot be read"),
        ("", "cannot be read"),
        ("postgresql://u:not@secret@h/d", "%40 for @"),
        ("postgresql://u:pw@secret:h@x/d", "%40 for @"),
        ("postgresql://u:pw/with@secret@h/d", "%40 for @"),
        ("postgresql://u:secret@h:port/d", "cannot be read"),
        ("postgresql://u:secret@h:99999999/d", "1 to 65535"),
        ("postgresql://u:secret@h1:1,h2:2/d", "cannot be read"),
        ("postgresql://u:secret@/d", "no host"),
        ("postgresql://u:secret@h", "no database"),
        ("postgresql://u:secret@h/d?sslmode=require", "ssl=require"),
        ("postgresql://u:secret@h/d?charset=utf8", "no parameter charset"),
    ],
)
def test_url_of_another_kind_is_refused_without_its_password(url: str, why: str) -> None:
    with pytest.raises(ValueError, match="database URL") as error:
        parse_url(url)
    assert why in str(error.value)
    assert "secret" not in str(error.value).replace("secret is not supported", "")
    assert error.value.__cause__ is None
    assert "\n" not in str(error.value)


@given(password=st.text(st.sampled_from("aé:/@?#%[]&= ,\\"), min_size=1, max_size=8))
def test_whatever_the_password_it_is_in_no_refusal(password: str) -> None:
    with suppress(ValueError):
        parse_url(f"postgresql://u:XYZ{password}QZJ@h/d")
        return
    with pytest.raises(ValueError, match="database URL") as error:
        parse_url(f"postgresql://u:XYZ{password}QZJ@h/d")
    said = str(error.value)
    assert "QZJ" not in said
    assert "XYZ" not in said
