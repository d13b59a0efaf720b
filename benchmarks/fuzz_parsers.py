"""Throws broken messages at every dialect's parser: python benchmarks/fuzz_parsers.py [--inputs 1000000] [-o REPORT]

Inputs are the messages that the dialect's page shows and those of its simulated gateway, cut, joined, with pieces
repeated, exchanged for odd values or for chance, in any order, between passing time and what the service has to say.
Nine connections in ten begin as they should; AudioHook's messages are numbered as they should be, unless broken there.
A dialect may answer with events, replies or a ProtocolViolation. Anything else is told with the inputs that led to it,
and the command leaves with 1. So it does where the process grows by more than MOST_GROWTH in the second half.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import re
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from asr.types import ROLES
from service.bench.report import write_report
from service.ingest.dialect import CallProcessed, CallTaken, ConnectionRefused, Dialect, Handshake
from service.ingest.dialects.specs import DIALECTS
from service.ingest.events import ProtocolViolation
from service.ingest.source import Source
from service.simulation.gateway_client import Message, Packet, SimulatedCall
from service.simulation.vendors import VENDORS

PAGES: Final = Path(__file__).parents[1] / "docs" / "gateways"
SESSION: Final = 100
"""Inputs to one connection, unless it ends before."""
MOST_GROWTH: Final = 16.0
"""MiB."""
ODD: Final = ["null", "-1", '""', "{}", "[]", "1e999", "9" * 400, "true", '"\\ud800"', "\x00", "0.5", '"' * 3, "NaN"]
NEWS: Final = [
    CallTaken(call_id="c-1", resumed=False),
    CallProcessed(),
    ConnectionRefused(violation=ProtocolViolation("start", "too many calls are live", 1013, 10.0)),
]


@dataclass(slots=True, kw_only=True)
class Known:
    """What a dialect's gateway says: how its connection begins, and all messages there are examples of."""

    headers: dict[str, str] = field(default_factory=dict[str, str])
    opening: list[Message] = field(default_factory=list[Message])
    messages: list[Message] = field(default_factory=list[Message])


def known(name: str) -> Known:
    """By the dialect's page, and its simulated gateway; on the address of five vendors Twilio's stands for all."""
    page = PAGES / f"{name}.md"
    text = page.read_text("utf-8") if page.exists() else ""
    shown: list[Message] = [*re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)]
    vendor = VENDORS.get("twilio" if name == "media-streams" else name)
    if vendor is None:
        return Known(opening=shown[:1], messages=[*shown, bytes(320)])
    tokens = dict.fromkeys(ROLES, "6f7a3b1c5d2e4f60819a2b3c4d5e6f70")
    call = SimulatedCall(url="ws://x/", key="k", rate=8000, unique="0" * 31 + "1", begun=0.0, tokens=tokens)
    client = vendor.connect(call)[0]
    opening = client.begin()
    pcm = np.arange(vendor.packet(8000), dtype=np.int16)
    packets = [Packet(at=0.02 * n, seconds=0.02, legs=dict.fromkeys(ROLES, pcm)) for n in range(3)]
    sent = [*opening, *(message for packet in packets for message in client.audio(packet)), *client.end()]
    headers = {name.lower(): value for name, value in client.opening().headers.items()}
    return Known(headers=headers, opening=opening, messages=shown + sent)


class Fuzz:
    """One dialect's inputs."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._name = name
        self._chance = chance
        self._known = known(name)
        self.violations = 0

    def session(self, most: int) -> int:
        """Up to so many inputs to a new connection; how many there were. Raises what it should not."""
        handshake = Handshake(headers=self._known.headers)
        dialect = DIALECTS[self._name].make(Source(name="pbx", first_track="customer"), handshake)
        given: list[object] = []
        opening = self._known.opening if self._chance.random() < 0.9 else []
        try:
            for number in range(min(most, SESSION)):
                given.append(opening[number] if number < len(opening) else self._numbered(self._input(), number + 1))
                self._answered(dialect, given[-1])
            dialect.held()
            dialect.closed()
        except ProtocolViolation as violation:
            self.violations += 1
            dialect.tell(ConnectionRefused(violation=violation))
        except Exception:
            sys.stderr.write(f"{self._name}: {given!r}\n")
            raise
        return len(given)

    def _answered(self, dialect: Dialect, given: object) -> None:
        if isinstance(given, str):
            dialect.text(given)
        elif isinstance(given, bytes):
            dialect.binary(given)
        elif given is not None:
            dialect.tell(given)  # type: ignore[arg-type]
        elif (due := dialect.deadline()) is not None:
            dialect.tick(due)

    def _numbered(self, given: object, number: int) -> object:
        if self._name != "audiohook" or not isinstance(given, str):
            return given
        return re.sub(r'"seq": *\d+', f'"seq": {number}', re.sub(r'"serverseq": *\d+', '"serverseq": 0', given))

    def _input(self) -> object:
        kind = self._chance.random()
        if kind < 0.02:
            return None
        if kind < 0.03:
            return self._chance.choice(NEWS)
        message = self._chance.choice(self._known.messages)
        return message if kind < 0.3 else self._broken(message)

    def _broken(self, message: Message) -> Message:
        if isinstance(message, bytes):
            return self._changed_bytes(message)
        for _ in range(self._chance.randint(1, 3)):
            message = self._changed(message)
        return message

    def _changed(self, text: str) -> str:
        first, last = sorted(self._chance.randrange(len(text) + 1) for _ in range(2))
        values = [each.span() for each in re.finditer(r'(?<=:)\s*("[^"]*"|[^,{}\[\]"]+)', text)]
        match self._chance.randrange(6):
            case 0:
                return text[:first]
            case 1:
                return text[:first] + text[last:]
            case 2:
                return text[:first] + self._chance.choice(ODD) + text[first + 1 :]
            case 3 if values:
                begin, end = self._chance.choice(values)
                return text[:begin] + self._chance.choice(ODD) + text[end:]
            case 4:
                other = self._chance.choice(self._known.messages)
                return text[:first] + (other if isinstance(other, str) else repr(other))[first:last]
            case _:
                piece = "".join(chr(self._chance.randrange(0x500)) for _ in range(4))
                return text[:first] + piece + text[first:]

    def _changed_bytes(self, message: bytes) -> bytes:
        cut = self._chance.randrange(len(message) + 1)
        piece = self._chance.randbytes(self._chance.randrange(8))
        return message[:cut] + piece + message[cut + self._chance.randrange(3) :]


def resident_mib() -> float:
    """Now where the system tells it, else the most so far."""
    gc.collect()
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def fuzzed(inputs: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    dialects = {name: Fuzz(name, chance) for name in DIALECTS}
    each, took, given = inputs // len(dialects) + 1, time.monotonic(), dict.fromkeys(dialects, 0)
    memory: list[float] = []
    for tenth in range(1, 11):
        for name, fuzz in dialects.items():
            while given[name] < each * tenth // 10:
                given[name] += fuzz.session(each * tenth // 10 - given[name])
        memory.append(round(resident_mib(), 1))
    return {
        "inputs": sum(given.values()),
        "by_dialect": given,
        "violations": {name: fuzz.violations for name, fuzz in dialects.items()},
        "other_exceptions": 0,
        "resident_mib_by_tenths": memory,
        "seconds": round(time.monotonic() - took),
    }


def main(arguments: Sequence[str]) -> int:
    """Fuzz, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    found = fuzzed(options.inputs, options.seed)
    if options.output:
        write_report(options.output, "benchmarks/fuzz_parsers.py", {"seed": options.seed}, found)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    memory = found["resident_mib_by_tenths"]
    return int(memory[-1] - memory[4] > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
