"""Shared by every test: a blocked event loop fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

from detectors.timezones.zones import load_zones
from models import ModelStore
from service.settings import Settings

pytest_plugins = ["tests.postgres"]

# Properties hold on slow and busy machines too: an example's time is not one of them. The examples are the same each
# time, for a change to be stopped by its own faults alone; `pytest --hypothesis-profile=exploring` draws others.
settings.register_profile("exploring", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("callwarden", settings.get_profile("exploring"), derandomize=True, database=None)
settings.load_profile("callwarden")


@pytest.fixture(scope="session", autouse=True)
def zones_are_loaded() -> None:
    """As the service does at its start, for its event loop reads no file."""
    load_zones()


@pytest.fixture(autouse=True)
def blocked_event_loop_fails() -> Iterator[BlockBuster]:
    """Raise BlockingError where our own code blocks the event loop."""
    with blockbuster_ctx(scanned_modules=["service", "asr", "detectors"]) as blockbuster:
        yield blockbuster


@pytest.fixture(scope="session")
def whisper_path() -> Path:
    """The folder of Whisper base, put together from its wheels where it is not there yet."""
    return ModelStore(Settings().models_dir).ensure("base")
