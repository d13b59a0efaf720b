"""Judging only what somebody can be held to: not while both channels of a call carry one signal. Plain."""

from __future__ import annotations

from asr.types import Seconds, Utterance
from detectors.contract import Finding, Observation
from detectors.runtime.runner import DetectorFailure
from service.calls.ports import DetectorRunner


class ChannelAwareDetectors:
    """Detectors that are asked nothing while nobody can tell the agent's words from the customer's.

    `were_equal`: they could not be told apart earlier in the call. From then on no duty is held missed: the agent may
    have done it in words that nobody could tell were the agent's.
    """

    def __init__(self, detectors: DetectorRunner, *, were_equal: bool = False) -> None:
        self._detectors = detectors
        self._equal = False
        self._were_equal = were_equal

    def channels(self, *, equal: bool) -> None:
        """Both channels carry one signal from here on, or no longer do."""
        self._equal = equal
        self._were_equal = self._were_equal or equal

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        return [] if self._equal else await self._detectors.heard(utterance)

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        return [] if self._equal else await self._detectors.foresee(utterance)

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else await self._detectors.unheard(start, end)

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else await self._detectors.elapsed(at)

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else await self._detectors.closed(at)
