"""How well the detectors judge the corpus: python benchmarks/corpus.py [--split test] [-o benchmarks/corpus.json]

Each line is judged after the turns before it, as in a call. `macro_f1` is over the categories that occur in the split;
`found` is the share of violating lines in which one of their violations is found; `false_per_100` is how many harmless
lines of agents in 100 are flagged; `customers_flagged` must be 0.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asr.types import Language, Utterance
from detectors.contract import CallContext, CallDetector, Finding, Jurisdiction
from detectors.runtime.registry import Registry, load
from training.corpus.check import LINES, read, split_of

NOON = datetime.fromisoformat("2026-01-05T12:00:00+08:00")
OWN: dict[Language, Jurisdiction] = {"zh": "CN", "en": "US"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One language's figures. The tables by kind hold [lines, flagged]."""

    lines: int
    macro_f1: float
    found: float
    false_per_100: float
    customers_flagged: int
    violations_by_kind: dict[str, tuple[int, int]]
    harmless_by_kind: dict[str, tuple[int, int]]
    f1_by_category: dict[str, tuple[int, float]]


def judged(registry: Registry, lines: Sequence[dict[str, Any]]) -> Judged:
    """Of one language's lines."""
    hit, false, missed = Counter[str](), Counter[str](), Counter[str]()
    kinds: dict[bool, Counter[tuple[str, bool]]] = {True: Counter(), False: Counter()}
    customers = 0
    for line in lines:
        gold, seen = set(line["labels"]), flagged(registry, line)
        if line["speaker"] == "customer":
            customers += bool(seen)
            continue
        hit.update(gold & seen)
        false.update(seen - gold)
        missed.update(gold - seen)
        kinds[bool(gold)][line["kind"], bool(gold & seen if gold else seen)] += 1
    names = sorted({*hit, *missed})
    f1 = {name: 2 * hit[name] / (2 * hit[name] + false[name] + missed[name]) for name in names}
    violating, harmless = (_by_kind(kinds[violates]) for violates in (True, False))
    return Judged(
        lines=len(lines),
        macro_f1=round(sum(f1.values()) / max(1, len(f1)), 3),
        found=round(_share(violating), 3),
        false_per_100=round(100 * _share(harmless), 1),
        customers_flagged=customers,
        violations_by_kind=violating,
        harmless_by_kind=harmless,
        f1_by_category={name: (hit[name] + missed[name], round(f1[name], 2)) for name in names},
    )


def flagged(registry: Registry, line: dict[str, Any]) -> set[str]:
    """The categories found in the line itself."""
    turns = [*line["before"], [line["speaker"], line["text"]]]
    lexical = _lexical(registry, line["lang"])
    found: list[Finding] = []
    for index, (speaker, text) in enumerate(turns):
        said = Utterance(
            id=f"{speaker}-{index}",
            call_id="",
            role=speaker,
            index=index,
            start=10.0 * index,
            end=10.0 * index + 5.0,
            text=text,
            language=line["lang"],
            confidence=1.0,
        )
        found = [seen for seen in lexical.heard(said) if isinstance(seen, Finding)]
    return {finding.category for finding in found}


def _lexical(registry: Registry, language: Language) -> CallDetector:
    call = CallContext(call_id="", language=language, jurisdiction=OWN[language], started_at=NOON)
    return dict(registry.open(call))["lexical"]


def _by_kind(counted: Counter[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    names = sorted({kind for kind, _ in counted})
    return {kind: (counted[kind, True] + counted[kind, False], counted[kind, True]) for kind in names}


def _share(by_kind: dict[str, tuple[int, int]]) -> float:
    lines, flagged = (sum(each[place] for each in by_kind.values()) for place in (0, 1))
    return flagged / max(1, lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a split and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("train", "dev", "test", "all"), default="test")
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    lines = [
        line
        for _path, _number, line in read(sorted(LINES.glob("*.jsonl")))
        if options.split in ("all", split_of(line["scenario"]))
    ]
    registry = load()
    languages = sorted({line["lang"] for line in lines})
    report = {
        "split": options.split,
        "pack": asdict(registry.pack),
        **{each: asdict(judged(registry, [line for line in lines if line["lang"] == each])) for each in languages},
    }
    text = json.dumps(report, ensure_ascii=False, indent=2)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
