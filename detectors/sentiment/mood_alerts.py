"""Alerts on moods: the customer's collapses, or the agent's escalates.

Nobody has broken a rule by that, so these findings are no violations. A supervisor should listen in, and perhaps step
in. Written words show neither irony nor a tone of voice, so the findings are not decided by the transcript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from asr.types import Role, Seconds, Utterance
from detectors.contract import Bilingual, Finding, Jurisdiction, Observation, Sentiment
from detectors.packs.findings import finding_of
from detectors.packs.taxonomy import Category
from detectors.sentences import last_sentence

FIRST: Final = 3
"""A mood is not known before a party has said so much, and cannot have fallen."""
IN_A_ROW: Final = 2
"""One negative utterance is no mood."""
AGAIN_AFTER: Final[Seconds] = 120.0
"""A finding may be told again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodRule:
    """A party's mood has fallen: the trend is `lowest` or less, and `drop` or more below its best so far."""

    id: str
    category: str
    title: Bilingual
    because: Bilingual
    lowest: float
    drop: float


MOOD_RULES: Final[Mapping[Role, MoodRule]] = {
    "customer": MoodRule(
        id="mood.customer_collapse",
        category="customer_mood_collapse",
        title=Bilingual(zh="客户情绪恶化，建议介入安抚", en="The customer's mood collapses; consider stepping in"),
        because=Bilingual(
            zh="客户情绪明显差于本通此前，且连续两句为负面。",
            en="The customer's mood is far worse than earlier in this call. ",
        ),
        lowest=-0.5,
        drop=0.6,
    ),
    "agent": MoodRule(
        id="mood.agent_escalation",
        category="agent_emotion_escalation",
        title=Bilingual(zh="坐席情绪升级", en="The agent's mood escalates"),
        because=Bilingual(
            zh="坐席语气明显差于本通此前，且连续两句为负面。",
            en="The agent's tone is far worse than earlier in this call. ",
        ),
        lowest=-0.3,
        drop=0.5,
    ),
}
"""Of whole calls written for training, compliant and violating ones, the customer's rule is met in 1 of 650 and 13 of
609, the agent's in 0 of 650 and 194 of 609."""


class _Mood:
    """How one party of a call has felt so far."""

    def __init__(self, rule: MoodRule) -> None:
        self._rule = rule
        self._known = 0
        self._negative = 0
        self._best = -1.0

    def falls(self, sentiment: Sentiment) -> bool:
        """Whether the mood has fallen with this utterance."""
        fallen = sentiment.trend <= min(self._rule.lowest, self._best - self._rule.drop)
        self._best = max(self._best, sentiment.trend)
        self._negative = self._negative + 1 if sentiment.label == "negative" else 0
        self._known += 1
        return fallen and self._negative >= IN_A_ROW and self._known > FIRST


class MoodAlerts:
    """The moods of one call. `categories`: the taxonomy's."""

    def __init__(self, categories: Mapping[str, Category], jurisdiction: Jurisdiction) -> None:
        self._categories = categories
        self._jurisdiction: Jurisdiction = jurisdiction
        self._moods = {role: _Mood(rule) for role, rule in MOOD_RULES.items()}
        self._told: dict[Role, Seconds] = {}

    def felt(self, utterance: Utterance, sentiment: Sentiment) -> list[Observation]:
        """What to tell once an utterance has this sentiment. Utterances of one party come in order."""
        role, fallen = utterance.role, self._moods[utterance.role].falls(sentiment)
        if not fallen or utterance.end < self._told.get(role, -AGAIN_AFTER) + AGAIN_AFTER:
            return []
        self._told[role] = utterance.end
        return [self._finding(MOOD_RULES[role], utterance)]

    def _finding(self, rule: MoodRule, utterance: Utterance) -> Finding:
        found = finding_of(
            self._categories[rule.category],
            self._jurisdiction,
            kind="mood",
            rule=rule.id,
            detector="sentiment",
            score=0.6,
            start=utterance.start,
            end=utterance.end,
            before=rule.because,
            decided_by_transcript=False,
        )
        found = replace(found, title=rule.title)
        if utterance.role == "customer":  # a quote is what the agent has said
            return replace(found, lead=last_sentence(utterance.text), lead_role="customer")
        return replace(found, quote=utterance.text, utterance_id=utterance.id)
