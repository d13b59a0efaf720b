"""What is written of a call: facts, what its detectors observed, notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from asr.types import Seconds
from detectors.contract import Observation
from detectors.runtime.runner import DetectorFailure
from service.calls.judging import CallAlerting
from service.calls.ports import Journal
from service.record.facts import Fact, Notice

log = structlog.get_logger()


class CallLog:
    """One call's, in the journal. `wall` tells when a fact is written."""

    def __init__(self, call_id: str, journal: Journal, alerting: CallAlerting, wall: Callable[[], datetime]) -> None:
        self._call_id = call_id
        self._journal = journal
        self._alerting = alerting
        self._wall = wall

    @property
    def failing(self) -> bool:
        """The store takes nothing now; what is written is kept until it does."""
        return self._journal.failing

    async def write(self, *facts: Fact) -> None:
        """At once and in this order."""
        if facts:
            await self._journal.write(self._call_id, facts, self._wall())

    async def observe(self, observed: Sequence[Observation | DetectorFailure], at: Seconds) -> None:
        """What the detectors said when the audio clock had reached `at`, and the alerts it raises."""
        await self.write(*self._alerting.facts(observed, at))

    async def tell(self, notice: Notice | None) -> None:
        """A change of the call's monitoring, where there is one."""
        if notice is not None:
            log.warning("call's monitoring changed", call_id=self._call_id, code=notice.code)
            await self.write(notice)
