from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.storage.sql import SqlStore


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    yield store
    await store.close()
