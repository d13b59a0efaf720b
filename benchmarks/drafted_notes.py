"""How well the record of a call is drafted: python benchmarks/drafted_notes.py [-o benchmarks/drafted_notes.json]

Two questions. Of each statement on the corpus' test split: is it told where it was made, and nowhere else? Of the
promises in `tests/data/promises.jsonl`, as if they were said on the day that their answers go by: are amount and day
both right?
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from asr.types import Language, Role, Utterance
from detectors.contract import CONDUCT, SAID, CallContext, Statement
from detectors.runtime.registry import Registry, load
from detectors.runtime.runner import ask_about
from training.corpus.check import LINES, read, split_of

PROMISES = Path(__file__).parents[1] / "tests" / "data" / "promises.jsonl"
DAY_OF_CALL = datetime.fromisoformat("2026-11-25T10:00:00+08:00")

Line = Mapping[str, Any]


def statements(registry: Registry, line: Line) -> list[Statement]:
    """What is told of the last of a line's turns, in a call of its own."""
    language: Language = "zh" if line["lang"] == "zh" else "en"
    call = CallContext(
        call_id="",
        language=language,
        jurisdiction="CN",
        started_at=DAY_OF_CALL,
        timezone="Asia/Shanghai",
    )
    [facts] = [detector.open(call) for detector in registry.detectors if detector.id == "facts"]
    assert registry.encoder is not None
    turns: list[tuple[Role, str]] = [*map(tuple, line["before"]), (line.get("speaker", "customer"), line["text"])]
    told: list[Statement] = []
    for index, (role, text) in enumerate(turns):
        said = Utterance(
            id=str(index),
            call_id="",
            role=role,
            index=index,
            start=float(index),
            end=index + 1.0,
            text=text,
            language=language,
            confidence=1.0,
        )
        [embedding] = registry.encoder.encode([text])
        answer = ask_about(facts, said, embedding)
        told = [each for each in answer if isinstance(each, Statement)]
    return told


def by_kind(registry: Registry, lines: Sequence[Line]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each kind's precision, recall and F1, and on how many lines that rests."""
    told = [{each.kind for each in statements(registry, line)} for line in lines]
    for kind in (*SAID, *CONDUCT):
        held = [kind in line["says"] for line in lines]
        seen = [kind in each for each in told]
        hits = sum(a and b for a, b in zip(held, seen, strict=True))
        yield kind, {"lines": sum(held), **_scores(hits, sum(seen), sum(held))}


def of_promises(registry: Registry, lines: Sequence[Line], others: Sequence[Line]) -> dict[str, Any]:
    """`promise`: whether it is told as one; `terms`: of those told, amount and day both right; `both`: all of it.
    `others`: lines without a promise, which must not be told as one."""
    told = [_promise(statements(registry, line)) for line in lines]
    pairs = zip(told, lines, strict=True)
    right = [each is not None and _terms(each) == (line["amount"], line["day"]) for each, line in pairs]
    found = sum(each is not None for each in told)
    wrong = sum(_promise(statements(registry, line)) is not None for line in others)
    return {
        "promises": len(lines),
        "other_lines": len(others),
        "promise": _scores(found, found + wrong, len(lines)),
        "terms_right": round(sum(right) / max(1, found), 3),
        "both": _scores(sum(right), found + wrong, len(lines)),
    }


def _promise(told: Sequence[Statement]) -> Statement | None:
    return next((each for each in told if each.kind == "promise"), None)


def _terms(promise: Statement) -> tuple[float | None, str | None]:
    amount = None if promise.amount is None else float(promise.amount)
    return amount, None if promise.day is None else promise.day.isoformat()


def _scores(hits: int, seen: int, held: int) -> dict[str, float]:
    precision, recall = hits / max(1, seen), hits / max(1, held)
    f1 = 2 * hits / max(1, seen + held)
    return {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    registry = load()
    looked_at = [line for _path, _number, line in read(sorted(LINES.glob("*.jsonl"))) if "says" in line]
    test = [line for line in looked_at if split_of(line["scenario"]) == "test"]
    promises: list[Line] = [json.loads(line) for line in PROMISES.read_text(encoding="utf-8").splitlines()]
    others = [line for line in test if line["speaker"] == "customer" and "promise" not in line["says"]]
    report: dict[str, Any] = {}
    for language in ("zh", "en"):
        own = [line for line in test if line["lang"] == language]
        report[language] = {
            "statements": dict(by_kind(registry, own)),
            "promises": of_promises(
                registry,
                [line for line in promises if line["lang"] == language],
                [line for line in others if line["lang"] == language],
            ),
        }
    text = json.dumps(report, ensure_ascii=False, indent=2)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
