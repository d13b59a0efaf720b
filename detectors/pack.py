"""Rule packs: YAML checked against packs/schema.json, then against the taxonomy, into frozen rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from pypinyin.phrases_dict import phrases_dict

from detectors.api import Bilingual, Jurisdiction, Severity
from detectors.guard import PLANES, Guard, GuardSpec
from detectors.pattern import Lists, Pattern, PatternError, Plane
from detectors.phonetic import Term
from detectors.taxonomy import PACKS, Category, Law, PackError, Taxonomy, bilingual, parse_law, read_yaml

_DEFAULT_GUARDS = ("negated", "reported", "remedy")
_DEFAULT_SCORE = 0.9
RULE_FILES = "rules/*.yaml"


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
    guards: tuple[Guard, ...]
    law: Mapping[Jurisdiction, Law]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What the packs share: named lists, guards and the words worth restoring."""

    lists: dict[Plane, Lists]
    guards: Mapping[str, Guard]
    terms: tuple[Term, ...]
    ordinary: frozenset[str]


def _by_plane(raw: Any) -> dict[Plane, tuple[str, ...]]:
    return {plane: tuple(str(each) for each in (raw or {}).get(plane, ())) for plane in PLANES}


def load_vocabulary(folder: Path = PACKS) -> Vocabulary:
    """Read lists.yaml, guards.yaml and phonetic.yaml. Raises PackError."""
    raw_lists = read_yaml(folder / "lists.yaml")
    lists: dict[Plane, Lists] = {
        plane: {name: tuple(map(str, entries)) for name, entries in raw_lists[plane].items()} for plane in PLANES
    }
    guards: dict[str, Guard] = {}
    for name, raw in read_yaml(folder / "guards.yaml").items():
        spec = GuardSpec(
            id=name,
            where=raw["where"],
            reach=raw.get("reach", {"zh": 12, "en": 8}),
            cues=_by_plane(raw),
            but_not=_by_plane(raw.get("but_not")),
        )
        try:
            guards[name] = Guard(spec, lists)
        except PatternError as problem:
            raise PackError(f"guards.yaml: {name}: {problem}") from problem
    phonetic = read_yaml(folder / "phonetic.yaml")
    ordinary = frozenset(phonetic["ordinary"]) | {word for word in phrases_dict if len(word) <= 4}
    terms = tuple(
        Term(text=text, mishearings=tuple(raw.get("mishearings", ())), fuzzy=bool(raw.get("fuzzy", False)))
        for text, raw in phonetic["terms"].items()
    )
    return Vocabulary(lists=lists, guards=guards, terms=terms, ordinary=ordinary)


class PackLoader:
    """Turns pack files into rules; every error names file, rule and field."""

    def __init__(self, taxonomy: Taxonomy, vocabulary: Vocabulary, schema: Path = PACKS / "schema.json") -> None:
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
            guards=self._guards(raw, where),
            law=self._law(raw, category, where),
        )

    def _patterns(self, raw: Any, where: str) -> tuple[Pattern, ...]:
        compiled: list[Pattern] = []
        for plane in PLANES:
            for source in raw.get(plane, ()):
                try:
                    compiled.append(Pattern(source, plane, self._vocabulary.lists[plane]))
                except PatternError as problem:
                    raise PackError(f"{where}: {plane}: {problem}") from problem
        return tuple(compiled)

    def _guards(self, raw: Any, where: str) -> tuple[Guard, ...]:
        guards: list[Guard] = []
        for name in raw.get("guards", _DEFAULT_GUARDS):
            if name not in self._vocabulary.guards:
                raise PackError(f"{where}: guards: no guard is named {name!r}")
            guards.append(self._vocabulary.guards[name])
        if "unless" in raw:
            spec = GuardSpec(id="unless", where="whole", reach={}, cues=_by_plane(raw["unless"]), but_not={})
            try:
                guards.append(Guard(spec, self._vocabulary.lists))
            except PatternError as problem:
                raise PackError(f"{where}: unless: {problem}") from problem
        return tuple(guards)

    def _law(self, raw: Any, category: Category, where: str) -> Mapping[Jurisdiction, Law]:
        if "law" not in raw:
            return category.law
        given = cast("dict[Jurisdiction, Any]", raw["law"])
        return {
            jurisdiction: parse_law(each, self._taxonomy.codes, f"{where}: law.{jurisdiction}")
            for jurisdiction, each in given.items()
        }
