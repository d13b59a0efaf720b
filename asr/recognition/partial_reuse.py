"""Texts that came, or will come, of partials, for finals of the very same speech. Plain.

An utterance ends some silence after its last word; a partial taken as that silence begins holds all that the final
will. When the silence lasts, the final need not be recognised again.
"""

from __future__ import annotations

from asr.recognition.queue import LegKey, RecognitionRequest, StretchKey
from asr.types import Transcript


class PartialReuse:
    """The last partial of each leg that is done, and the finals that wait for one that is in work."""

    def __init__(self) -> None:
        self.awaited_by: dict[RecognitionRequest, RecognitionRequest] = {}
        """A partial in work, and the final that will take over its text."""
        self._done: dict[LegKey, tuple[StretchKey, Transcript | None]] = {}

    def holds(self, final: RecognitionRequest) -> bool:
        """Whether the leg's last partial asked the same and left no doubt."""
        stretch, heard = self._done.get(final.leg, (None, None))
        return stretch == final.stretch and not (heard and heard.doubtful)

    def take(self, final: RecognitionRequest) -> Transcript | None:
        """What came of that partial: None where nobody speaks."""
        return self._done.pop(final.leg)[1]

    def done(self, request: RecognitionRequest, heard: Transcript | None) -> RecognitionRequest | None:
        """This came of a request: the final that waits for it, if one does."""
        if request.kind == "partial":
            self._done[request.leg] = request.stretch, heard
        return self.awaited_by.pop(request, None)

    def forget(self, call_id: str) -> None:
        """Nobody will ask for this call's again."""
        for leg in [leg for leg in self._done if leg[0] == call_id]:
            del self._done[leg]
