"""Rules over words: finds what a pack's patterns forbid in what the agent says, as the sentence ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from asr.languages import traits_of
from asr.phonetics import PhoneticRepair
from asr.types import Language, Seconds, Utterance
from detectors.contract import CallContext, Finding, Jurisdiction, Observation
from detectors.matching.folding import Folded, fold_en, fold_zh, has_chinese, has_latin, word_borders
from detectors.matching.pattern import Pattern, Span, keys_of
from detectors.packs.loader import PackVocabulary, Rule
from detectors.sentences import unit_count

JOIN_PAUSE: Seconds = 1.5
"""A sentence cut by endpointing goes on within this pause; a longer one is a new thought."""

SPOKEN_ON = 4
"""Characters or words that must follow a hit before its utterance has ended: what turns it round ("…是不会的", "…is not
what we do") mostly comes at once. Of 55 critical hits in the 388 lines of `tests/data/detect_dev.jsonl` 38 are foreseen
with four, and none that the rest of the line takes back. Two would foresee 47; an alert that is taken back costs more
than one that comes with the final text."""

BORDERLESS = 2
"""A match of so few characters may consist of parts of two unrelated words. A longer one holds a whole word, and often
ends within a word that goes on in the same sense (全家凑 in 全家凑钱)."""

REPAIRED = 0.8
"""A score is multiplied by this if a word had to be restored by its sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A rule met in a text, `text[begin:end]`."""

    rule: Rule
    begin: int
    end: int
    score: float


class Matcher:
    """All rules of one jurisdiction, compiled and indexed by strings that a match must contain."""

    def __init__(self, rules: tuple[Rule, ...], vocabulary: PackVocabulary) -> None:
        self._repair = PhoneticRepair(vocabulary.terms, vocabulary.ordinary)
        self._index: dict[Language, dict[str, list[tuple[Rule, Pattern]]]] = {
            "zh": defaultdict(list),
            "en": defaultdict(list),
        }
        for rule in rules:
            for pattern in rule.patterns:
                for key in pattern.keys:
                    self._index[pattern.language][key].append((rule, pattern))

    def all_hits(self, text: str) -> list[Hit]:
        """Every hit of every rule, for callers that must tell new ones from old."""
        return list(self._all(text))

    def excepted(self, text: str) -> frozenset[str]:
        """The categories of rules whose words occur and do not count, because they are denied, quoted, or meant
        otherwise."""
        languages: list[tuple[Language, Folded]] = []
        if has_chinese(text):
            languages.append(("zh", fold_zh(text)))
        if has_latin(text):
            languages.append(("en", fold_en(text)))
        return frozenset(
            rule.category
            for language, folded in languages
            for rule, span in self._met(language, folded)
            if any(exception.holds(language, folded, span) for exception in rule.exceptions)
        )

    def _all(self, text: str) -> Iterator[Hit]:
        if has_chinese(text):
            folded = fold_zh(text)
            yield from self._search("zh", folded)
            yield from self._search_repaired(folded)
        if has_latin(text):
            yield from self._search("en", fold_en(text))

    def _search_repaired(self, folded: Folded) -> Iterator[Hit]:
        restored = self._repair.repair(folded.text)
        if restored is not None:
            for hit in self._search("zh", replace(folded, text=restored)):
                if hit.rule.phonetic:
                    yield replace(hit, score=round(hit.score * REPAIRED, 3))

    def _search(self, language: Language, folded: Folded) -> Iterator[Hit]:
        for rule, span in self._met(language, folded):
            if not any(exception.holds(language, folded, span) for exception in rule.exceptions):
                begin, end = folded.origin(span.begin, span.end)
                yield Hit(rule=rule, begin=begin, end=end, score=rule.score)

    def _met(self, language: Language, folded: Folded) -> Iterator[tuple[Rule, Span]]:
        """The places where a rule's words occur, whatever stands around them."""
        index = self._index[language]
        candidates = {
            id(pattern): (rule, pattern)
            for key in keys_of(language, folded.text)
            for rule, pattern in index.get(key, ())
        }
        borders = cache(lambda: word_borders(folded))  # once a text, however many short matches it has
        for rule, pattern in candidates.values():
            for span in pattern.spans(folded):
                if not _may_break_a_word(language, span) or borders().issuperset((span.begin, span.end)):
                    yield rule, span


class LexicalDetector:
    """The rule packs as a detector."""

    id: ClassVar[str] = "lexical"

    def __init__(self, matchers: Mapping[Jurisdiction, Matcher]) -> None:
        self._matchers = matchers

    def open(self, call: CallContext) -> LexicalCall:
        return LexicalCall(self._matchers[call.jurisdiction], call.jurisdiction)


class LexicalCall:
    """One call's memory: the agent's last utterance, because a sentence may go on in the next one."""

    def __init__(self, matcher: Matcher, jurisdiction: Jurisdiction) -> None:
        self._matcher = matcher
        self._jurisdiction: Jurisdiction = jurisdiction
        self._last: Utterance | None = None
        self._reported: dict[str, int] = {}

    def heard(self, utterance: Utterance) -> list[Observation]:
        if utterance.role != "agent":
            return []
        last = self._led_by(utterance)
        lead = joint(last, utterance) if last else ""
        told = self._reported if last else {}
        fresh = _fresh(self._matcher.all_hits(lead + utterance.text), len(lead), told)
        self._last = utterance
        self._reported = {hit.rule.category: hit.end - len(lead) for hit in fresh}
        return [self._finding(hit, utterance, last, lead) for hit in fresh]

    def foresee(self, utterance: Utterance) -> list[Finding]:
        """The hits that lie far enough from the utterance's end that nothing can turn them round any more."""
        if utterance.role != "agent":
            return []
        said = utterance.text
        sure = [hit for hit in self._matcher.all_hits(said) if unit_count(said[hit.end :]) >= SPOKEN_ON]
        return [self._finding(hit, utterance, None, "") for hit in _fresh(sure, 0, {})]

    def _led_by(self, utterance: Utterance) -> Utterance | None:
        """The agent's last utterance, if this one may go on with its sentence."""
        last = self._last
        return last if last is not None and utterance.start - last.end <= JOIN_PAUSE else None

    def _finding(self, hit: Hit, utterance: Utterance, last: Utterance | None, lead: str) -> Finding:
        rule, law = hit.rule, hit.rule.law[self._jurisdiction]
        begin = hit.begin - len(lead)
        start, end = utterance.span_in_time(max(0, begin), hit.end - len(lead))
        if last is not None and begin < 0:
            start, _ = last.span_in_time(min(hit.begin, len(last.text) - 1), len(last.text))
        return Finding(
            kind="violation",
            category=rule.category,
            rule=rule.id,
            detector=LexicalDetector.id,
            severity=rule.severity,
            score=hit.score,
            role="agent",
            start=start,
            end=end,
            quote=(lead + utterance.text)[hit.begin : hit.end],
            title=rule.title,
            why=law.why,
            cites=law.cites,
            utterance_id=utterance.id,
            decided_by_transcript=rule.decided_by_transcript,
        )

    def excepted(self, utterance: Utterance) -> frozenset[str]:
        """The categories whose words the utterance has and does not mean."""
        return self._matcher.excepted(utterance.text)

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []


def _may_break_a_word(language: Language, span: Span) -> bool:
    """Whether a short match may consist of parts of two words: 宝鸡巴士 holds no swear word. English patterns match
    whole words."""
    return not traits_of(language).spaced and span.end - span.begin <= BORDERLESS


def joint(last: Utterance, utterance: Utterance) -> str:
    """The last utterance's text as the lead-in to the next one, with the space a Latin script needs."""
    seam = "" if has_chinese(last.text[-1:]) or has_chinese(utterance.text[:1]) else " "
    return last.text + seam


def _fresh(hits: list[Hit], lead: int, told: dict[str, int]) -> list[Hit]:
    """The best hit of each category among those that end in this utterance and were not told with the last one.

    `lead` is where the utterance begins in the searched text, `told` are the ends, within it, of the hits told before.
    """
    best: dict[str, Hit] = {}
    for hit in hits:
        category = hit.rule.category
        if hit.end <= lead or hit.begin < told.get(category, 0):
            continue
        held = best.get(category)
        if held is None or (hit.score, held.begin) > (held.score, hit.begin):
            best[category] = hit
    return sorted(best.values(), key=lambda hit: (hit.begin, hit.rule.id))
