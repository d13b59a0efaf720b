"""All detectors, loaded and checked once; a call gets its own of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.engines.port import Biasing
from asr.types import Language
from detectors.acoustic.voice import CATEGORY as ESCALATION
from detectors.acoustic.voice import INTERRUPTING, SHOUTING, AcousticDetector
from detectors.contract import (
    Bilingual,
    CallContext,
    CallDetector,
    Detector,
    DetectorError,
    Jurisdiction,
    PackVersion,
    Severity,
    TextEncoder,
)
from detectors.duties.responses import Response, ResponsesDetector, load_responses
from detectors.duties.timed import DutiesDetector, Duty, load_duties
from detectors.facts.call_facts import FactsDetector
from detectors.facts.statements import Statements
from detectors.matching.pattern import Pattern
from detectors.packs.biasing import PromptFrame, PromptWording, load_prompt_frames
from detectors.packs.law import LawFigures, load_law_figures
from detectors.packs.loader import Rule
from detectors.packs.source import pack_version
from detectors.packs.taxonomy import JURISDICTIONS, PACKS, Category, PackError, Taxonomy
from detectors.rules.contacts import CATEGORY as FREQUENCY
from detectors.rules.contacts import ContactsDetector
from detectors.rules.hours import CATEGORY as NIGHT
from detectors.rules.hours import HoursDetector
from detectors.rules.lexical import LexicalDetector
from detectors.rules.pack import load_word_rules, wrong_examples
from detectors.rules.right_party import load_right_party_check
from detectors.rules.sequence import THIRD_PARTY, SequenceDetector, load_cues
from detectors.runtime.third_party import third_party_detectors
from detectors.semantic.calibration import Calibration
from detectors.semantic.encoder import FOLDER, EncoderMissing, OnnxTextEncoder
from detectors.semantic.heads import load_heads
from detectors.semantic.judgement import load_judgement
from detectors.semantic.violations import SemanticDetector, Understood, rule_of
from detectors.sentiment.lexicon import load_lexicons
from detectors.sentiment.mood_alerts import MOOD_RULES
from detectors.sentiment.utterance_sentiment import SentimentDetector


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInfo:
    """A rule as people read it."""

    id: str
    category: str
    severity: Severity
    jurisdiction: Jurisdiction
    title: Bilingual
    why: Bilingual
    cites: tuple[str, ...]


class Registry:
    """All loaded detectors. `pack`: the rules that they were made from. `encoder`: for detectors that judge by meaning,
    None if there is none; `encoder_problem` says why. Raises DetectorError if two detectors have one id."""

    def __init__(
        self,
        detectors: Sequence[Detector],
        rules: Sequence[RuleInfo],
        frames: Mapping[Language, PromptFrame],
        pack: PackVersion,
        encoder: TextEncoder | None = None,
        encoder_problem: str = "",
    ) -> None:
        ids = [detector.id for detector in detectors]
        double = {name for name in ids if ids.count(name) > 1}
        if double:
            raise DetectorError(f"two detectors are called {double.pop()!r}")
        self.detectors = tuple(detectors)
        self.rules = tuple(rules)
        self.frames = frames
        self.pack = pack
        self.encoder = encoder
        self.encoder_problem = encoder_problem

    def open(self, call: CallContext) -> list[tuple[str, CallDetector]]:
        """Every detector's id and its fresh memory of this call."""
        return [(detector.id, detector.open(call)) for detector in self.detectors]

    def biasing(self, jurisdiction: Jurisdiction, own: Sequence[str] = ()) -> dict[Language, Biasing]:
        """Vocabulary for the recogniser in each language: the tenant's `own` terms, then words that calls of this kind
        hold and that it mishears without help."""
        return {language: frame.biasing(jurisdiction, own) for language, frame in self.frames.items()}


def load(encoder: Path | None = FOLDER, pack: Path = PACKS, calibration: Calibration | None = None) -> Registry:
    """The registry over a folder of packs, by default those that ship with this package, the encoder in its folder, and
    the detectors of other packages. Without a folder, or where the encoder is missing, patterns judge alone.
    `calibration`: what people's decisions have changed. Raises DetectorError naming what is wrong."""
    version, words = pack_version(pack, calibration.to_json() if calibration else b""), load_word_rules(pack)
    for wrong in wrong_examples(words):
        raise PackError(str(wrong))
    taxonomy, vocabulary, rules = words.taxonomy, words.vocabulary, words.rules
    _need_categories(taxonomy, (NIGHT, FREQUENCY, ESCALATION, *(rule.category for rule in MOOD_RULES.values())))
    law = load_law_figures(taxonomy, pack / "law.yaml")
    duties = load_duties(taxonomy, vocabulary, pack / "duties.yaml")
    right_party = load_right_party_check(vocabulary, pack / "right_party.yaml")
    cues, lexicons = load_cues(vocabulary, pack / "sequence.yaml"), load_lexicons(pack)
    understood, problem = _understood(encoder, calibration)
    for name in understood.heads.categories if understood else ():
        if name not in taxonomy.categories:
            raise PackError(f"taxonomy.yaml: categories: {name}: is needed, for the encoder tells it")
    statements = Statements(heads=understood.heads, thresholds=understood.judgement.says) if understood else None
    responses = load_responses(taxonomy, pack / "responses.yaml")
    patterns, tells_others = LexicalDetector(words.matchers), _patterns_of(rules, THIRD_PARTY)
    detectors: list[Detector] = [
        patterns if understood is None else SemanticDetector(patterns, understood, taxonomy.categories, _by_ear(rules)),
        DutiesDetector(duties, right_party, statements),
        HoursDetector(taxonomy.categories[NIGHT], law.night),
        ContactsDetector(taxonomy.categories, law.frequency, law.no_contact, right_party),
        SequenceDetector(taxonomy.categories, law.sequence, right_party, cues, tells_others, statements),
        AcousticDetector(taxonomy.categories[ESCALATION]),
        SentimentDetector(lexicons, taxonomy.categories, understood.heads if understood else None),
    ]
    if statements is not None:
        detectors += [ResponsesDetector(responses, statements), FactsDetector(statements)]
    detectors += third_party_detectors()
    infos = _infos(rules, [*duties, *(responses if statements else ())], taxonomy, law)
    infos += _infos_of_meaning(understood.heads.categories if understood else (), taxonomy)
    frames = load_prompt_frames(_wordings(rules), JURISDICTIONS, vocabulary.terms, pack)
    return Registry(detectors, infos, frames, version, understood.encoder if understood else None, problem)


def _need_categories(taxonomy: Taxonomy, names: Sequence[str]) -> None:
    """Check that the taxonomy has the categories that this package's detectors tell under every law. Raises
    PackError."""
    for name in names:
        category = taxonomy.categories.get(name)
        if category is None or set(category.law) != set(JURISDICTIONS):
            laws = " and ".join(JURISDICTIONS)
            raise PackError(f"taxonomy.yaml: categories: {name}: is needed, with the law of {laws}")


def _understood(folder: Path | None, calibration: Calibration | None) -> tuple[Understood | None, str]:
    """The parts that judge by meaning, or the reason why there are none."""
    if folder is None:
        return None, "no encoder is asked for"
    try:
        encoder = OnnxTextEncoder(folder)
    except EncoderMissing as missing:
        return None, str(missing)
    judgement = load_judgement(folder)
    if calibration is not None:
        judgement = calibration.of(judgement)
    return Understood(encoder=encoder, heads=load_heads(folder), judgement=judgement), ""


def _by_ear(rules: Sequence[Rule]) -> frozenset[str]:
    """The categories of which a rule says that words alone do not settle them."""
    return frozenset(rule.category for rule in rules if not rule.decided_by_transcript)


def _infos_of_meaning(told: Sequence[str], taxonomy: Taxonomy) -> list[RuleInfo]:
    known = [taxonomy.categories[name] for name in told]
    return [info for each in known for info in _info(rule_of(each.id), each.id, each.severity, each.title, each)]


def _patterns_of(rules: Sequence[Rule], category: str) -> tuple[Pattern, ...]:
    return tuple(pattern for rule in rules if rule.category == category for pattern in rule.patterns)


def _wordings(rules: Sequence[Rule]) -> list[PromptWording]:
    return [
        PromptWording(source=pattern.source, language=pattern.language, laws=frozenset(rule.law))
        for rule in rules
        for pattern in rule.patterns
    ]


def _infos(
    rules: Sequence[Rule], duties: Sequence[Duty | Response], taxonomy: Taxonomy, law: LawFigures
) -> list[RuleInfo]:
    infos = [_info(rule.id, rule.category, rule.severity, rule.title, rule) for rule in rules]
    for owed in (duty.category for duty in duties):
        infos.append(_info(f"duty.{owed.id}", owed.id, owed.severity, owed.title, owed))
    others = {rule_id: each.category for rule_id, each in (*law.no_contact.items(), *law.sequence.items())}
    for rule_id, name in {"hours.night": NIGHT, SHOUTING: ESCALATION, INTERRUPTING: ESCALATION, **others}.items():
        category = taxonomy.categories[name]
        infos.append(_info(rule_id, name, category.severity, category.title, category))
    for mood in MOOD_RULES.values():
        category = taxonomy.categories[mood.category]
        infos.append(_info(mood.id, category.id, category.severity, mood.title, category))
    frequent = taxonomy.categories[FREQUENCY]
    for jurisdiction, limits in law.frequency.items():
        for rule_id in limits:
            told = _info(rule_id, FREQUENCY, frequent.severity, frequent.title, frequent)
            infos.append([info for info in told if info.jurisdiction == jurisdiction])
    return [info for each in infos for info in each]


def _info(rule_id: str, category: str, severity: Severity, title: Bilingual, lawful: Rule | Category) -> list[RuleInfo]:
    return [
        RuleInfo(
            id=rule_id,
            category=category,
            severity=severity,
            jurisdiction=jurisdiction,
            title=title,
            why=law.why,
            cites=law.cites,
        )
        for jurisdiction, law in lawful.law.items()
    ]
