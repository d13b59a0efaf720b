"""How well lines are judged after they were spoken over a telephone and recognised.

    python benchmarks/spoken_lines.py pick 200 > lines.jsonl
    python samples/say.py FOLDER lines.jsonl
    python benchmarks/spoken_lines.py judge FOLDER lines.jsonl [-o benchmarks/spoken_lines.json]

`pick` takes as many agents' lines of each language from the corpus' test split, the same ones each time. `judge` lets
the service's engine recognise them as on a busy floor (greedy, a short prompt), and judges both texts: what was said
and what was recognised. The turns before a line are as they were written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from prompting import FLOORS, recognise, unseen_speech

from asr.engines.whisper.engine import WhisperEngine
from asr.types import Language
from detectors.evaluation.batch import Batch
from detectors.evaluation.measure import LabelledLine, figures, judge
from detectors.runtime.registry import Registry, load
from models import ModelStore
from service.bench.error_rates import edits_over
from service.bench.recognition import HOME
from service.settings import Settings
from training.corpus.check import LINES, read, split_of

LANGUAGES: tuple[Language, ...] = ("zh", "en")


def pick(each: int) -> None:
    """Write lines with ids to standard output."""
    for language in LANGUAGES:
        lines = [line for _, _, line in read(sorted(LINES.glob("*.jsonl"))) if _is_test(line, language)]
        for number, line in enumerate(random.Random(each).sample(lines, each)):
            sys.stdout.write(json.dumps({"id": f"{language}-{number:04}", **line}, ensure_ascii=False) + "\n")


def _is_test(line: dict[str, str], language: Language) -> bool:
    return (line["lang"], line["speaker"], split_of(line["scenario"])) == (language, "agent", "test")


def judged(registry: Registry, folder: Path, lines: Sequence[LabelledLine]) -> dict[str, object]:
    """The figures of each language, as said and as recognised, with the rate of wrong characters or words."""
    settings = Settings()
    engine = WhisperEngine(ModelStore(settings.models_dir).ensure("base"), threads=2, beam_size=settings.beam_size)
    batch, told = Batch(registry), dict[str, object]()
    for language in LANGUAGES:
        own = [line for line in lines if line.lang == language]
        biasing = registry.frames[language].biasing(HOME[language], ())
        pairs = asyncio.run(recognise(engine, unseen_speech(folder, language), language, biasing, FLOORS["busy"]))
        recognised = [line.model_copy(update={"text": text}) for line, (_, text) in zip(own, pairs, strict=True)]
        told[language] = {
            "error_percent": round(100 * (edits_over(pairs, language).rate or 0.0), 1),
            "said": asdict(figures([judge(batch, line) for line in own])[language]),
            "recognised": asdict(figures([judge(batch, line) for line in recognised])[language]),
        }
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Pick lines, or judge them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("pick").add_argument("each", type=int, help="lines of each language")
    of = steps.add_parser("judge")
    of.add_argument("folder", type=Path)
    of.add_argument("lines", type=Path)
    of.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    if options.step == "pick":
        pick(options.each)
        return 0
    lines = [LabelledLine.model_validate_json(line) for line in options.lines.read_text("utf-8").splitlines()]
    text = json.dumps(judged(load(), options.folder, lines), ensure_ascii=False, indent=2)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
