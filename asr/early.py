"""Texts that came, or will come, of partials, for finals of the very same speech. Plain.

An utterance ends some silence after its last word; a partial taken as that silence begins holds all that the final
will. When the silence lasts, the final need not be recognised again.
"""

from __future__ import annotations

from asr.scheduling import Job, Leg, Stretch
from asr.seat import Heard


class EarlyTexts:
    """The last partial of each leg that is done, and the finals that wait for one that is in work."""

    def __init__(self) -> None:
        self.heirs: dict[Job, Job] = {}
        """A partial in work, and the final that will take over its text."""
        self._done: dict[Leg, tuple[Stretch, Heard]] = {}

    def text_for(self, final: Job) -> Heard | None:
        """What came of the leg's last partial, if the same was asked of it and it left no doubt."""
        stretch, heard = self._done.pop(final.leg, (None, Heard()))
        return heard if stretch == final.stretch and not heard.doubtful else None

    def done(self, job: Job, heard: Heard) -> Job | None:
        """This came of a job: the final that waits for it, if one does."""
        if job.rank == "partial":
            self._done[job.leg] = job.stretch, heard
        return self.heirs.pop(job, None)

    def forget(self, call_id: str) -> None:
        """Nobody will ask for this call's again."""
        for leg in [leg for leg in self._done if leg[0] == call_id]:
            del self._done[leg]
