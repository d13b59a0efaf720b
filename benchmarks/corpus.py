"""How well the detectors judge the corpus: python benchmarks/corpus.py [--split test] [-o benchmarks/corpus.json]

Each line is judged after the turns before it, as in a call, once by everything and once by the patterns alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from detectors.evaluation.batch import Batch
from detectors.evaluation.measure import LabelledLine, figures, judge
from detectors.runtime.registry import Registry, load
from training.corpus.check import LINES, read, split_of


def measured(registry: Registry, lines: Sequence[LabelledLine]) -> dict[str, Any]:
    """The figures of each language."""
    batch = Batch(registry)
    return {language: asdict(each) for language, each in figures([judge(batch, line) for line in lines]).items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a split and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("train", "dev", "test"), default="test")
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    lines = [
        LabelledLine.model_validate(line)
        for _path, _number, line in read(sorted(LINES.glob("*.jsonl")))
        if split_of(line["scenario"]) == options.split
    ]
    whole = load()
    report = {
        "split": options.split,
        "pack": asdict(whole.pack),
        "all": measured(whole, lines),
        "patterns": measured(load(encoder=None), lines),
    }
    text = json.dumps(report, ensure_ascii=False, indent=2)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
