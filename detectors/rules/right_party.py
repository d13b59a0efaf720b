"""Has the right party been confirmed? The agent asks, the customer says yes: debt may be spoken of from then on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.types import LANGUAGES, Seconds, Utterance
from detectors.matching.pattern import Pattern, PatternError, folds
from detectors.packs.loader import PackVocabulary
from detectors.packs.taxonomy import PACKS, PackError, read_yaml

ANSWER_WITHIN: Seconds = 12.0
"""A yes later than this after the question answers something else."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RightPartyCheck:
    """The patterns, compiled once."""

    asks: tuple[Pattern, ...]
    confirms: tuple[Pattern, ...]
    denies: tuple[Pattern, ...]

    def open(self) -> RightPartyWatch:
        """A call's own watch."""
        return RightPartyWatch(self)


class RightPartyWatch:
    """Follows one call. `confirmed_at` is the end of the customer's confirming answer, None until then."""

    def __init__(self, patterns: RightPartyCheck) -> None:
        self._patterns = patterns
        self._asked_at: Seconds | None = None
        self.confirmed_at: Seconds | None = None
        self._denied = False

    @property
    def denied(self) -> bool:
        """Somebody else has answered, and the right party has not come to the telephone since."""
        return self._denied and self.confirmed_at is None

    def heard(self, utterance: Utterance) -> None:
        """One utterance of either party."""
        if self.confirmed_at is not None:
            return
        if utterance.role == "agent":
            if says(utterance.text, self._patterns.asks):
                self._asked_at = utterance.end
        elif self._asked_at is not None and utterance.start - self._asked_at <= ANSWER_WITHIN:
            denied = says(utterance.text, self._patterns.denies)
            self._denied = self._denied or denied
            if not denied and says(utterance.text, self._patterns.confirms):
                self.confirmed_at = utterance.end


def load_right_party_check(vocabulary: PackVocabulary, path: Path = PACKS / "right_party.yaml") -> RightPartyCheck:
    """Read right_party.yaml. Raises PackError."""
    raw = read_yaml(path)
    try:
        return RightPartyCheck(
            asks=compile_patterns(raw["asks"], vocabulary),
            confirms=compile_patterns(raw["confirms"], vocabulary),
            denies=compile_patterns(raw["denies"], vocabulary),
        )
    except (KeyError, TypeError, AttributeError, PatternError) as problem:
        raise PackError(f"{path.name}: {problem}") from problem


def says(text: str, patterns: tuple[Pattern, ...]) -> bool:
    """Whether any of the patterns is in the text."""
    folded = folds(text)
    return any(
        True for pattern in patterns if pattern.language in folded for _ in pattern.spans(folded[pattern.language])
    )


def compile_patterns(raw: Any, vocabulary: PackVocabulary) -> tuple[Pattern, ...]:
    """The zh and en patterns of one entry. Raises PatternError."""
    return tuple(
        Pattern(source, language, vocabulary.lists[language])
        for language in LANGUAGES
        for source in raw.get(language, ())
    )
