from __future__ import annotations

from service.calls.debtor_zone import zone_notices, zone_of
from service.calls.session import context_of
from service.ingest.events import CallAnnounced
from service.settings import Settings
from service.storage.port import GatewayKey
from tests import scenes

KEY = GatewayKey(
    id="k1", source="pbx", secret_hash="", rights=("stream",), first_track="customer", created_at=scenes.AT
)


def announced(jurisdiction: str | None = None, **metadata: str) -> CallAnnounced:
    return CallAnnounced(
        call_id="c",
        roles=("agent", "customer"),
        encoding="mulaw",
        rate=8000,
        jurisdiction=jurisdiction,  # type: ignore[arg-type]
        metadata=metadata,
    )


def test_the_services_default_is_for_calls_under_its_own_law() -> None:
    settings = Settings(jurisdiction="US", timezone="eastern time")
    assert settings.timezone == "America/New_York"
    assert zone_of(announced(), KEY, settings).name == "America/New_York"
    assert zone_of(announced("CN"), KEY, settings).name == "Asia/Shanghai"
    assert zone_of(announced("US"), KEY, Settings(timezone="Asia/Shanghai")).name == ""


def test_an_unknown_zone_is_told_where_hours_are_judged() -> None:
    unknown = zone_of(announced("US"), KEY, Settings())
    [notice] = zone_notices(unknown, scenes.call(jurisdiction="US"))
    assert notice.code == "zone_unknown"
    assert zone_notices(unknown, scenes.call(jurisdiction="US", metadata={"direction": "inbound"})) == []
    assert zone_notices(zone_of(announced(), KEY, Settings()), scenes.call()) == []


def test_detectors_are_told_the_zone_that_the_call_keeps() -> None:
    assert context_of(scenes.call(timezone="Asia/Urumqi")).timezone == "Asia/Urumqi"
