"""Calls, alerts and rules over HTTP, from a real store."""

from __future__ import annotations

from datetime import timedelta

from asr.types import Utterance
from detectors.contract import Bilingual
from service.record.facts import Alert, AlertRaised, CallOpened, UtteranceHeard
from service.storage.port import Store
from tests.integration.web.conftest import House
from tests.scenes import NOON, call


def an_alert(call_id: str = "call-1", alert_id: str = "alert-1") -> Alert:
    return Alert(
        id=alert_id,
        call_id=call_id,
        kind="violation",
        category="threat",
        rule="cn-threat-1",
        detector="lexical",
        severity="high",
        score=0.9,
        role="agent",
        start=1.0,
        end=2.5,
        quote="我们会上门",
        sentence="再不还钱我们会上门",
        lead="我没有钱",
        lead_role="customer",
        title=Bilingual(zh="威胁", en="Threat"),
        why=Bilingual(zh="不得威胁", en="Threats are forbidden"),
        cites=("CN-1#2",),
        utterance_id="agent-0",
        decided_by_transcript=True,
        raised_at=NOON,
        latency=1.2,
    )


async def stored_call(store: Store, call_id: str = "call-1", *, alert: bool = True) -> None:
    said = Utterance(
        id="agent-0",
        call_id=call_id,
        role="agent",
        index=0,
        start=1.0,
        end=2.5,
        text="再不还钱我们会上门",
        language="zh",
        confidence=0.8,
    )
    facts = [CallOpened(call=call(call_id, started_at=NOON)), UtteranceHeard(utterance=said)]
    await store.append(call_id, facts, NOON)
    if alert:
        await store.append(call_id, [AlertRaised(alert=an_alert(call_id, f"alert-of-{call_id}"))], NOON)


async def test_calls_are_listed_filtered_and_paged(house: House) -> None:
    for number in range(3):
        await stored_call(house.parts.store, f"call-{number}", alert=number == 1)
    client = await house.logged_in("supervisor")
    first = (await client.get("/api/v1/calls", params={"limit": 2})).json()
    assert len(first["calls"]) == 2
    rest = (await client.get("/api/v1/calls", params={"limit": 2, "cursor": first["next"]})).json()
    ids = [call["call"]["id"] for call in first["calls"] + rest["calls"]]
    assert sorted(ids) == ["call-0", "call-1", "call-2"]
    assert rest["next"] is None
    flagged = (await client.get("/api/v1/calls", params={"flagged": "true"})).json()
    assert [call["call"]["id"] for call in flagged["calls"]] == ["call-1"]
    later = (NOON + timedelta(days=1)).isoformat()
    assert (await client.get("/api/v1/calls", params={"since": later})).json()["calls"] == []
    assert len((await client.get("/api/v1/calls", params={"text": "上门"})).json()["calls"]) == 3


async def test_odd_queries_are_told_which_field_is_wrong(house: House) -> None:
    client = await house.logged_in("supervisor")
    cases = {"limit": "0", "state": "ringing", "since": "yesterday", "until": "2026-03-02T12:00:00"}
    for field, value in cases.items():
        answer = await client.get("/api/v1/calls", params={field: value})
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    answer = await client.get("/api/v1/calls", params={"cursor": "not a cursor"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_cursor")


async def test_a_call_comes_whole_and_an_unknown_one_is_404(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("compliance")
    record = (await client.get("/api/v1/calls/call-1")).json()
    assert record["summary"]["call"]["agent"] == "agent-7"
    assert record["utterances"][0]["text"] == "再不还钱我们会上门"
    alert = record["alerts"][0]
    assert [alert[name] for name in ("quote", "sentence", "lead", "lead_role")] == [
        "我们会上门",
        "再不还钱我们会上门",
        "我没有钱",
        "customer",
    ]
    missing = await client.get("/api/v1/calls/call-9")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


async def test_events_after_a_seq_are_the_log(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("supervisor")
    events = (await client.get("/api/v1/calls/call-1/events", params={"after": 1})).json()["events"]
    assert [(event["seq"], event["fact"]["type"]) for event in events] == [(2, "utterance"), (3, "alert")]
    assert events[0]["type"] == "event"
    assert [event["summary"] and event["summary"]["seq"] for event in events] == [None, 3]
    assert events[1]["summary"]["call"]["metadata"] == {}


async def test_acknowledging_is_stored_then_published(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("supervisor", "lin")
    answer = await client.put("/api/v1/alerts/alert-of-call-1/state", json={"state": "acknowledged", "note": "听过"})
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["changed_by"], answer.json()["note"]) == (
        "acknowledged",
        "lin",
        "听过",
    )
    [published] = house.feed.published
    assert (published.call_id, published.fact.type) == ("call-1", "alert_changed")


async def test_decisions_are_for_compliance(house: House) -> None:
    await stored_call(house.parts.store)
    supervisor, officer = await house.logged_in("supervisor"), await house.logged_in("compliance")
    path = "/api/v1/alerts/alert-of-call-1/state"
    assert (await supervisor.put(path, json={"state": "dismissed"})).status_code == 403
    assert house.feed.published == []
    assert (await officer.put(path, json={"state": "dismissed"})).status_code == 200


async def test_a_change_that_came_too_late_is_409_and_not_published(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("compliance")
    path = "/api/v1/alerts/alert-of-call-1/state"
    await client.put(path, json={"state": "confirmed"})
    late = await client.put(path, json={"state": "acknowledged"})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "stale_change")
    assert len(house.feed.published) == 1
    assert (await client.put(path, json={"state": "open"})).status_code == 422
    assert (await client.put("/api/v1/alerts/none/state", json={"state": "confirmed"})).status_code == 404


async def test_alerts_are_filtered_by_several_states_and_by_call(house: House) -> None:
    for number in range(2):
        await stored_call(house.parts.store, f"call-{number}")
    client = await house.logged_in("supervisor")
    await client.put("/api/v1/alerts/alert-of-call-0/state", json={"state": "acknowledged"})
    both = (await client.get("/api/v1/alerts", params={"state": ["open", "acknowledged"]})).json()
    assert len(both["alerts"]) == 2
    opened = (await client.get("/api/v1/alerts", params={"state": "open", "severity": "high"})).json()
    assert [alert["call_id"] for alert in opened["alerts"]] == ["call-1"]
    one = (await client.get("/api/v1/alerts", params={"call_id": "call-0"})).json()
    assert [alert["call_id"] for alert in one["alerts"]] == ["call-0"]


async def test_rules_are_told_in_both_languages(house: House) -> None:
    client = await house.logged_in("supervisor")
    [rule] = (await client.get("/api/v1/rules")).json()["rules"]
    assert rule["title"] == {"zh": "威胁", "en": "Threat"}


async def test_the_reference_names_laws_and_weighs_severities(house: House) -> None:
    client = await house.logged_in("supervisor")
    answer = (await client.get("/api/v1/reference")).json()
    assert answer["laws"] == {"CN-PIPL": {"zh": "《个人信息保护法》", "en": "PRC Personal Information Protection Law"}}
    assert answer["risk_weights"] == {"critical": 50, "high": 25, "medium": 8, "low": 2}


async def test_a_conversation_is_figures_without_words(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("supervisor")
    answer = await client.get("/api/v1/calls/call-1/conversation")
    told = answer.json()
    assert (told["duration"], told["silence"], told["dead_air"]) == (2.5, [1.0], [])
    assert [(party["role"], party["talked"], party["share"]) for party in told["parties"]] == [
        ("agent", 1.5, 1.0),
        ("customer", 0.0, 0.0),
    ]
    assert "上门" not in answer.text
    assert (await client.get("/api/v1/calls/nobody/conversation")).status_code == 404
