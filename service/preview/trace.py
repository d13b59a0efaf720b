"""What passes on one gateway connection, as far as it is shown. Plain: told by the gateway's shell.

Everything is bounded, whatever the peer sends, and a message costs next to nothing: a text is read again only where it
is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

from asr.types import Role, Seconds
from service.ingest.dialect import DialectOutput
from service.ingest.events import (
    CLOSE_ABNORMAL,
    AudioArrived,
    CallAnnounced,
    DigitPressed,
    FormatChanged,
    Irregularity,
    IrregularityKind,
)
from service.ingest.source import Source
from service.media.readings import LegReading
from service.preview.arriving_legs import ArrivingLegs
from service.preview.kept_messages import KeptMessages
from service.preview.masking import pairs_as_they_came
from service.preview.understanding import understood
from service.preview.values import (
    ConnectionPreview,
    PreviewEnding,
    PreviewNotice,
    PreviewRefusal,
    PreviewState,
    SeenHandshake,
)
from service.settings import Settings

MOST_NOTICES: Final = 24

Readings: TypeAlias = Callable[[], Mapping[Role, LegReading]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TakenCall:
    """`announced`: with what its source says of it, and no more of its metadata than is shown."""

    call_id: str
    resumed: bool
    announced: CallAnnounced
    source: Source


class ConnectionTrace:
    """`now` is of a steady clock, `at` the time of day at the same moment. `credential` and `names_parties` as
    ConnectionPreview has them."""

    def __init__(
        self, seen: SeenHandshake, now: Seconds, at: datetime, *, credential: str = "", names_parties: bool = False
    ) -> None:
        self.seen = seen
        self.refusal: PreviewRefusal | None = None
        self._begun = now
        self._at = at
        self._times = 1
        self._credential = credential
        self._names_parties = names_parties
        self._vendor = ""
        self._texts = self._binaries = self._size = self._digits = 0
        self._last: Seconds | None = None
        self._messages = KeptMessages()
        self._legs = ArrivingLegs()
        self._notices: dict[tuple[IrregularityKind, str], PreviewNotice] = {}
        self._call: _TakenCall | None = None
        self._readings: Readings = dict[Role, LegReading]
        self._ending: PreviewEnding | None = None

    def matched(self, credential: str) -> None:
        """It is known only now whose it is, by this."""
        self._credential = credential

    def same(self, other: ConnectionTrace) -> bool:
        """Both are from one peer, ask for the same, and are not let in for the same reason."""
        mine, theirs = self.seen, other.seen
        asked = (mine.dialect, mine.address, mine.path) == (theirs.dialect, theirs.address, theirs.path)
        return asked and self.refusal is not None and self.refusal == other.refusal

    def again(self, other: ConnectionTrace) -> None:
        """The same came once more and was not let in."""
        self._times += 1
        self._begun, self._at = other._begun, other._at

    def received(self, message: str | bytes, outputs: Sequence[DialectOutput], now: Seconds) -> None:
        """A message came, and came to that; to nothing where it broke the protocol."""
        self._last = now
        self._size += len(message)
        if isinstance(message, str):
            self._texts += 1
        else:
            self._binaries += 1
        within_call = self._call is not None
        sound = self.happened(outputs, now)
        if not (sound and self._messages.begun):
            self._messages.add(message, round(now - self._begun, 3), within_call=within_call)

    def happened(self, outputs: Sequence[DialectOutput], now: Seconds) -> bool:
        """What a message, or the passing of time, came to; whether there is sound among it."""
        sound = False
        for event in outputs:
            if isinstance(event, AudioArrived):
                sound = True
                self._legs.arrived(event, now)
            else:
                self._told(event)
        return sound

    def _told(self, event: DialectOutput) -> None:
        match event:
            case CallAnnounced():
                self._vendor = event.vendor
                self._legs.reform(_form(event))
            case FormatChanged():
                self._legs.reform(event)
            case DigitPressed():
                self._digits += 1
            case Irregularity():
                self._note(event)
            case _:
                pass

    def _note(self, odd: Irregularity) -> None:
        key = (odd.kind, odd.field)
        held = self._notices.get(key)
        if held is not None:
            self._notices[key] = replace(held, times=held.times + 1)
        elif len(self._notices) < MOST_NOTICES:
            self._notices[key] = PreviewNotice(kind=odd.kind, field=odd.field, message=odd.message, times=1)

    def attached(
        self, call_id: str, announced: CallAnnounced, source: Source, readings: Readings, *, resumed: bool
    ) -> None:
        """The call is taken. `readings` tells how its legs come in."""
        self._legs.reform(replace(_form(announced), clock=source.clock or announced.clock))
        kept = replace(announced, metadata=pairs_as_they_came(announced.metadata))
        self._call = _TakenCall(call_id=call_id, announced=kept, source=source, resumed=resumed)
        self._readings = readings

    def refuse(self, refusal: PreviewRefusal) -> None:
        """It is not taken, or ended. The first reason counts."""
        self.refusal = self.refusal or refusal

    def closed(self, by: Literal["gateway", "service"], code: int, reason: str, now: Seconds) -> None:
        """The connection is over. Who ended it first counts."""
        if self._ending is None:
            self._ending = PreviewEnding(at=round(now - self._begun, 3), by=by, code=code, reason=reason)

    def left(self, now: Seconds) -> None:
        """Nobody holds the connection any more, and it holds no call."""
        self.closed("gateway", CLOSE_ABNORMAL, "", now)
        last = dict(self._readings())
        self._readings = lambda: last

    def shown(self, number: int, now: Seconds, settings: Settings) -> ConnectionPreview:
        """As it stands, for admins."""
        call = self._call
        return ConnectionPreview(
            id=number,
            seen=self.seen,
            opened_at=self._at,
            times=self._times,
            state=self._state,
            seconds=round(now - self._begun, 3) if self._ending is None else self._ending.at,
            credential=self._credential,
            vendor=self._vendor,
            names_parties=self._names_parties,
            texts=self._texts,
            binaries=self._binaries,
            size=self._size,
            last_at=None if self._last is None else round(self._last - self._begun, 3),
            messages=self._messages.shown,
            call_id="" if call is None else call.call_id,
            resumed=call is not None and call.resumed,
            fields=()
            if call is None
            else understood(call.announced, call.source, settings, self.seen, self._messages.beginning),
            metadata={} if call is None else call.announced.metadata,
            legs=self._legs.shown(self._begun, self._readings()),
            digits=self._digits,
            notices=tuple(self._notices.values()),
            refusal=self.refusal,
            ending=self._ending,
        )

    @property
    def _state(self) -> PreviewState:
        if self.refusal is not None:
            return "refused"
        if self._ending is not None:
            return "ended"
        return "waiting" if self._call is None else "live"


def _form(announced: CallAnnounced) -> FormatChanged:
    return FormatChanged(encoding=announced.encoding, rate=announced.rate, roles=announced.roles, clock=announced.clock)
