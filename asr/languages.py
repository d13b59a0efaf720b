"""What differs by language in recognition and in matching. A further language is an entry here, and its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from asr.types import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTraits:
    """`spaced`: spaces separate the words, so words are matched and counted; otherwise characters are.
    `restores_terms`: a misrecognised term is found by its sound, and put in where the audio supports it. Otherwise, of
    a beam's texts that are nearly as likely, the one with more of the terms is taken. `odds_sign`: 1 if log odds above
    0 mean this language, -1 if those below 0 do."""

    spaced: bool
    restores_terms: bool
    odds_sign: Literal[1, -1]


_TRAITS: Mapping[Language, LanguageTraits] = MappingProxyType(
    {
        "zh": LanguageTraits(spaced=False, restores_terms=True, odds_sign=1),
        "en": LanguageTraits(spaced=True, restores_terms=False, odds_sign=-1),
    }
)


def traits_of(language: Language) -> LanguageTraits:
    """The traits of a language."""
    return _TRAITS[language]


def likelier(odds: float) -> Language:
    """The language that log odds speak for; Mandarin where they speak for none."""
    sign = 1 if odds >= 0 else -1
    return next(language for language, traits in _TRAITS.items() if traits.odds_sign == sign)
