"""What the packs may refer to: categories, duties and the codes of law they rest on, per jurisdiction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml

from detectors.contract import SEVERITIES, Bilingual, DetectorError, Jurisdiction, Severity

PACKS = Path(__file__).parent / "data"
JURISDICTIONS: tuple[Jurisdiction, ...] = get_args(Jurisdiction)


class PackError(DetectorError):
    """A rule pack or the taxonomy is wrong; the message names file, rule and field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Why something is forbidden or owed in one jurisdiction, and the law that says so (`CODE#article`)."""

    why: Bilingual
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of violation or a duty. `law` holds only the jurisdictions that know it."""

    id: str
    title: Bilingual
    severity: Severity
    law: Mapping[Jurisdiction, Law]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """Everything a rule may name. `codes` maps a code of the cite index to its name."""

    categories: Mapping[str, Category]
    duties: Mapping[str, Category]
    codes: Mapping[str, Bilingual]


def read_yaml(path: Path) -> Any:
    """The file's content; PackError where it is not YAML or not there."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (both loaders are safe ones)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as problem:
        raise PackError(f"{path.name}: cannot be read as YAML: {problem}") from problem


def bilingual(value: Any) -> Bilingual:
    """Reads a mapping with zh and en."""
    return Bilingual(zh=str(value["zh"]), en=str(value["en"]))


def _category(name: str, raw: Any, codes: Collection[str], path: Path) -> Category:
    where = f"{path.name}: {name}"
    severity = raw.get("severity")
    if severity not in SEVERITIES:
        raise PackError(f"{where}: severity: {severity!r} is none of {', '.join(SEVERITIES)}")
    law: dict[Jurisdiction, Law] = {}
    for jurisdiction in JURISDICTIONS:
        if jurisdiction in raw["law"]:
            law[jurisdiction] = parse_law(raw["law"][jurisdiction], codes, f"{where}: law.{jurisdiction}")
    return Category(id=name, title=bilingual(raw["title"]), severity=severity, law=law)


def parse_law(raw: Any, codes: Collection[str], where: str) -> Law:
    """Reads why and cites. Raises PackError if a cite's code is not in the index."""
    cites = tuple(str(cite) for cite in raw["cites"])
    for cite in cites:
        code, mark, article = cite.partition("#")
        if code not in codes:
            raise PackError(f"{where}: cites: {cite!r}: the cite index has no code {code!r}")
        if mark and not article:
            raise PackError(f"{where}: cites: {cite!r}: nothing after '#'")
    return Law(why=bilingual(raw["why"]), cites=cites)


@cache
def load_taxonomy(path: Path = PACKS / "taxonomy.yaml") -> Taxonomy:
    """Read and check the taxonomy that ships with the packs. Raises PackError."""
    raw = read_yaml(path)
    try:
        codes = {str(code): bilingual(name) for code, name in raw["codes"].items()}
        categories = {name: _category(name, each, codes, path) for name, each in raw["categories"].items()}
        duties = {name: _category(name, each, codes, path) for name, each in raw["duties"].items()}
    except (KeyError, TypeError, AttributeError) as problem:
        raise PackError(f"{path.name}: a field is missing or has the wrong shape: {problem}") from problem
    return Taxonomy(categories=categories, duties=duties, codes=codes)
