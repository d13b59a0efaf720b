"""The recogniser's prompt: the tenant's own terms, then the words that the rules need and the recogniser mishears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.engines.port import Biasing, BiasTerm
from asr.languages import traits_of
from asr.phonetics import PhoneticTerm
from asr.types import LANGUAGES, Language
from detectors.contract import Jurisdiction
from detectors.packs.taxonomy import PACKS, PackError, read_yaml

_WORDS_OF_PACKS = ("lists.yaml", "duties.yaml", "right_party.yaml", "sequence.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFrame:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptWording:
    """One line of a rule: the pattern as it is written, its language and the laws its rule knows."""

    source: str
    language: Language
    laws: frozenset[Jurisdiction]


def load_prompt_frames(
    wordings: Iterable[PromptWording],
    laws: Sequence[Jurisdiction],
    restorable: Sequence[PhoneticTerm],
    folder: Path = PACKS,
) -> dict[Language, PromptFrame]:
    """Read and check biasing.yaml. A term counts for a law where one of its rules, or what all laws share, names it.

    `restorable` are the pack's words that are restored by their sound. Raises PackError, naming a term that nothing
    needs.
    """
    terms = {language: restorable if traits_of(language).restores_terms else () for language in LANGUAGES}
    shared = {language: _shared(folder, language, terms[language]) for language in LANGUAGES}
    told = list(wordings)
    raw = read_yaml(folder / "biasing.yaml")
    try:
        return {
            language: _frame(
                raw[language],
                language,
                {law: shared[language] + _sources(told, language, law) for law in laws},
                tuple(BiasTerm(text=term.text, mishearings=term.mishearings) for term in terms[language]),
            )
            for language in LANGUAGES
        }
    except (KeyError, TypeError, AttributeError) as problem:
        raise PackError(f"biasing.yaml: a field is missing or has the wrong shape: {problem}") from problem


def _frame(
    raw: Any, language: Language, needed: Mapping[Jurisdiction, str], restored: tuple[BiasTerm, ...]
) -> PromptFrame:
    terms = [str(term) for term in raw["terms"]]
    for term in terms:
        if not any(_names(words, term) for words in needed.values()):
            raise PackError(
                f"biasing.yaml: {language}: terms: no rule, list, duty or cue of this language names {term!r}"
            )
    return PromptFrame(
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


def _sources(wordings: Iterable[PromptWording], language: Language, law: Jurisdiction) -> str:
    return (
        "\n".join(each.source.casefold() for each in wordings if each.language == language and law in each.laws) + "\n"
    )


def _shared(folder: Path, language: Language, restorable: Iterable[PhoneticTerm]) -> str:
    """What all laws share: every text under the language's key, at any depth, and the words worth restoring."""
    texts = [text for name in _WORDS_OF_PACKS for text in _texts(read_yaml(folder / name), language, inside=False)]
    return "\n".join([*texts, *(term.text for term in restorable)]).casefold() + "\n"


def _texts(raw: Any, language: Language, *, inside: bool) -> Iterable[str]:
    if isinstance(raw, dict):
        for key, value in raw.items():
            yield from _texts(value, language, inside=inside or key == language)
    elif isinstance(raw, list):
        for value in raw:
            yield from _texts(value, language, inside=inside)
    elif inside:
        yield str(raw)
