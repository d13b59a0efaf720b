"""The rules over words of one pack: read, compiled by jurisdiction, and tried on the pack's own examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from detectors.contract import Jurisdiction
from detectors.packs.loader import RULE_FILES, PackLoader, PackVocabulary, Rule, load_pack_vocabulary
from detectors.packs.taxonomy import JURISDICTIONS, PACKS, Taxonomy, load_taxonomy
from detectors.rules.lexical import Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRules:
    """A pack's rules over words, and what they rest on."""

    taxonomy: Taxonomy
    vocabulary: PackVocabulary
    rules: tuple[Rule, ...]
    matchers: Mapping[Jurisdiction, Matcher]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongExample:
    """An example of a pack that its rule judges otherwise than the pack says. `met`: whether the rule is met."""

    rule: str
    line: str
    met: bool

    def __str__(self) -> str:
        return f"{self.rule}: examples: the rule is {'' if self.met else 'not '}met by {self.line!r}"


def load_word_rules(pack: Path = PACKS) -> WordRules:
    """The rules of a folder. Raises PackError."""
    taxonomy, vocabulary = load_taxonomy(pack / "taxonomy.yaml"), load_pack_vocabulary(pack)
    rules = PackLoader(taxonomy, vocabulary).load(sorted(pack.glob(RULE_FILES)))
    matchers: dict[Jurisdiction, Matcher] = {
        each: Matcher(tuple(rule for rule in rules if each in rule.law), vocabulary) for each in JURISDICTIONS
    }
    return WordRules(taxonomy=taxonomy, vocabulary=vocabulary, rules=rules, matchers=matchers)


def wrong_examples(words: WordRules) -> Iterator[WrongExample]:
    """The examples that are judged wrongly. Each is tried in a jurisdiction to which its rule applies."""
    for rule in words.rules:
        matcher = words.matchers[next(iter(rule.law))]
        for lines, expected in ((rule.examples.met, True), (rule.examples.not_met, False)):
            for line in lines:
                met = any(hit.rule is rule for hit in matcher.all_hits(line))
                if met != expected:
                    yield WrongExample(rule=rule.id, line=line, met=met)
