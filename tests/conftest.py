"""Shared by every test: a blocked event loop fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

pytest_plugins = ["tests.postgres"]


@pytest.fixture(autouse=True)
def blocked_event_loop_fails() -> Iterator[BlockBuster]:
    """Raise BlockingError where our own code blocks the event loop."""
    with blockbuster_ctx(scanned_modules=["service", "asr", "detectors"]) as guard:
        yield guard
