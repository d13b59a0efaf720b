"""Measure the detectors on labelled lines: python -m detectors.evaluation FILE… [--split held] [--errors]

A line is {"id","lang","speaker","text","labels":[category,…]} with an optional "split" and "jurisdiction".
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from detectors.evaluation.batch import Batch
from detectors.runtime.registry import load


def ratio(part: int, whole: int) -> float:
    """part / whole, 1 where there is nothing to get wrong."""
    return part / whole if whole else 1.0


class Tally:
    """True and false positives and misses, a category and overall."""

    def __init__(self) -> None:
        self.hit: Counter[str] = Counter()
        self.false: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.lines = 0
        self.clean = 0
        self.alarmed = 0

    def add(self, gold: set[str], found: set[str]) -> None:
        """Count one line. `alarmed` are lines without a violation that were flagged all the same."""
        self.lines += 1
        self.hit.update(gold & found)
        self.false.update(found - gold)
        self.missed.update(gold - found)
        if not gold:
            self.clean += 1
            self.alarmed += bool(found)

    def rows(self) -> Iterable[tuple[str, int, float, float, float]]:
        """(category, gold lines, precision, recall, F1), the total last."""
        names = sorted({*self.hit, *self.false, *self.missed})
        for name in names:
            yield self._row(name, self.hit[name], self.false[name], self.missed[name])
        yield self._row("ALL", self.hit.total(), self.false.total(), self.missed.total())

    @staticmethod
    def _row(name: str, hit: int, false: int, missed: int) -> tuple[str, int, float, float, float]:
        precision, recall = ratio(hit, hit + false), ratio(hit, hit + missed)
        return name, hit + missed, precision, recall, ratio(2 * hit, 2 * hit + false + missed)


def read_lines(paths: Iterable[Path], split: str | None) -> list[dict[str, Any]]:
    """All labelled lines, of one split if asked."""
    lines = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [line for line in lines if split is None or line.get("split") == split]


def main(arguments: list[str] | None = None) -> int:
    """Print the table; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m detectors.evaluation", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--split", help="only lines whose split is this")
    parser.add_argument("--errors", action="store_true", help="show every line that was judged wrongly")
    options = parser.parse_args(arguments)
    lines, batch, tally = read_lines(options.files, options.split), Batch(load()), Tally()
    began = time.perf_counter()
    for number, line in enumerate(lines, 1):
        jurisdiction = line.get("jurisdiction", "US" if line["lang"] == "en" else "CN")
        labels = batch.utterance(json.dumps(line), jurisdiction, number)["labels"]
        gold, found = set(line["labels"]), {label["category"] for label in labels}
        tally.add(gold, found)
        if options.errors and gold != found:
            quotes = {label["category"]: label["quote"] for label in labels}
            shown = [f"missed {each}" for each in sorted(gold - found)]
            shown += [f"false {each} «{quotes[each]}»" for each in sorted(found - gold)]
            sys.stdout.write(f"{line['id']} {line['text']}\n    {'; '.join(shown)}\n")
    spent = time.perf_counter() - began
    for name, size, precision, recall, f1 in tally.rows():
        sys.stdout.write(f"{name:36} n={size:4}  P={precision:.3f}  R={recall:.3f}  F1={f1:.3f}\n")
    sys.stdout.write(f"lines {tally.lines}, without violation {tally.clean}, of these flagged {tally.alarmed}; ")
    sys.stdout.write(f"{1000 * spent / max(1, tally.lines):.2f} ms a line\n")
    return 0
