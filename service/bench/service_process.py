"""The service under test: a process of its own, with a store of its own, watched through `/metrics`."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from asr.types import Seconds
from service.access.keys import new_key
from service.ingest.source import Source
from service.settings import Settings
from service.storage.sql import SqlStore

READY_WITHIN: Seconds = 60.0
STOPPED_WITHIN: Seconds = 60.0


class ServiceUnusable(Exception):
    """The service did not come up, or broke down: the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What `/metrics` told: single values by name, and histograms as cumulative counts by upper bound."""

    values: Mapping[str, float]
    histograms: Mapping[str, Mapping[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningService:
    """A running service: its address, and a key that may stream and see events."""

    port: int
    key: str

    @property
    def gateway(self) -> str:
        """The address that calls are played to."""
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    async def sample(self) -> Sample:
        """Its metrics now. Raises ServiceUnusable."""
        try:
            return parsed(await asyncio.to_thread(self._get, "/metrics"))
        except OSError as cause:
            raise ServiceUnusable(f"the service under test does not answer: {cause}") from cause

    def _get(self, path: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Authorization", f"Bearer {self.key}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return str(answer.read().decode())

    async def wait_until_ready(self, process: asyncio.subprocess.Process, log: Path) -> None:
        """Raises ServiceUnusable."""
        for _ in range(round(READY_WITHIN / 0.2)):
            if process.returncode is not None:
                raise ServiceUnusable(f"the service under test ended with {process.returncode}:\n{_tail(log)}")
            try:
                await asyncio.to_thread(self._get, "/readyz")
                return
            except urllib.error.HTTPError as refusal:
                raise ServiceUnusable(f"the service under test is not ready: {refusal.read().decode()}") from refusal
            except OSError:
                await asyncio.sleep(0.2)
        raise ServiceUnusable(f"the service under test is not up after {READY_WITHIN:.0f} s:\n{_tail(log)}")


def parsed(text: str) -> Sample:
    """Prometheus text."""
    values: dict[str, float] = {}
    histograms: dict[str, dict[float, float]] = {}
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            if "le" in labels:
                histograms.setdefault(family.name, {})[float(labels["le"])] = value
            else:
                values[name] = values.get(name, 0.0) + value
    return Sample(values=values, histograms=histograms)


@asynccontextmanager
async def service_under_test(
    settings: Mapping[str, str], program: Sequence[str] = ("-m", "service.cli")
) -> AsyncGenerator[RunningService, None]:
    """A service on a free port of this machine, with these `CALLWARDEN_…` settings beside the environment's. `program`:
    what of Python runs as the `callwarden` command. Leaving stops it and removes what it stored. Raises
    ServiceUnusable."""
    with tempfile.TemporaryDirectory(prefix="callwarden-bench-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        data.mkdir()
        running = RunningService(port=_free_port(), key=await _key(data))
        environment = {**os.environ, "CALLWARDEN_DATABASE_URL": "", "CALLWARDEN_LOG_LEVEL": "warning", **settings}
        command = [*program, "serve", "--port", str(running.port), "--data-dir", str(data)]
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, env=environment, stdout=sink, stderr=sink
            )
        try:
            await running.wait_until_ready(process, log)
            yield running
        finally:
            await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOPPED_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _key(data: Path) -> str:
    async with SqlStore(Settings(data_dir=data, database_url="").store_url) as store:
        key, plaintext = new_key(Source(name="bench"), ["stream", "events", "metrics"])
        await store.add_key(key)
        return plaintext


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
