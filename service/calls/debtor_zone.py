"""The debtor's time zone of an announced call, and what a supervisor must know of it."""

from __future__ import annotations

from detectors.rules.hours import hours_lifted
from detectors.timezones.debtor import DebtorZone, debtor_zone
from service.ingest.events import CallAnnounced
from service.record.facts import Call, Notice
from service.settings import Settings
from service.storage.port import GatewayKey


def zone_of(announced: CallAnnounced, source: GatewayKey, settings: Settings) -> DebtorZone:
    """Whose clock the call is judged by. The service's default holds for calls of its default jurisdiction only."""
    jurisdiction = announced.jurisdiction or settings.jurisdiction
    default = settings.timezone if jurisdiction == settings.jurisdiction else ""
    return debtor_zone(announced.metadata, jurisdiction, source=source.timezone, default=default)


def zone_notices(zone: DebtorZone, call: Call) -> list[Notice]:
    """What is wrong with the zone, for the call's log: a zone that nobody knows matters where hours are judged."""
    trouble = zone.trouble()
    if trouble is None or (trouble[0] == "zone_unknown" and hours_lifted(call.metadata)):
        return []
    return [Notice(code=trouble[0], message=trouble[1], at=0.0)]
