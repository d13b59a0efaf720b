"""Parts that run tasks of their own, as async context managers."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Self


class Lifetime(ABC):
    """A part that runs within the block that uses it as an async context manager. `running` says once what that
    means."""

    @abstractmethod
    def running(self) -> AbstractAsyncContextManager[object]:
        """What holds from the beginning of the block to its end."""

    async def __aenter__(self) -> Self:
        self._running = self.running()
        await self._running.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._running.__aexit__(kind, error, trace)


@asynccontextmanager
async def serving_tasks(stop: Callable[[], None]) -> AsyncGenerator[asyncio.TaskGroup, None]:
    """Tasks that serve a block. However the block ends, `stop` tells them to end, and they are awaited.

    They finish their work also where the block fails, and its error comes out as it is, not in a group. The error of a
    task cancels the block and comes out in an ExceptionGroup.
    """
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        try:
            yield tasks
        except BaseException as error:
            failure = error
        finally:
            stop()
    if failure is not None:
        raise failure
