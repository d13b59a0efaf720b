"""A call's detectors, asked only where somebody can be held to what was said; and the evidence of their findings in
whole sentences: they say which words told, and this says what those stood in.

Detectors only name the telling words. What both parties said before is known here and in no detector.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from asr.types import Seconds, Utterance
from detectors.contract import Finding, Observation
from detectors.rules.lexical import joint
from detectors.runtime.runner import DetectorFailure
from detectors.sentences import last_sentence, passage_of
from service.calls.earlier_call import hides_speech
from service.calls.ports import DetectorRunner
from service.record.facts import GapMarked, Notice

REMEMBERED: Final = 64
"""So many utterances are remembered. A late detector owes three answers at most, and parties that talk over each other
do it within a few utterances."""


class SaidLately:
    """The last utterances of one call, from which findings get their sentences."""

    def __init__(self) -> None:
        self._utterances: deque[Utterance] = deque(maxlen=REMEMBERED)

    def add(self, utterance: Utterance) -> None:
        """An utterance was said, and its text is final."""
        self._utterances.append(utterance)

    def quoted(self, finding: Finding, going_on: Utterance | None = None) -> Finding:
        """The finding with its sentence and the one before it, as far as they are known. `going_on`: the finding's
        utterance, if that has no final text yet."""
        said = going_on or next((each for each in reversed(self._utterances) if each.id == finding.utterance_id), None)
        if said is None or not finding.quote:
            return finding
        last = self._last_of_the_same(said) if finding.start < said.start else None
        both = "" if last is None else joint(last, said) + said.text
        if last is not None and (begin := both.rfind(finding.quote)) >= 0:
            return self._with_passage(finding, last, both, begin)
        place = _place(finding, said)
        return finding if place is None else self._with_passage(finding, said, said.text, place)

    def _with_passage(self, finding: Finding, first: Utterance, text: str, begin: int) -> Finding:
        """The finding with the passage of `text` around its quote. `text[begin:]` begins with the quote; `first` is the
        utterance that it begins in."""
        passage = passage_of(text, begin, begin + len(finding.quote))
        if passage.lead:
            return replace(finding, sentence=passage.sentence, lead=passage.lead, lead_role=first.role)
        before = self._before(first)
        if before is None:
            return replace(finding, sentence=passage.sentence)
        lead = last_sentence(before.text)
        return replace(finding, sentence=passage.sentence, lead=lead, lead_role=before.role)

    def _before(self, said: Utterance) -> Utterance | None:
        """The utterance of either party that was the last to begin before this one."""
        earlier = [each for each in self._utterances if each.start < said.start and each.text.strip()]
        return max(earlier, key=lambda each: each.start, default=None)

    def _last_of_the_same(self, said: Utterance) -> Utterance | None:
        own = [each for each in self._utterances if each.role == said.role and each.start < said.start]
        return own[-1] if own else None


class CallDetectors:
    """A call's detectors, as its writer asks them: nothing while nobody can tell the agent's words from the customer's.
    Their findings tell the sentence that the quote stands in.

    `were_equal`: the parties could not be told apart earlier in the call. From then on no duty is held missed: the
    agent may have done it in words that nobody could tell were the agent's.
    """

    def __init__(self, detectors: DetectorRunner, *, were_equal: bool = False) -> None:
        self._detectors = detectors
        self._said = SaidLately()
        self._equal = False
        self._were_equal = were_equal

    def channels(self, *, equal: bool) -> None:
        """Both channels carry one signal from here on, or no longer do."""
        self._equal = equal
        self._were_equal = self._were_equal or equal

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        if self._equal:
            return []
        self._said.add(utterance)
        return self._quoted(await self._detectors.heard(utterance))

    async def heard_again(self, utterances: Sequence[Utterance]) -> list[Observation | DetectorFailure]:
        if self._equal:
            return []
        for utterance in utterances:
            self._said.add(utterance)
        return self._quoted(await self._detectors.heard_again(utterances))

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        if self._equal:
            return []
        return [self._said.quoted(finding, utterance) for finding in await self._detectors.foresee(utterance)]

    async def missed(self, gap: GapMarked) -> list[Observation | DetectorFailure]:
        """Nobody knows what was said in this gap, if it hides speech at all."""
        if self._were_equal or not hides_speech(gap):
            return []
        return self._quoted(await self._detectors.unheard(gap.start, gap.end))

    async def waited(self, notice: Notice) -> list[Observation | DetectorFailure]:
        """Nothing came for a while, where that is what the notice tells."""
        return self._quoted(await self._detectors.held(notice.at, notice.missing)) if notice.missing else []

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else self._quoted(await self._detectors.elapsed(at))

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else self._quoted(await self._detectors.closed(at))

    def _quoted(self, observed: Sequence[Observation | DetectorFailure]) -> list[Observation | DetectorFailure]:
        return [self._said.quoted(seen) if isinstance(seen, Finding) else seen for seen in observed]


def _place(finding: Finding, said: Utterance) -> int | None:
    """The place of the quote in the utterance. If there are several, the finding's time tells which."""
    quote, places = finding.quote, list[int]()
    place = said.text.find(quote)
    while place >= 0:
        places.append(place)
        place = said.text.find(quote, place + 1)

    def off(begin: int) -> Seconds:
        return abs(said.span_in_time(begin, begin + len(quote))[0] - finding.start)

    return min(places, key=off, default=None)
