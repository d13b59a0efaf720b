"""What a call is when it is opened: announced, else its source's, else the service's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asr.types import CallLanguage
from detectors.contract import Jurisdiction
from service.calls.opened_call import opened_call
from service.calls.session_parts import context_of
from service.ingest.events import CallAnnounced
from service.ingest.source import Source
from service.record.facts import Call, NoticeCode
from service.settings import Settings
from tests import scenes
from tests.floor import CALL, PBX


def opened(
    announced: CallAnnounced = CALL, source: Source = PBX, settings: Settings | None = None
) -> tuple[Call, list[NoticeCode]]:
    call, notices = opened_call("c-1", announced, source, settings or Settings(), scenes.AT)
    return call, [notice.code for notice in notices]


@pytest.mark.parametrize(
    ("announced", "source", "service", "language"),
    [
        ("zh", "en", "auto", "zh"),
        ("auto", "en", "zh", "auto"),
        (None, "en", "zh", "en"),
        (None, "auto", "zh", "auto"),
        (None, None, "en", "en"),
    ],
)
def test_the_language_is_the_announced_one_else_the_sources_else_the_services(
    announced: CallLanguage | None, source: CallLanguage | None, service: CallLanguage, language: CallLanguage
) -> None:
    call, _ = opened(replace(CALL, language=announced), Source(name="pbx", language=source), Settings(language=service))
    assert call.language == language


@pytest.mark.parametrize(
    ("announced", "source", "service", "jurisdiction"),
    [("CN", "US", "US", "CN"), (None, "US", "CN", "US"), (None, None, "US", "US")],
)
def test_the_jurisdiction_is_the_announced_one_else_the_sources_else_the_services(
    announced: Jurisdiction | None, source: Jurisdiction | None, service: Jurisdiction, jurisdiction: Jurisdiction
) -> None:
    call, _ = opened(
        replace(CALL, jurisdiction=announced),
        Source(name="pbx", jurisdiction=source),
        Settings(jurisdiction=service),
    )
    assert call.jurisdiction == jurisdiction


def test_a_call_without_a_start_begins_now() -> None:
    assert opened()[0].started_at == scenes.AT


def test_the_services_zone_is_for_calls_under_its_own_law() -> None:
    settings = Settings(jurisdiction="US", timezone="eastern time")
    assert settings.timezone == "America/New_York"
    assert opened(settings=settings)[0].timezone == "America/New_York"
    assert opened(replace(CALL, jurisdiction="CN"), settings=settings)[0].timezone == "Asia/Shanghai"
    chinese = Source(name="pbx", jurisdiction="CN")
    assert opened(source=chinese, settings=settings)[0].timezone == "Asia/Shanghai"
    assert opened(replace(CALL, jurisdiction="US"), settings=Settings(timezone="Asia/Shanghai"))[0].timezone == ""


def test_the_zone_is_the_calls_own_else_the_sources() -> None:
    abroad = Source(name="pbx", timezone="Asia/Urumqi")
    assert opened(replace(CALL, metadata={"tz": "utc+9"}), abroad)[0].timezone == "UTC+09:00"
    assert opened(source=abroad)[0].timezone == "Asia/Urumqi"


def test_an_unknown_zone_is_told_where_hours_are_judged() -> None:
    american = Source(name="pbx", jurisdiction="US")
    assert opened(source=american)[1] == ["zone_unknown"]
    assert opened(replace(CALL, metadata={"direction": "inbound"}), american)[1] == []
    assert opened()[1] == []


def test_detectors_are_told_the_zone_that_the_call_keeps() -> None:
    assert context_of(scenes.call(timezone="Asia/Urumqi")).timezone == "Asia/Urumqi"
