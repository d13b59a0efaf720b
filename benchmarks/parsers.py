"""How many messages a second each dialect's parser takes on one core: python benchmarks/parsers.py [-o REPORT]

A call of five minutes as the vendor's gateway would send it, both parties, made by the simulator and read again and
again by a new parser each time. Counted by the process's own time, so that other programs do not matter.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from asr.types import ROLES
from service.bench.report import write_report
from service.ingest.dialect import Dialect, Handshake
from service.ingest.dialects.specs import DIALECTS
from service.ingest.source import Source
from service.simulation.gateway_client import GatewayClient, Message, Packet, SimulatedCall
from service.simulation.vendors import VENDORS, Vendor

SECONDS: Final = 300
RATE: Final = 8000
AT_LEAST: Final = 1.0
"""Seconds of the process's own time that each dialect is measured for."""


def messages(client: GatewayClient, vendor: Vendor) -> list[Message]:
    """One connection's, but for its end."""
    size = vendor.packet(RATE)
    tone = (8000 * np.sin(np.arange(size) / 3)).astype(np.int16)
    sent = [*client.begin()]
    for number in range(SECONDS * RATE // size):
        packet = Packet(at=number * size / RATE, seconds=size / RATE, legs=dict.fromkeys(ROLES, tone))
        sent += client.audio(packet)
    return sent


def read(dialect: Dialect, sent: Sequence[Message]) -> None:
    for message in sent:
        if isinstance(message, str):
            dialect.text(message)
        else:
            dialect.binary(message)


def figures(name: str) -> dict[str, float]:
    """Of one dialect."""
    vendor, spec = VENDORS[name], DIALECTS[name]
    tokens = dict.fromkeys(ROLES, "6f7a3b1c5d2e4f60819a2b3c4d5e6f70")
    call = SimulatedCall(url="ws://127.0.0.1/", key="k", rate=RATE, unique="0" * 31 + "1", begun=0.0, tokens=tokens)
    client = vendor.connect(call)[0]
    opening = client.opening()
    handshake = Handshake(headers={name.lower(): value for name, value in opening.headers.items()})
    sent = messages(client, vendor)
    taken, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < AT_LEAST:
        read(spec.make(Source(name="pbx", first_track="customer"), handshake), sent)
        taken += len(sent)
    sizes = [len(message) for message in sent]
    return {"messages_a_second": round(taken / spent), "median_size": float(np.median(sizes))}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {name: figures(name) for name in VENDORS}
    if options.output:
        write_report(options.output, "benchmarks/parsers.py", {"seconds": SECONDS, "rate": RATE}, found)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
