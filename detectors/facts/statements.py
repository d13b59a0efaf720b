"""Which statements an utterance makes, told by its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from asr.types import Utterance
from detectors.contract import CONDUCT, SAID, Conduct, Embedding, Said
from detectors.semantic.heads import Conversation, Heads

Kind = Said | Conduct
INFORMS: Final[tuple[Conduct, ...]] = ("gives_identity", "recording_notice", "verifies", "purpose")
"""Statements that count however rudely they are said."""
SURE: Final = 1.0
"""So far above their threshold log odds must lie before somebody is blamed for what follows from a statement."""
DOUBT: Final = 1.0
"""So far below the threshold they may lie where a statement clears somebody, because that person may have done it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """Recognises statements. `thresholds`: the log odds from which each kind counts as said."""

    heads: Heads
    thresholds: Mapping[str, float]

    def open(self) -> StatementsWatch:
        """A watch of one call."""
        return StatementsWatch(self)


class StatementsWatch:
    """Follows one call, because what was said before counts as well."""

    def __init__(self, statements: Statements) -> None:
        self._thresholds = statements.thresholds
        self._conversation = Conversation(statements.heads)

    def heard(self, utterance: Utterance, embedding: Embedding) -> dict[Kind, float]:
        """How far the log odds of each kind that the speaker can make lie above its threshold (negative: below).

        An agent's line that more likely than not breaks a rule makes no kind statement: "you have cancer, so you need
        not pay?" is no empathy.
        """
        meaning = self._conversation.heard(utterance.role, embedding)
        if not utterance.text.strip():
            return {}
        possible: tuple[Kind, ...] = SAID
        if utterance.role == "agent":
            possible = INFORMS if meaning.violates > 0 else CONDUCT
        return {kind: meaning.says[kind] - self._thresholds[kind] for kind in possible}
