"""The cost of judging one utterance: python benchmarks/judging.py [-o benchmarks/judging.json]

Each line of the corpus' test split is encoded and judged by all detectors, on one thread, as in a call; then texts of
growing length.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from asr.types import Utterance
from detectors.contract import CallContext
from detectors.runtime.registry import Registry, load
from detectors.runtime.runner import ask_about
from training.corpus.check import LINES, read, split_of

LINES_JUDGED = 1000
LENGTHS = (10, 100, 1000, 10_000)
NOON = datetime.fromisoformat("2026-01-05T12:00:00+08:00")


def timed(registry: Registry, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds that encoding takes, and that all of it takes, a text."""
    encoder = registry.encoder
    assert encoder is not None
    call = CallContext(call_id="", language="zh", jurisdiction="CN", started_at=NOON)
    detectors = [detector for _, detector in registry.open(call)]
    encoding: list[float] = []
    whole: list[float] = []
    for index, text in enumerate(texts):
        said = Utterance(
            id=str(index),
            call_id="",
            role="agent" if index % 2 else "customer",
            index=index,
            start=5.0 * index,
            end=5.0 * index + 4.0,
            text=text,
            language="zh",
            confidence=1.0,
        )
        began = time.perf_counter()
        [embedding] = encoder.encode([text])
        encoding.append(1000 * (time.perf_counter() - began))
        for detector in detectors:
            ask_about(detector, said, embedding)
        whole.append(1000 * (time.perf_counter() - began))
    return encoding, whole


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median and the 99th percentile."""
    return {"p50_ms": round(float(np.quantile(values, 0.5)), 2), "p99_ms": round(float(np.quantile(values, 0.99)), 2)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    lines = [line for _, _, line in read(sorted(LINES.glob("*.jsonl"))) if split_of(line["scenario"]) == "test"]
    registry = load()
    report: dict[str, Any] = {}
    for language in ("zh", "en"):
        texts = [line["text"] for line in lines if line["lang"] == language][:LINES_JUDGED]
        encoding, whole = timed(registry, texts)
        report[language] = {"lines": len(texts), "encoder": spread(encoding), "everything": spread(whole)}
    unit = "您看这个月的账单还差一点，方便的话我帮您登记一下，"
    for length in LENGTHS:
        _, whole = timed(registry, [(unit * (length // len(unit) + 1))[:length]] * 10)
        report[f"{length} characters"] = spread(whole)
    text = json.dumps(report, ensure_ascii=False, indent=2)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
