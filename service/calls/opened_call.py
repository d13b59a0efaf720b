"""What a call is when it is opened: what was announced of it, else what its source says, else the service. Pure."""

from __future__ import annotations

from datetime import datetime

from detectors.rules.hours import hours_lifted
from detectors.timezones.debtor import DebtorZone, debtor_zone
from service.ingest.events import CallAnnounced
from service.ingest.source import Source
from service.record.facts import Call, Notice
from service.settings import Settings


def opened_call(
    call_id: str, announced: CallAnnounced, source: Source, settings: Settings, now: datetime
) -> tuple[Call, list[Notice]]:
    """The call, and what a supervisor must know of the zone that it is judged by."""
    zone = debtors_zone(announced, source, settings)
    call = Call(
        id=call_id,
        source=source.name,
        roles=announced.all_roles,
        encoding=announced.encoding,
        rate=announced.rate,
        language=announced.language or source.language or settings.language,
        jurisdiction=announced.jurisdiction or source.jurisdiction or settings.jurisdiction,
        started_at=announced.started_at or now,
        agent=announced.agent,
        customer=announced.customer,
        timezone=zone.name,
        metadata=announced.metadata,
    )
    return call, _zone_notices(zone, call)


def debtors_zone(announced: CallAnnounced, source: Source, settings: Settings) -> DebtorZone:
    """Whose clock the call is judged by. The service's default holds for calls of its default jurisdiction only."""
    jurisdiction = announced.jurisdiction or source.jurisdiction or settings.jurisdiction
    default = settings.timezone if jurisdiction == settings.jurisdiction else ""
    return debtor_zone(announced.metadata, jurisdiction, source=source.timezone, default=default)


def _zone_notices(zone: DebtorZone, call: Call) -> list[Notice]:
    """What is wrong with the zone: one that nobody knows matters where hours are judged."""
    trouble = zone.trouble()
    if trouble is None or (trouble[0] == "zone_unknown" and hours_lifted(call.metadata)):
        return []
    return [Notice(code=trouble[0], message=trouble[1], at=0.0)]
