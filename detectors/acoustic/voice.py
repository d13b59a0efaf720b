"""The agent's voice: shouting, told by level and pitch against the speaker's own, and talking over the customer.

Words are not needed. Nobody can tell from a level why somebody is loud, so a person has to listen: the findings are not
decided by the transcript, and of low severity.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import ClassVar, Final

from asr.types import Seconds, Utterance
from detectors.acoustic.talk import REMEMBERED, Stretch, breaks_in
from detectors.contract import Bilingual, CallContext, Jurisdiction, Observation
from detectors.packs.findings import finding_of
from detectors.packs.taxonomy import Category

CATEGORY: Final = "agent_emotion_escalation"
SHOUTING, INTERRUPTING = "acoustic.shouting", "acoustic.interrupting"

SHORTEST: Final[Seconds] = 1.0
"""An utterance must last so long to be measured. A "yes" is as loud as it happens to be."""
KNOWN: Final = 5
"""A speaker's own level and pitch are known after so many utterances."""
LOUDER_DB: Final = 8.0
"""So far above the speaker's own level an utterance is raised. Raised voices are 5 to 10 dB over ordinary ones,
shouting 15 and more."""
HIGHER: Final = 1.2
"""So many times the speaker's own pitch. The pitch of a pressed voice rises; that of a louder line does not."""

TIMES: Final = 3
WITHIN: Final[Seconds] = 60.0
"""Interruptions are told once there are so many within so long."""
ANOTHER: Final = 8
"""So many raised utterances in a row come from another voice."""
AGAIN_AFTER: Final[Seconds] = 120.0
"""A finding may be told again after so long."""

_RAISED: Final = Bilingual(zh="音量和音高明显高于坐席平时。", en="Much louder and higher than the agent's own voice. ")


class AcousticDetector:
    """Tells shouting and interrupting by the agent."""

    id: ClassVar[str] = "acoustic"

    def __init__(self, category: Category) -> None:
        self._category = category

    def open(self, call: CallContext) -> AcousticCall:
        return AcousticCall(self._category, call.jurisdiction)


class _Voice:
    """A speaker's own level and pitch, over the last utterances that were not raised."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=REMEMBERED)
        self._pitches: deque[float] = deque(maxlen=REMEMBERED)
        self._raised = 0

    def is_raised(self, utterance: Utterance) -> bool:
        """Whether the utterance is louder and higher than the speaker's own. A voice that stays so belongs to somebody
        else, who has taken over."""
        sound = utterance.acoustics
        if sound is None or sound.pitch_hz is None or utterance.end - utterance.start < SHORTEST:
            return False
        raised = (
            len(self._levels) >= KNOWN
            and sound.level_dbfs >= median(self._levels) + LOUDER_DB
            and sound.pitch_hz >= HIGHER * median(self._pitches)
        )
        self._raised = self._raised + 1 if raised else 0
        if self._raised > ANOTHER:
            self._levels.clear()
            self._pitches.clear()
            return False
        if not raised:
            self._levels.append(sound.level_dbfs)
            self._pitches.append(sound.pitch_hz)
        return raised


class AcousticCall:
    """One call's voices."""

    def __init__(self, category: Category, jurisdiction: Jurisdiction) -> None:
        self._category = category
        self._jurisdiction: Jurisdiction = jurisdiction
        self._agent = _Voice()
        self._customers: deque[Stretch] = deque(maxlen=REMEMBERED)
        self._interruptions: list[Seconds] = []
        self._told: dict[str, Seconds] = {}

    def heard(self, utterance: Utterance) -> list[Observation]:
        """Utterances come in the order of their ends. So the one that is broken in on has come before."""
        spoken = Stretch(start=utterance.start, end=utterance.end)
        if utterance.role == "customer":
            self._customers.append(spoken)
            return []
        told: list[Observation] = []
        if self._agent.is_raised(utterance):
            told += self._finding(SHOUTING, utterance.start, _RAISED, utterance)
        if any(breaks_in(spoken, customer) for customer in self._customers):
            told += self._broke_in(utterance)
        return told

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _broke_in(self, utterance: Utterance) -> list[Observation]:
        lately = [at for at in self._interruptions if at > utterance.end - WITHIN]
        self._interruptions = [*lately, utterance.start]
        count = len(self._interruptions)
        if count < TIMES:
            return []
        why = Bilingual(
            zh=f"一分钟内 {count} 次打断客户说话。",
            en=f"The agent broke in on the customer {count} times in a minute. ",
        )
        return self._finding(INTERRUPTING, self._interruptions[0], why, utterance)

    def _finding(self, rule: str, start: Seconds, before: Bilingual, utterance: Utterance) -> list[Observation]:
        if start < self._told.get(rule, -AGAIN_AFTER) + AGAIN_AFTER:
            return []
        self._told[rule] = utterance.end
        return [
            finding_of(
                self._category,
                self._jurisdiction,
                rule=rule,
                detector=AcousticDetector.id,
                score=0.6,
                start=start,
                end=utterance.end,
                quote=utterance.text,
                before=before,
                utterance_id=utterance.id,
                decided_by_transcript=False,
            )
        ]
