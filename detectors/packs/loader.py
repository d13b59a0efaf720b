"""Rule packs: YAML checked against data/schema.json, then against the taxonomy, into frozen rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from pypinyin.phrases_dict import phrases_dict

from asr.phonetics import PhoneticTerm
from asr.types import LANGUAGES, Language
from detectors.contract import Bilingual, Jurisdiction, Severity
from detectors.matching.exceptions import ExceptionSpec, RuleException
from detectors.matching.pattern import Lists, Pattern, PatternError
from detectors.packs.taxonomy import PACKS, Category, Law, PackError, Taxonomy, bilingual, parse_law, read_yaml

_DEFAULT_EXCEPTIONS = ("negated", "reported", "remedy")
_DEFAULT_SCORE = 0.9
RULE_FILES = "rules/*.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Lines of an agent that meet a rule, and lines that must not."""

    met: tuple[str, ...] = ()
    not_met: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One rule over the agent's words, compiled; it applies where `law` has an entry, whose why and cites are told.

    Customers swear and threaten too: what they say is never a violation, so no rule can ask for it.
    """

    id: str
    category: str
    title: Bilingual
    severity: Severity
    score: float
    phonetic: bool
    decided_by_transcript: bool
    patterns: tuple[Pattern, ...]
    exceptions: tuple[RuleException, ...]
    law: Mapping[Jurisdiction, Law]
    examples: Examples


@dataclass(frozen=True, slots=True, kw_only=True)
class PackVocabulary:
    """What all packs share: named lists, exceptions, and words that are restored by their sound."""

    lists: dict[Language, Lists]
    exceptions: Mapping[str, RuleException]
    terms: tuple[PhoneticTerm, ...]
    ordinary: frozenset[str]


def _by_language(raw: Any) -> dict[Language, tuple[str, ...]]:
    return {language: tuple(str(each) for each in (raw or {}).get(language, ())) for language in LANGUAGES}


def load_pack_vocabulary(folder: Path = PACKS) -> PackVocabulary:
    """Read lists.yaml, exceptions.yaml and phonetic.yaml. Raises PackError."""
    raw_lists = read_yaml(folder / "lists.yaml")
    lists: dict[Language, Lists] = {
        language: {name: tuple(map(str, entries)) for name, entries in raw_lists[language].items()}
        for language in LANGUAGES
    }
    exceptions: dict[str, RuleException] = {}
    for name, raw in read_yaml(folder / "exceptions.yaml").items():
        spec = ExceptionSpec(
            id=name,
            where=raw["where"],
            reach=raw.get("reach", {"zh": 12, "en": 8}),
            cues=_by_language(raw),
            but_not=_by_language(raw.get("but_not")),
        )
        try:
            exceptions[name] = RuleException(spec, lists)
        except PatternError as problem:
            raise PackError(f"exceptions.yaml: {name}: {problem}") from problem
    phonetic = read_yaml(folder / "phonetic.yaml")
    ordinary = frozenset(phonetic["ordinary"]) | {word for word in phrases_dict if len(word) <= 4}
    terms = tuple(
        PhoneticTerm(text=text, mishearings=tuple(raw.get("mishearings", ())), fuzzy=bool(raw.get("fuzzy", False)))
        for text, raw in phonetic["terms"].items()
    )
    return PackVocabulary(lists=lists, exceptions=exceptions, terms=terms, ordinary=ordinary)


class PackLoader:
    """Turns pack files into rules; every error names file, rule and field."""

    def __init__(self, taxonomy: Taxonomy, vocabulary: PackVocabulary, schema: Path = PACKS / "schema.json") -> None:
        self._taxonomy = taxonomy
        self._vocabulary = vocabulary
        self._schema = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))

    def load(self, files: Iterable[Path]) -> tuple[Rule, ...]:
        """All rules of all files, in order. Raises PackError on the first thing wrong."""
        rules: dict[str, Rule] = {}
        for path in files:
            raw = read_yaml(path)
            self._check_shape(raw, path)
            for each in raw["rules"]:
                rule = self._rule(each, path)
                if rule.id in rules:
                    raise PackError(f"{path.name}: {rule.id}: id: used twice")
                rules[rule.id] = rule
        return tuple(rules.values())

    def _check_shape(self, raw: Any, path: Path) -> None:
        problem = next(iter(sorted(self._schema.iter_errors(raw), key=lambda error: list(map(str, error.path)))), None)
        if problem is None:
            return
        steps = list(problem.absolute_path)
        rule, field = "", ".".join(map(str, steps))
        if len(steps) >= 2 and steps[0] == "rules":
            named = raw["rules"][steps[1]]
            name = named.get("id") if isinstance(named, dict) else None
            rule, field = str(name or f"rule {int(steps[1]) + 1}"), ".".join(map(str, steps[2:]))
        where = ": ".join(part for part in (path.name, rule, field) if part)
        raise PackError(f"{where}: {problem.message[:300]}")

    def _rule(self, raw: Any, path: Path) -> Rule:
        where = f"{path.name}: {raw['id']}"
        category = self._taxonomy.categories.get(raw["category"])
        if category is None:
            raise PackError(f"{where}: category: the taxonomy has no {raw['category']!r}")
        return Rule(
            id=raw["id"],
            category=category.id,
            title=bilingual(raw["title"]) if "title" in raw else category.title,
            severity=cast(Severity, raw.get("severity", category.severity)),
            score=float(raw.get("score", _DEFAULT_SCORE)),
            phonetic=bool(raw.get("phonetic", False)),
            decided_by_transcript=bool(raw.get("decided_by_transcript", True)),
            patterns=self._patterns(raw, where),
            exceptions=self._exceptions(raw, where),
            law=self._law(raw, category, where),
            examples=Examples(**{name: tuple(map(str, lines)) for name, lines in raw.get("examples", {}).items()}),
        )

    def _patterns(self, raw: Any, where: str) -> tuple[Pattern, ...]:
        compiled: list[Pattern] = []
        for language in LANGUAGES:
            for source in raw.get(language, ()):
                try:
                    compiled.append(Pattern(source, language, self._vocabulary.lists[language]))
                except PatternError as problem:
                    raise PackError(f"{where}: {language}: {problem}") from problem
        return tuple(compiled)

    def _exceptions(self, raw: Any, where: str) -> tuple[RuleException, ...]:
        exceptions: list[RuleException] = []
        for name in raw.get("exceptions", _DEFAULT_EXCEPTIONS):
            if name not in self._vocabulary.exceptions:
                raise PackError(f"{where}: exceptions: no exception is named {name!r}")
            exceptions.append(self._vocabulary.exceptions[name])
        if "unless" in raw:
            spec = ExceptionSpec(id="unless", where="whole", reach={}, cues=_by_language(raw["unless"]), but_not={})
            try:
                exceptions.append(RuleException(spec, self._vocabulary.lists))
            except PatternError as problem:
                raise PackError(f"{where}: unless: {problem}") from problem
        return tuple(exceptions)

    def _law(self, raw: Any, category: Category, where: str) -> Mapping[Jurisdiction, Law]:
        if "law" not in raw:
            return category.law
        given = cast("dict[Jurisdiction, Any]", raw["law"])
        return {
            jurisdiction: parse_law(each, self._taxonomy.codes, f"{where}: law.{jurisdiction}")
            for jurisdiction, each in given.items()
        }
