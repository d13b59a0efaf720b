from __future__ import annotations

import pytest

from service.storage.database import parse_url


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////var/lib/c.db", "sqlite+pysqlite"),
        ("sqlite+aiosqlite:////var/lib/c.db", "sqlite+pysqlite"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+asyncpg"),
    ],
)
def test_url_is_taken_with_any_driver_and_gets_ours(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "no url, secret", ""])
def test_url_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="database URL") as error:
        parse_url(url)
    assert "secret" not in str(error.value)
