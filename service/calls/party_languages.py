"""The language of each party of a call, as far as its words have shown it. Plain; one for each call.

Log odds are for Mandarin against English, in nats. A party may switch, and switch back, so what it said last weighs
most.
"""

from __future__ import annotations

from collections.abc import Sequence

from asr.languages import traits_of
from asr.types import Language, Role, Seconds

_MOST = 2.5
"""The greatest log odds, however long a party has spoken one language. Evidence of as much in one stretch shows a
switch."""
_WHOLE: Seconds = 3.0
"""Speech of this length tells its language as well as longer speech. Shorter speech counts in proportion."""
_KEPT = 0.5
"""The share of earlier evidence that is kept after that much speech."""
_OF_THE_OTHER = 0.5
"""Two people who talk to each other mostly speak one language. So what one speaks counts half for the other, as long as
that one has said nothing."""


class PartyLanguages:
    """The `leaning` of each party. Where the language is given, nothing is learnt."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._odds: dict[Role, float] = {}
        self._roles = tuple(roles)

    def leaning(self, role: Role) -> float:
        """The log odds that the party's next words are Mandarin."""
        if role in self._odds:
            return self._odds[role]
        return _OF_THE_OTHER * sum(self._odds.get(other, 0.0) for other in self._roles)

    def restore(self, role: Role, language: Language, length: Seconds) -> None:
        """The party said something in that language in an earlier session of the call, whose evidence is not kept."""
        self.recognised(role, language, traits_of(language).odds_sign * _MOST, length)

    def recognised(self, role: Role, language: Language, odds: float, length: Seconds) -> None:
        """The party said something of that length. It was taken for that language, on evidence of these log odds."""
        share = min(1.0, length / _WHOLE)
        towards = traits_of(language).odds_sign
        evidence = max(0.0, towards * odds) * towards  # what was decided against the evidence teaches nothing
        before = self.leaning(role)
        grown = before * (1 - share * (1 - _KEPT)) + share * evidence
        self._odds[role] = max(-_MOST, min(_MOST, grown))
