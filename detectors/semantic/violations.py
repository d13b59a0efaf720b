"""Violations by meaning: patterns are evidence, the encoder's judgement decides. Without an encoder, or if it fails,
the patterns alone decide, as `lexical` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from asr.types import Seconds, Utterance
from detectors.contract import CallContext, Embedding, Finding, Jurisdiction, Observation, TextEncoder
from detectors.packs.findings import finding_of
from detectors.packs.taxonomy import Category
from detectors.rules.lexical import LexicalCall, LexicalDetector
from detectors.semantic.heads import Conversation, EmbeddedTurn, Heads, Meaning
from detectors.semantic.judgement import EarlierUtterances, Judgement, Line
from detectors.sentences import sentences

SURE_AGAINST_WORDS: Final = 0.95
"""The probability that a meaning must reach if a rule's words occur and do not count. "When did I say that I would
break your leg?" is near the threat that it denies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """The parts that judge by meaning: the encoder, the heads over its vectors, and the judgement that weighs the
    signals."""

    encoder: TextEncoder
    heads: Heads
    judgement: Judgement


class SemanticDetector:
    """Tells violations. `told_by_ear`: categories that words alone cannot settle."""

    id: ClassVar[str] = "semantic"

    def __init__(
        self,
        patterns: LexicalDetector,
        understood: Understood,
        categories: Mapping[str, Category],
        told_by_ear: frozenset[str],
    ) -> None:
        self._patterns = patterns
        self._understood = understood
        self._categories = {name: categories[name] for name in understood.heads.categories}
        self._told_by_ear = told_by_ear

    def open(self, call: CallContext) -> SemanticCall:
        lawful = {name: each for name, each in self._categories.items() if call.jurisdiction in each.law}
        return SemanticCall(self._patterns.open(call), self._understood, lawful, call.jurisdiction, self._told_by_ear)


def rule_of(category: str) -> str:
    """The rule that a finding without a pattern names."""
    return f"semantic.{category}"


class SemanticCall:
    """One call's memory: that of the patterns, and the last turns."""

    def __init__(
        self,
        patterns: LexicalCall,
        understood: Understood,
        categories: Mapping[str, Category],
        jurisdiction: Jurisdiction,
        told_by_ear: frozenset[str],
    ) -> None:
        self._patterns = patterns
        self._understood = understood
        self._categories = categories
        self._jurisdiction: Jurisdiction = jurisdiction
        self._told_by_ear = told_by_ear
        self._conversation = Conversation(understood.heads)
        self._earlier = EarlierUtterances()

    def heard(self, utterance: Utterance) -> list[Observation]:
        return self._patterns.heard(utterance)

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        """At most one finding of each category."""
        meaning = self._conversation.heard(utterance.role, embedding)
        met = [found for found in self._patterns.heard(utterance) if isinstance(found, Finding)]
        if utterance.role != "agent" or not utterance.text.strip():
            return []
        told = self._told(utterance, meaning, met)
        self._earlier.add(meaning)
        return [*told]

    def _told(self, utterance: Utterance, meaning: Meaning, met: Sequence[Finding]) -> list[Finding]:
        judgement, patterns = self._understood.judgement, {found.category: found for found in met}
        line = Line(
            meaning=meaning,
            text=utterance.text,
            rules={category: found.rule for category, found in patterns.items()},
            earlier=self._earlier.odds,
        )
        violates, told = judgement.violates(line), list[Finding]()
        for category in judgement.told(line, self._categories):
            pattern = patterns.get(category)
            if pattern or violates >= SURE_AGAINST_WORDS or category not in self._patterns.excepted(utterance):
                found = pattern or self._finding(category, utterance)
                told.append(replace(found, detector=SemanticDetector.id, score=round(violates, 3)))
        return told

    def foresee(self, utterance: Utterance) -> list[Finding]:
        """Findings of patterns that are met so far and agree with the meaning so far."""
        met = self._patterns.foresee(utterance)
        if not met:
            return []
        [embedding] = self._understood.encoder.encode([utterance.text])
        told = self._told(utterance, self._conversation.meaning(utterance.role, embedding), met)
        return [found for found in told if found.rule != rule_of(found.category)]

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _finding(self, name: str, utterance: Utterance) -> Finding:
        begin, end = self._telling(name, utterance.text)
        start, stop = utterance.span_in_time(begin, end)
        return finding_of(
            self._categories[name],
            self._jurisdiction,
            rule=rule_of(name),
            detector=SemanticDetector.id,
            score=1.0,
            start=start,
            end=stop,
            quote=utterance.text[begin:end],
            utterance_id=utterance.id,
            decided_by_transcript=name not in self._told_by_ear,
        )

    def _telling(self, category: str, text: str) -> tuple[int, int]:
        """The place of the sentence that shows the category most clearly."""
        spans = sentences(text)
        if len(spans) == 1:
            return spans[0]
        vectors = self._understood.encoder.encode([text[begin:end] for begin, end in spans])
        heads = self._understood.heads
        meant = [
            heads.meaning(EmbeddedTurn(role="agent", embedding=vector), ()).categories[category] for vector in vectors
        ]
        return spans[meant.index(max(meant))]
