"""What runs within a block ends with it, whatever ended it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from asr.lifetime import Lifetime, serving_tasks


class Writer(Lifetime):
    """Writes what it is given once it is told to stop."""

    def __init__(self, *, broken: bool = False) -> None:
        self._stopping = asyncio.Event()
        self._broken = broken
        self.written = False

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        async with serving_tasks(self._stopping.set) as tasks:
            tasks.create_task(self._write())
            yield

    async def _write(self) -> None:
        if self._broken:
            raise OSError("no space")
        await self._stopping.wait()
        await asyncio.sleep(0)
        self.written = True


async def test_leaving_waits_for_the_tasks() -> None:
    async with Writer() as writer:
        assert not writer.written
    assert writer.written


async def test_a_failing_block_lets_the_tasks_finish_and_raises_its_own_error() -> None:
    writer = Writer()
    with pytest.raises(ValueError, match="the block's"):
        async with writer:
            raise ValueError("the block's")
    assert writer.written


async def test_a_cancelled_block_lets_the_tasks_finish_and_stays_cancelled() -> None:
    writer = Writer()

    async def block() -> None:
        async with writer:
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert writer.written


async def test_a_failing_task_cancels_the_block() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(30), Writer(broken=True):
            await asyncio.Event().wait()
    assert raised.group_contains(OSError, match="no space")
