"""Tells when the agent talks for a minute and does not let the customer speak: a detector of one's own."""

from dataclasses import replace
from typing import ClassVar

from asr.types import Seconds, Utterance
from detectors.contract import Bilingual, CallContext, Finding, Observation

LONGEST: Seconds = 60.0
MONOLOGUE = Finding(
    kind="violation",
    category="monologue",
    rule="monologue",
    detector="monologue",
    severity="low",
    score=0.9,
    role="agent",
    start=0.0,
    end=0.0,
    quote="",
    title=Bilingual(zh="长时间独白", en="Monologue"),
    why=Bilingual(zh="应给客户说话的机会", en="The customer should get a chance to speak"),
    cites=(),
)


class MonologueDetector:
    id: ClassVar[str] = "monologue"

    def open(self, call: CallContext) -> "MonologueCall":
        return MonologueCall()


class MonologueCall:
    def __init__(self) -> None:
        self.since: Seconds | None = None

    def heard(self, said: Utterance) -> list[Observation]:
        if said.role == "customer":
            self.since = None
            return []
        since = self.since = said.start if self.since is None else self.since
        if said.end - since < LONGEST:
            return []
        self.since = said.end
        return [replace(MONOLOGUE, start=since, end=said.end, utterance_id=said.id)]

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []
