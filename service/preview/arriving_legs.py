"""Each leg of a connection as it arrives: its form, and when its audio comes. Plain; the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from asr.audio.codecs import payload_seconds
from asr.types import Role, Seconds
from service.ingest.events import AudioArrived, FormatChanged
from service.media.readings import LegReading
from service.preview.leg_arrival import LegArrival
from service.preview.values import LegPreview


class ArrivingLegs:
    """One connection's."""

    def __init__(self) -> None:
        self._forms: dict[Role, FormatChanged] = {}
        self._arrivals: dict[Role | None, LegArrival] = {}
        """None: of all legs, which come interleaved."""

    def reform(self, form: FormatChanged) -> None:
        """These legs come in this form from here on; no roles are all."""
        roles = form.roles or tuple(self._forms)
        self._forms.update(dict.fromkeys(roles, replace(form, roles=roles)))

    def arrived(self, audio: AudioArrived, now: Seconds) -> None:
        """Audio came. That of a leg without a form is left out."""
        form = next(iter(self._forms.values()), None) if audio.role is None else self._forms.get(audio.role)
        if form is None:
            return
        arrival = self._arrivals.get(audio.role)
        if arrival is None:
            arrival = self._arrivals[audio.role] = LegArrival()
        channels = len(form.roles) if audio.role is None else 1
        arrival.arrived(payload_seconds(audio.payload, form.encoding, form.rate, channels), audio.at, now)

    def shown(self, begun: Seconds, readings: Mapping[Role, LegReading]) -> tuple[LegPreview, ...]:
        """`begun`: when the connection was opened; `readings`: how its call takes them in."""
        return tuple(self._leg(role, form, begun, readings.get(role)) for role, form in self._forms.items())

    def _leg(self, role: Role, form: FormatChanged, begun: Seconds, reading: LegReading | None) -> LegPreview:
        arrival = self._arrivals.get(role) or self._arrivals.get(None) or LegArrival()
        return LegPreview(
            role=role,
            encoding=form.encoding,
            rate=form.rate,
            clock=form.clock,
            packets=arrival.packets,
            audio=round(arrival.audio, 3),
            last_at=None if arrival.last is None else round(arrival.last - begun, 3),
            jitter=round(arrival.jitter, 4),
            longest_pause=round(arrival.longest_pause, 3),
            reordered=arrival.reordered,
            pace=round(arrival.pace, 2),
            ahead=round(arrival.ahead, 3),
            reading=reading,
        )
