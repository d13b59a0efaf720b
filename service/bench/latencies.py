"""What was played into one call, what came back, and when: how late, lost, doubled or out of order it is. Plain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from asr.types import ROLES, Language, Seconds, Utterance
from service.bench.call_layout import BenchCall, PlacedClip
from service.bench.error_rates import Edits, edits, units
from service.client import PACKET_SECONDS, FactSeen
from service.record.facts import Alert, AlertRaised, GapMarked, UtteranceHeard


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """How many seconds after its end was sent an utterance's text, or an alert, came; and where that end lies."""

    end: Seconds
    seconds: Seconds


@dataclass(slots=True, kw_only=True, eq=False)
class CallLatencies:
    """One call."""

    call: BenchCall
    sent: list[float] = field(default_factory=list)
    """When each packet was sent, monotonic."""
    utterances: list[Utterance] = field(default_factory=list)
    gaps: list[GapMarked] = field(default_factory=list)
    finals: list[Late] = field(default_factory=list)
    raised: list[tuple[Alert, float]] = field(default_factory=list)
    """Alerts about words, and when each came."""

    def packet_sent(self, now: float) -> None:
        """One more packet is out."""
        self.sent.append(now)

    def seen(self, answer: FactSeen) -> None:
        """A fact of the call came back."""
        match answer.fact:
            case UtteranceHeard(utterance=utterance):
                self.utterances.append(utterance)
                self.finals.append(self._late(utterance.end, answer.at))
            case AlertRaised(alert=alert) if _spoken(alert):
                self.raised.append((alert, answer.at))
            case GapMarked():
                self.gaps.append(answer.fact)
            case _:
                pass

    def _late(self, end: Seconds, at: float) -> Late:
        packet = min(len(self.sent), max(1, math.ceil(end / PACKET_SECONDS - 1e-6))) - 1
        return Late(end=end, seconds=at - self.sent[packet])

    @property
    def alerts(self) -> list[Late]:
        """Seconds from the end of the utterance with the evidence to the alert. Negative if the alert came before the
        end."""
        ends = {each.id: each.end for each in self.utterances}
        return [self._late(ends[alert.utterance_id], at) for alert, at in self.raised if alert.utterance_id in ends]

    @property
    def alerts_after_evidence(self) -> list[Late]:
        """Seconds from the last word of the evidence itself to the alert; its speaker may go on for long."""
        return [self._late(alert.end, at) for alert, at in self.raised]

    @property
    def doubled(self) -> int:
        """Utterances that came more than once."""
        return len(self.utterances) - len({each.id for each in self.utterances})

    @property
    def out_of_order(self) -> int:
        """Utterances that are not their leg's next."""
        wrong = 0
        for role in ROLES:
            leg = [each for each in self.utterances if each.role == role]
            wrong += sum(each.index != at or each.start < before for at, each, before in _with_end_before(leg))
        return wrong

    def lost(self) -> list[PlacedClip]:
        """Clips that were played and brought neither text nor a marked gap."""
        return [placed for placed in self.call.placed if not self._answered(placed)]

    def _answered(self, placed: PlacedClip) -> bool:
        texts = [(each.start, each.end) for each in self.utterances if each.role == placed.role]
        gaps = [(each.start, each.end) for each in self.gaps if each.role in (None, placed.role)]
        return any(start < placed.end and placed.start < end for start, end in texts + gaps)

    def edits(self, language: Language) -> Edits:
        """The edits against what was played, with each leg's words in a row."""
        total = Edits()
        for role in ROLES:
            said = " ".join(each.text for each in self.call.placed if each.role == role)
            recognised = " ".join(each.text for each in self.utterances if each.role == role)
            total += edits(units(said, language), units(recognised, language))
        return total


def within(lates: Sequence[Late], first: Seconds, last: Seconds) -> list[Seconds]:
    """The latenesses of what ended within [first, last]."""
    return [late.seconds for late in lates if first <= late.end <= last]


def _spoken(alert: Alert) -> bool:
    """Whether the alert is about words. The moment of a missed duty is not one of speech."""
    return alert.utterance_id is not None


def _with_end_before(leg: Sequence[Utterance]) -> list[tuple[int, Utterance, Seconds]]:
    return [(at, each, leg[at - 1].end if at else 0.0) for at, each in enumerate(leg)]
