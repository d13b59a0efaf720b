"""The call as it is opened: what its announcement leaves out comes from its source, or else from the service. Pure."""

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
    """The call, and notices of what a supervisor must know about its time zone."""
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
    """The zone by which the call is judged. The service's default holds only for calls of its default jurisdiction."""
    jurisdiction = announced.jurisdiction or source.jurisdiction or settings.jurisdiction
    default = settings.timezone if jurisdiction == settings.jurisdiction else ""
    return debtor_zone(announced.metadata, jurisdiction, source=source.timezone, default=default)


def _zone_notices(zone: DebtorZone, call: Call) -> list[Notice]:
    """Notices of what is wrong with the zone. An unknown zone matters only where hours are judged."""
    trouble = zone.trouble()
    if trouble is None or (trouble[0] == "zone_unknown" and hours_lifted(call.metadata)):
        return []
    return [Notice(code=trouble[0], message=trouble[1], at=0.0)]
