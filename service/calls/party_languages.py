"""Which language each party of a call speaks, as far as its words have shown it. Plain; one a call.

Log odds are for Mandarin against English, in nats. A party may switch, and switch back: what it said last weighs most.
"""

from __future__ import annotations

from collections.abc import Sequence

from asr.languages import traits_of
from asr.types import Language, Role, Seconds

_MOST = 2.5
"""However long a party has spoken one language, this much evidence in one stretch tells of the other."""
_WHOLE: Seconds = 3.0
"""Speech this long tells its language as well as longer speech does; shorter speech counts in proportion."""
_KEPT = 0.5
"""Of what was known before, after that much speech."""
_OF_THE_OTHER = 0.5
"""Two who talk to each other mostly speak one language: what one speaks says half as much of who has said nothing
yet."""


class PartyLanguages:
    """The `leaning` of each party; nothing is learnt where the language is given."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._odds: dict[Role, float] = {}
        self._roles = tuple(roles)

    def leaning(self, role: Role) -> float:
        """How much likelier it is that what the party says next is Mandarin."""
        if role in self._odds:
            return self._odds[role]
        return _OF_THE_OTHER * sum(self._odds.get(other, 0.0) for other in self._roles)

    def restore(self, role: Role, language: Language, length: Seconds) -> None:
        """The party said something in that language in an earlier session of the call; the evidence is not kept."""
        self.recognised(role, language, traits_of(language).odds_sign * _MOST, length)

    def recognised(self, role: Role, language: Language, odds: float, length: Seconds) -> None:
        """The party said something of that length, which was taken for that language on evidence of these odds."""
        share = min(1.0, length / _WHOLE)
        towards = traits_of(language).odds_sign
        evidence = max(0.0, towards * odds) * towards  # what was decided against the evidence teaches nothing
        before = self.leaning(role)
        grown = before * (1 - share * (1 - _KEPT)) + share * evidence
        self._odds[role] = max(-_MOST, min(_MOST, grown))
