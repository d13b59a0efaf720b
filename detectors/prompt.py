"""The recogniser's prompt: the tenant's own terms, then the words that the rules need and the recogniser mishears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, get_args

from asr.engines.port import Biasing, BiasTerm
from asr.types import Language
from detectors.api import Jurisdiction
from detectors.pattern import Plane
from detectors.taxonomy import PACKS, PackError, read_yaml

LANGUAGES: tuple[Language, ...] = get_args(Language)

_WORDS_OF_PACKS = ("lists.yaml", "duties.yaml", "verification.yaml", "sequence.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One language's prompt, open for the tenant's terms. `terms`: the pack's own, most useful first, by law.
    `restored` are words that are looked for in what was recognised: as many as the pack likes, for they cost nothing
    where nothing sounds like them."""

    opening: str
    joint: str
    closing: str
    terms: Mapping[Jurisdiction, tuple[str, ...]]
    restored: tuple[BiasTerm, ...] = ()

    def biasing(self, jurisdiction: Jurisdiction, own: Sequence[str] = ()) -> Biasing:
        """The prompt, and every term once: the tenant's own, the pack's, those that are only restored."""
        known = {term.text: term for term in self.restored}
        words = dict.fromkeys((*own, *self.terms[jurisdiction], *known))
        terms = tuple(known.get(word, BiasTerm(text=word)) for word in words)
        return Biasing(prompt=self.prompt(jurisdiction, own), terms=terms)

    def prompt(self, jurisdiction: Jurisdiction, own: Sequence[str] = ()) -> str:
        """The tenant's own terms first, for nobody else can guess them; a term once, however it is capitalised.

        Nothing is cut: the engine knows its tokens and drops the last terms, whole, where the text is too long.
        """
        once: dict[str, str] = {}
        for term in (*own, *self.terms[jurisdiction]):
            once.setdefault(term.casefold(), term)
        return f"{self.opening}{self.joint.join(once.values())}{self.closing}" if once else ""


Frames: TypeAlias = Mapping[Language, Frame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One line of a rule: the pattern as it is written, its language and the laws its rule knows."""

    source: str
    plane: Plane
    laws: frozenset[Jurisdiction]


def load_frames(
    wordings: Iterable[Wording], laws: Sequence[Jurisdiction], folder: Path = PACKS
) -> dict[Language, Frame]:
    """Read and check prompt.yaml. A term counts for a law where one of its rules, or what all laws share, names it.

    Raises PackError, naming a term that nothing needs.
    """
    phonetic = read_yaml(folder / "phonetic.yaml")["terms"]
    restored = tuple(
        BiasTerm(text=text, mishearings=tuple(raw.get("mishearings", ()))) for text, raw in phonetic.items()
    )
    shared = {plane: _shared(folder, plane) for plane in LANGUAGES}
    heard = list(wordings)
    raw = read_yaml(folder / "prompt.yaml")
    try:
        return {
            plane: _frame(
                raw[plane],
                plane,
                {law: shared[plane] + _sources(heard, plane, law) for law in laws},
                restored if plane == "zh" else (),
            )
            for plane in LANGUAGES
        }
    except (KeyError, TypeError, AttributeError) as problem:
        raise PackError(f"prompt.yaml: a field is missing or has the wrong shape: {problem}") from problem


def _frame(raw: Any, plane: Plane, needed: Mapping[Jurisdiction, str], restored: tuple[BiasTerm, ...]) -> Frame:
    terms = [str(term) for term in raw["terms"]]
    for term in terms:
        if not any(_names(words, term) for words in needed.values()):
            raise PackError(f"prompt.yaml: {plane}: terms: no rule, list, duty or cue of this language names {term!r}")
    return Frame(
        opening=str(raw["opening"]),
        joint=str(raw["joint"]),
        closing=str(raw["closing"]),
        terms={law: tuple(term for term in terms if _names(words, term)) for law, words in needed.items()},
        restored=restored,
    )


def _names(words: str, term: str) -> bool:
    """Whether a term is one of the words or several in a row: people say 手机尾号, the rules know 手机 and 尾号."""
    term = term.casefold()
    return term in words or any(term[:at] in words and _names(words, term[at:]) for at in range(2, len(term) - 1))


def _sources(wordings: Iterable[Wording], plane: Plane, law: Jurisdiction) -> str:
    return "\n".join(each.source.casefold() for each in wordings if each.plane == plane and law in each.laws) + "\n"


def _shared(folder: Path, plane: Plane) -> str:
    """What all laws share: every text under the language's key, at any depth, and the words worth restoring."""
    texts = [text for name in _WORDS_OF_PACKS for text in _texts(read_yaml(folder / name), plane, inside=False)]
    restored = read_yaml(folder / "phonetic.yaml")["terms"] if plane == "zh" else ()
    return "\n".join([*texts, *map(str, restored)]).casefold() + "\n"


def _texts(raw: Any, plane: Plane, *, inside: bool) -> Iterable[str]:
    if isinstance(raw, dict):
        for key, value in raw.items():
            yield from _texts(value, plane, inside=inside or key == plane)
    elif isinstance(raw, list):
        for value in raw:
            yield from _texts(value, plane, inside=inside)
    elif inside:
        yield str(raw)
