"""What differs by language in recognition and in matching: a further language is an entry here, and its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from asr.types import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTraits:
    """`spaced`: spaces part its words, so words are what is matched and counted; else characters are.

    `restores_terms`: a misrecognised term is told by its sound and put in where the audio bears it out; else, of a
    beam's texts that are nearly as likely, one with more of the terms is preferred. `odds_sign`: 1 where log odds above
    0 mean this language, -1 where those below 0 do.
    """

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
    """What is so in that language."""
    return _TRAITS[language]


def likelier(odds: float) -> Language:
    """The language that log odds speak for; Mandarin where they speak for none."""
    sign = 1 if odds >= 0 else -1
    return next(language for language, traits in _TRAITS.items() if traits.odds_sign == sign)
