"""What a thousand connections that break leave: python benchmarks/dropped_connections.py [--times 1000] [-o REPORT]

A third breaks in the handshake, a third in the middle of a message, a third in the middle of a call; fifty at a time,
against a service of its own. Told are its calls, gateways' connections, tasks, open files and memory: before, after a
tenth of them, and at the end, once its calls are over.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client import Gauge
from websockets.asyncio.client import connect

from service.bench.report import write_report
from service.bench.service_process import RunningService, service_under_test
from service.cli import app
from service.metrics import Metrics

AT_ONCE = 50
HALF_A_MESSAGE = b"\x82\xfe\x3e\x80mask" + bytes(100)
"""A masked frame of 16,000 bytes begins."""
SECOND = b"\xff" * 16_000
START = {"type": "start", "legs": [{"role": "agent"}, {"role": "customer"}], "encoding": "mulaw", "rate": 8000}
SETTLED_WITHIN = 60
TOLD = {
    "calls": "callwarden_calls_live",
    "gateway_connections": "callwarden_gateway_sockets",
    "tasks": "tasks",
    "open_files": "process_open_fds",
    "resident_mib": "process_resident_memory_bytes",
}


async def drop(service: RunningService, number: int) -> None:
    """One connection, which breaks at a place that its number chooses."""
    if number % 3 == 0:
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nAuthorization: Bearer ")
        await writer.drain()
        writer.transport.abort()
        return
    headers = {"Authorization": f"Bearer {service.key}"}
    async with connect(service.gateway, additional_headers=headers, proxy=None, open_timeout=60) as socket:
        await socket.send(json.dumps({**START, "call_id": uuid.uuid4().hex}))
        await socket.recv()
        await socket.send(SECOND)
        socket.transport.write(HALF_A_MESSAGE if number % 3 == 1 else b"")
        socket.transport.abort()


async def drop_all(service: RunningService, times: int) -> None:
    for first in range(0, times, AT_ONCE):
        await asyncio.gather(*(drop(service, number) for number in range(first, min(times, first + AT_ONCE))))


async def left(service: RunningService) -> dict[str, float]:
    """Once no call is live any more, or SETTLED_WITHIN seconds later."""
    values, waited = (await service.sample()).values, 0
    while waited < SETTLED_WITHIN and (values["callwarden_calls_live"] or values["callwarden_gateway_sockets"]):
        await asyncio.sleep(1.0)
        values, waited = (await service.sample()).values, waited + 1
    found = {name: values[metric] for name, metric in TOLD.items()}
    return {**found, "resident_mib": round(found["resident_mib"] / 2**20, 1)}


async def measured(times: int) -> dict[str, Any]:
    settings = {
        "CALLWARDEN_GRACE_SECONDS": "0",
        "CALLWARDEN_MAX_CALLS": "1000",
        "CALLWARDEN_LOG_LEVEL": "error",
    }
    async with service_under_test(settings, program=(__file__,)) as service:
        before = await left(service)
        await drop_all(service, times // 10)
        tenth = await left(service)
        await drop_all(service, times - times // 10)
        return {"before": before, "after_a_tenth": tenth, "after_all": await left(service)}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    found = asyncio.run(measured(options.times))
    if options.output:
        write_report(options.output, "benchmarks/dropped_connections.py", {"times": options.times}, found)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


class MetricsWithTasks(Metrics):
    """Of the service under test, which tells how many tasks it has, too."""

    def __init__(self) -> None:
        super().__init__()
        Gauge("tasks", "Tasks that are not done.", registry=self.registry).set_function(tasks)


def tasks() -> int:
    """Of all event loops, asked for in any thread."""
    return sum(isinstance(each, asyncio.Task) and not each.done() for each in gc.get_objects())


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        import service.app

        service.app.Metrics = MetricsWithTasks  # type: ignore[misc]
        app()
    else:
        main(sys.argv[1:])
