"""Checks the corpus line by line, and counts what is in it. Needs nothing but Python.

python training/corpus/check.py [FILE…]
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

LINES = Path(__file__).parent / "lines"

LABELS = frozenset(
    {
        *("threat_violence", "threat_intimidation", "abuse_insult", "profanity_obscene", "impersonation_authority"),
        *("impersonation_legal_professional", "false_legal_threat", "fabricated_legal_status"),
        *("debt_misrepresentation", "fictitious_blacklist_credit", "false_promise", "induce_new_borrowing"),
        *("third_party_disclosure", "collect_from_third_party", "threat_exposure_contacts"),
        *("third_party_contact_after_refusal", "prohibited_time_contact", "excessive_frequency"),
        *("cease_request_ignored", "unauthorized_fee_or_channel", "private_channel_contact"),
        *("privacy_overcollection", "disclosure_before_verification", "refuse_identity_or_authority"),
        *("obstruct_complaint", "dispute_ignored", "pressure_harassment", "vulnerability_mishandling"),
        "agent_emotion_escalation",
    }
)
"""The taxonomy's categories that somebody can say; the others are told by what was not said."""
STANCES = frozenset({"asserts", "denies", "quotes", "asks", "warns_against", "offers_help", "none"})
VIOLATING = frozenset({"direct", "indirect", "polite", "ironic", "fragment", "dialect", "long"})
HARMLESS = frozenset({"denial", "quotation", "warning", "lawful", "same_words", "work", "customer"})
SENTIMENTS = frozenset({"negative", "neutral", "positive"})
EMOTIONS = frozenset({"anger", "fear", "sadness", "frustration", "neutral", "relief", "joy"})
SPEAKERS = frozenset({"agent", "customer"})
SAYS = {
    "customer": frozenset(
        {
            *("promise", "refusal", "hardship", "dispute", "complaint", "callback", "stop", "wrong_number"),
            *("third_party", "vulnerable", "asks_identity", "confirms_identity"),
        }
    ),
    "agent": frozenset(
        {
            *("greeting", "gives_identity", "recording_notice", "verifies", "purpose", "empathy", "listening"),
            *("options", "official_channel", "complaint_channel", "respects", "escalates", "confirms_promise"),
            "thanks",
        }
    ),
}
"""What belongs into the record of a call, by who says it. Not every line was looked through for it."""
FIELDS = frozenset(
    {"scenario", "lang", "speaker", "before", "text", "labels", "stance", "kind", "sentiment", "emotion"}
)
ALLOWED = {
    "lang": frozenset({"zh", "en"}),
    "speaker": SPEAKERS,
    "stance": STANCES,
    "sentiment": SENTIMENTS,
    "emotion": EMOTIONS,
}
LONGEST = 300


def split_of(scenario: str) -> str:
    """train, dev or test: by the scenario's name alone."""
    place = int(hashlib.sha256(scenario.encode()).hexdigest(), 16) % 100
    return "train" if place < 70 else "dev" if place < 85 else "test"


def problems(line: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a line; nothing where it is as the README says."""
    if wrong := FIELDS.symmetric_difference(line) - {"says"}:
        yield f"fields: {sorted(wrong)} missing or too many"
        return
    yield from (f"{field}: {line[field]!r}" for field, allowed in ALLOWED.items() if line[field] not in allowed)
    yield from _problems_of_labels(line)
    if other := set(line.get("says", ())) - SAYS.get(line["speaker"], frozenset()):
        yield f"says: {sorted(other)}"
    if not line["text"].strip() or len(line["text"]) > LONGEST:
        yield f"text: 1 to {LONGEST} characters"
    if len(line["before"]) > 2 or any(turn[0] not in SPEAKERS or not turn[1] for turn in line["before"]):
        yield "before: at most two turns, each [speaker, text]"


def _problems_of_labels(line: dict[str, Any]) -> Iterator[str]:
    unknown = set(line["labels"]) - LABELS
    if unknown:
        yield f"labels: {sorted(unknown)}"
    if line["labels"] and line["speaker"] == "customer":
        yield "labels: what a customer says is no violation"
    if line["kind"] not in (VIOLATING if line["labels"] else HARMLESS):
        yield f"kind: {line['kind']!r} of a line {'with' if line['labels'] else 'without'} labels"
    if (line["kind"] == "customer") != (line["speaker"] == "customer"):
        yield "kind: `customer` is for customers, and theirs alone"


def read(paths: Sequence[Path]) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    """Every line with its place."""
    for path in paths:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield path, number, json.loads(text)


def check(paths: Sequence[Path]) -> list[str]:
    """Every problem of the files, told with its place."""
    found: list[str] = []
    texts: dict[tuple[str, str], str] = {}
    for path, number, line in read(paths):
        where = f"{path.name}:{number}"
        found += [f"{where}: {problem}" for problem in problems(line)]
        if not str(line.get("scenario", "")).startswith(f"{path.stem}-"):
            found.append(f"{where}: scenario: must begin with {path.stem}-")
        said = line.get("speaker", ""), "".join(str(line.get("text", "")).split())
        if said in texts:
            found.append(f"{where}: text: the same as {texts[said]}")
        texts.setdefault(said, where)
    return found


def main(arguments: Sequence[str]) -> int:
    paths = [Path(each) for each in arguments] or sorted(LINES.glob("*.jsonl"))
    found = check(paths)
    for problem in found:
        print(problem)
    counts = Counter[tuple[str, str]]()
    splits = Counter[str]()
    for _path, _number, line in read(paths):
        splits[split_of(str(line.get("scenario")))] += 1
        for label in line.get("labels") or [f"harmless: {line.get('kind')}"]:
            counts[line.get("lang", ""), label] += 1
    for (lang, label), count in sorted(counts.items()):
        print(f"{lang}  {label:36} {count:5}")
    print(f"{sum(splits.values())} lines: {dict(sorted(splits.items()))}; {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
