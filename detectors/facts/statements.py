"""Which statements an utterance makes, by what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from asr.types import Utterance
from detectors.contract import CONDUCT, SAID, Conduct, Embedding, Said
from detectors.semantic.heads import Conversation, Heads

Kind = Said | Conduct
INFORMS: Final[tuple[Conduct, ...]] = ("gives_identity", "recording_notice", "verifies", "purpose")
"""What is done however rudely it is said."""
SURE: Final = 1.0
"""How far log odds must lie above their threshold where somebody is blamed for what follows from a statement."""
DOUBT: Final = 1.0
"""How far they may lie below where a statement clears somebody: who may have done it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """`thresholds`: log odds from which on each kind counts as said."""

    heads: Heads
    thresholds: Mapping[str, float]

    def open(self) -> StatementsWatch:
        """A call's own watch."""
        return StatementsWatch(self)


class StatementsWatch:
    """Follows one call: what was said before decides as well."""

    def __init__(self, statements: Statements) -> None:
        self._thresholds = statements.thresholds
        self._conversation = Conversation(statements.heads)

    def heard(self, utterance: Utterance, embedding: Embedding) -> dict[Kind, float]:
        """How far the log odds of each kind that its speaker can make lie above the threshold; below it where negative.
        Nothing kind of an agent's that more likely than not breaks a rule: "you have cancer, so you need not pay?" is
        no empathy."""
        meaning = self._conversation.heard(utterance.role, embedding)
        if not utterance.text.strip():
            return {}
        possible: tuple[Kind, ...] = SAID
        if utterance.role == "agent":
            possible = INFORMS if meaning.violates > 0 else CONDUCT
        return {kind: meaning.says[kind] - self._thresholds[kind] for kind in possible}
