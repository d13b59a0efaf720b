"""The words so far of utterances that still go on. One for each call, called after every piece of audio; it holds
callbacks of requests in work.

A leg's text is asked for every 1.5 s of speech, quickly. When its speaker pauses, it is asked for with full care. If
the pause turns out to be the end, that text is the final one, and its wording tells how long to wait for more.

Words that two texts in a row agree on are shown at once, and handed on to the detectors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from asr.audio.pcm import samples_in_ms, seconds
from asr.endpointing.clauses import complete
from asr.endpointing.endpointer import LegEndpointer
from asr.engines.port import Effort
from asr.recognition.agreement import Agreement
from asr.types import Role, Transcript
from service.calls.call_recognition import CallRecognition, PartialUtterance

_EVERY = samples_in_ms(1_500)


@dataclass(slots=True, kw_only=True)
class _GoingOn:
    """One utterance in progress. Positions are samples on its leg's timeline."""

    since: int
    asked: int
    recognised_until: int = 0
    agreement: Agreement = field(default_factory=Agreement)


class Partials:
    """Follows the utterances in progress. `tell` is called from the event loop with newly agreed words."""

    def __init__(
        self,
        recognition: CallRecognition,
        endpointers: Mapping[Role, LegEndpointer],
        tell: Callable[[PartialUtterance], None],
    ) -> None:
        self._recognition = recognition
        self._endpointers = endpointers
        self._tell = tell
        self._going_on: dict[Role, _GoingOn] = {}

    def look(self) -> None:
        """See who speaks, and ask for the words so far where it is time."""
        for role, endpointer in self._endpointers.items():
            since = endpointer.speech_since
            if since is None:
                self._going_on.pop(role, None)
                continue
            going_on = self._going_on.get(role)
            if going_on is None or going_on.since != since:
                going_on = self._going_on[role] = _GoingOn(since=since, asked=since)
            pause = endpointer.pause_since
            if pause is not None and pause != going_on.asked:
                self._ask(role, going_on, pause, "normal")
            elif pause is None and endpointer.taken_in - going_on.asked >= _EVERY:
                self._ask(role, going_on, endpointer.taken_in, "quick")

    def _ask(self, role: Role, going_on: _GoingOn, until: int, effort: Effort) -> None:
        going_on.asked = until
        asked = self._recognition.ask_early(role, self._endpointers[role].speech_until(until), effort)
        asked.add_done_callback(lambda answer: self._answered(role, going_on, until, answer))

    def _answered(self, role: Role, going_on: _GoingOn, until: int, answer: asyncio.Future[Transcript | None]) -> None:
        """An answer came. There is none if the utterance has ended meanwhile, there was no time, or the engine failed;
        the final text is asked for by itself."""
        if answer.cancelled() or answer.exception() is not None or (recognised := answer.result()) is None:
            return
        if until < going_on.recognised_until or self._going_on.get(role) is not going_on:
            return
        going_on.recognised_until = until
        endpointer = self._endpointers[role]
        if endpointer.pause_since == until:
            endpointer.expect(complete(recognised.text, recognised.language))
        before = going_on.agreement.text
        agreed = going_on.agreement.add(recognised.text)
        if agreed != before:
            said = replace(recognised, text=agreed)
            self._tell(PartialUtterance(role=role, start=seconds(going_on.since), end=seconds(until), recognised=said))
