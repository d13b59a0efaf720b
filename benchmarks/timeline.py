"""How far apart two legs get in an hour: python benchmarks/timeline.py [--seconds 3600] [-o benchmarks/timeline.json]

Each leg's samples run 100 ppm off, one fast and one slow, and one packet in twenty of 20 ms is lost. For every clock
and what lines do to it: by how much sound of one moment lies apart in the call, over all moments that both legs have.
The hour is simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from asr.types import Seconds
from service.bench.report import write_report
from tests.skewed_legs import Line, apart

TOGETHER: Seconds = 0.1


def lines(seconds: Seconds) -> Mapping[str, Line]:
    """By name."""
    holds = ((0.3 * seconds, 0.3 * seconds + 60.0), (0.6 * seconds, 0.6 * seconds + 5.0))
    return {
        "timestamps": Line(clock="timestamps", seconds=seconds),
        "timestamps, overtaking within 100 ms": Line(clock="timestamps", seconds=seconds, jitter=0.1, reordered=True),
        "timestamps, bursts and holds": Line(clock="timestamps", seconds=seconds, bursts=0.25, holds=holds),
        "timestamps that count samples": Line(clock="timestamps", seconds=seconds, stamps="samples"),
        "timestamps that count samples, bursts and holds": Line(
            clock="timestamps", seconds=seconds, stamps="samples", bursts=0.25, holds=holds
        ),
        "samples": Line(clock="samples", seconds=seconds),
        "samples, bursts and holds": Line(clock="samples", seconds=seconds, bursts=0.25, holds=holds),
        "arrival": Line(clock="arrival", seconds=seconds),
        "arrival, bursts and holds": Line(clock="arrival", seconds=seconds, bursts=0.25, holds=holds),
        "arrival, nothing lost": Line(clock="arrival", seconds=seconds, loss=0.0),
    }


def figures(line: Line) -> dict[str, float]:
    """In milliseconds, and the share of the time that is further apart than TOGETHER."""
    between = np.abs(apart(line))
    p50, p99 = np.quantile(between, [0.5, 0.99])
    told = {"p50_ms": p50, "p99_ms": p99, "most_ms": between.max()}
    share = round(float(np.mean(between > TOGETHER)), 6)
    return {name: round(1000 * float(value), 1) for name, value in told.items()} | {"share_over_100_ms": share}


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    found = {name: figures(line) for name, line in lines(options.seconds).items()}
    if options.output:
        write_report(options.output, "benchmarks/timeline.py", {"seconds": options.seconds}, found)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
