"""What every store must do: know webhooks, and keep what each is told until it has arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from detectors.contract import Bilingual
from service.record.facts import AlertChanged
from service.record.outgoing import AlertTold, CallEndedTold, CallStartedTold, DigestTold, RuleCount, TrialTold
from service.record.webhook import Delivery, Webhook
from service.storage import outbox, outbox_port
from service.storage.outbox_port import DEADLINE, KEPT_FOR
from service.storage.port import AlreadyExists, NotFound, TooManyWebhooks
from service.storage.sql import SqlStore
from tests.scenes import AT, closed, heard, opened, raised

TEAM = Webhook(
    name="team-room",
    created_at=AT,
    origin="https://hooks.example.org",
    sealed_url="1.a.b",
    sealed_secret="1.c.d",
    shape="slack",
    language="en",
    timezone="Asia/Shanghai",
    alerts_from="high",
    call_started=True,
    call_ended=True,
    digest_hour=18,
    failures=3,
    failing_since=AT,
    stopped_at=AT + timedelta(hours=1),
    stopped_why="410",
)
ALL = Webhook(name="all", created_at=AT, origin="https://x.org", sealed_url="1.a.b", alerts_from="low", call_ended=True)
LATER, MINUTE = AT + timedelta(seconds=1), timedelta(minutes=1)
TRIAL = TrialTold(asked_at=AT)


@pytest.fixture
async def telling(store_url: str) -> AsyncIterator[SqlStore]:
    async with SqlStore(store_url, telling=True) as store:
        yield store


async def told(store: SqlStore, webhook: str = "all") -> list[Delivery]:
    """Oldest first."""
    return (await store.deliveries(webhook))[::-1]


async def test_all_that_is_known_of_a_webhook_is_kept(store: SqlStore) -> None:
    assert all(getattr(TEAM, field.name) != field.default for field in fields(Webhook))
    await store.add_webhook(TEAM)
    await store.add_webhook(ALL)
    assert await store.webhook(TEAM.name) == TEAM
    assert await store.webhooks() == [ALL, TEAM]
    with pytest.raises(AlreadyExists, match="team-room"):
        await store.add_webhook(replace(ALL, name=TEAM.name))


async def test_there_can_be_so_many_webhooks_and_no_more(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_WEBHOOKS", 2)
    for number in range(2):
        await store.add_webhook(replace(ALL, name=f"w-{number}"))
    with pytest.raises(TooManyWebhooks, match="remove one first"):
        await store.add_webhook(ALL)


async def test_what_happens_in_a_call_is_told_to_those_who_want_it(telling: SqlStore) -> None:
    await telling.add_webhook(ALL)
    await telling.add_webhook(replace(ALL, name="starts", alerts_from=None, call_started=True, call_ended=False))
    await telling.add_webhook(replace(ALL, name="critical", alerts_from="critical", call_ended=False))
    await telling.add_webhook(replace(TEAM, name="stopped"))
    await telling.add_webhook(replace(ALL, name="ends", alerts_from=None))
    await telling.append("call-1", [opened(), heard(), raised()], AT)
    await telling.append("call-1", [closed()], LATER)
    first, last = await told(telling)
    assert isinstance(first.event, AlertTold)
    assert (first.event.alert_id, first.event.severity, first.event.agent) == ("alert-1", "high", "agent-7")
    assert (first.made_at, first.until, first.due_at, first.state) == (AT, AT + DEADLINE, AT, "waiting")
    assert last.event == CallEndedTold(
        call_id="call-1",
        source="pbx",
        agent="agent-7",
        started_at=AT,
        ended_at=closed().ended_at,
        duration=120.0,
        ending="completed",
        risk=25,
        alerts={"high": 1},
    )
    [started] = await told(telling, "starts")
    assert isinstance(started.event, CallStartedTold)
    assert await told(telling, "critical") == await told(telling, "stopped") == []
    assert len({each.event_id for each in (first, last, started)}) == 3
    [same] = await told(telling, "ends")
    assert (same.event_id, same.event) == (last.event_id, last.event)


async def test_what_is_not_stored_is_not_told(telling: SqlStore, store_url: str) -> None:
    """Nor what a store writes that tells nobody: an import."""
    await telling.add_webhook(ALL)
    await telling.append("call-1", [opened(), raised()], AT)
    with pytest.raises(AlreadyExists):
        await telling.append("call-1", [raised("alert-2"), raised()], LATER)
    async with SqlStore(store_url) as quiet:
        await quiet.append("call-1", [raised("alert-3")], LATER)
    assert len(await told(telling)) == 1


async def test_a_claimed_delivery_is_nobody_elses_until_its_time_is_over(telling: SqlStore) -> None:
    await telling.add_webhook(ALL)
    await telling.append("call-1", [opened(), *(raised(f"alert-{n}") for n in range(5))], AT)
    assert await telling.due(AT - MINUTE) == []
    assert await telling.due(AT) == ["all"]
    claims = await asyncio.gather(*(telling.claim("all", LATER, LATER + MINUTE, 2) for _ in range(3)))
    ids = [each.id for claim in claims for each in claim]
    assert len(ids) == len(set(ids)) == 5
    assert await telling.due(LATER) == []
    again = await telling.claim("all", LATER + MINUTE, LATER + 2 * MINUTE, 10)
    assert [each.id for each in again] == sorted(ids)


async def test_an_id_is_put_out_once_for_each_webhook(store: SqlStore) -> None:
    await store.add_webhook(ALL)
    await store.add_webhook(TEAM)
    made = await store.put("all", "evt_1", TRIAL, AT, LATER)
    assert made is not None
    assert (made.event, made.due_at, made.state) == (TRIAL, LATER, "waiting")
    assert await store.put("all", "evt_1", TRIAL, AT, LATER) is None
    assert await store.put(TEAM.name, "evt_1", TRIAL, AT, LATER) is not None
    with pytest.raises(NotFound, match="none"):
        await store.put("none", "evt_1", TRIAL, AT, LATER)


async def test_what_came_of_a_try_is_kept_and_failures_are_counted(store: SqlStore) -> None:
    await store.add_webhook(ALL)
    made = await store.put("all", "evt_1", TRIAL, AT, AT)
    assert made is not None
    failed = replace(made, tries=1, tried_at=AT, status=500, answer="oops", problem="HTTP 500", due_at=AT + MINUTE)
    for tries, at in enumerate((AT, LATER), 1):
        webhook = await store.settle(replace(failed, tries=tries, tried_at=at))
    assert webhook is not None
    assert (webhook.failures, webhook.failing_since) == (2, AT)
    assert await told(store) == [replace(failed, tries=2, tried_at=LATER)]
    await store.stop_webhook("all", "enough", LATER)
    stopped = await store.webhook("all")
    assert (stopped.stopped_at, stopped.stopped_why) == (LATER, "enough")
    assert [(each.state, each.due_at) for each in await told(store)] == [("given_up", None)]
    arrived = replace(failed, tries=3, state="delivered", status=200, problem="", due_at=None)
    assert await store.settle(arrived) == ALL
    assert await told(store) == [arrived]


async def test_once_one_arrives_those_that_waited_for_it_are_due(store: SqlStore) -> None:
    """But for those that somebody may have claimed."""
    await store.add_webhook(ALL)
    waits = [MINUTE * 30, MINUTE / 2, MINUTE * 0]
    made = [await store.put("all", f"evt_{number}", TRIAL, AT, AT + wait) for number, wait in enumerate(waits)]
    tried = made[2]
    assert tried is not None
    await store.settle(replace(tried, tries=1, tried_at=AT, due_at=None, state="delivered"))
    assert [each.due_at for each in await told(store)] == [AT + MINUTE * 30, AT + MINUTE / 2, None]
    await store.settle(replace(tried, tries=2, tried_at=AT, due_at=AT, problem="HTTP 500"))
    await store.settle(replace(tried, tries=3, tried_at=AT, due_at=None, state="delivered"))
    assert [each.due_at for each in await told(store)] == [AT, AT + MINUTE / 2, None]


async def test_one_that_is_sent_again_has_its_whole_time_once_more(store: SqlStore) -> None:
    await store.add_webhook(ALL)
    made = await store.put("all", "evt_1", TRIAL, AT, AT)
    assert made is not None
    await store.settle(replace(made, tries=9, tried_at=AT, state="given_up", due_at=None))
    later = AT + timedelta(days=3)
    again = await store.claim_again("all", made.id, later, later + MINUTE)
    assert (again.event_id, again.state, again.tries, again.until) == ("evt_1", "waiting", 9, later + DEADLINE)
    assert await store.due(later) == []
    assert await store.due(later + MINUTE) == ["all"]
    with pytest.raises(NotFound, match="delivery"):
        await store.claim_again("all", made.id + 1, later, later)


async def test_the_log_is_read_from_the_newest_on(store: SqlStore) -> None:
    await store.add_webhook(ALL)
    for number in range(5):
        await store.put("all", f"evt_{number}", TRIAL, AT, AT)
    page = await store.deliveries("all", limit=2)
    assert [each.event_id for each in page] == ["evt_4", "evt_3"]
    assert [each.event_id for each in await store.deliveries("all", page[-1].id, 2)] == ["evt_2", "evt_1"]
    with pytest.raises(NotFound, match="none"):
        await store.deliveries("none")


async def test_a_removed_webhook_takes_its_deliveries_along(store: SqlStore) -> None:
    await store.add_webhook(ALL)
    made = await store.put("all", "evt_1", TRIAL, AT, AT)
    assert made is not None
    await store.remove_webhook("all")
    assert await store.due(LATER) == []
    assert await store.settle(replace(made, tries=1, tried_at=AT)) is None
    for missing in (store.webhook("all"), store.remove_webhook("all"), store.stop_webhook("all", "", AT)):
        with pytest.raises(NotFound, match="no webhook all"):
            await missing


async def test_what_is_over_is_forgotten_in_time_and_too_much_is_not_kept(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 2)
    await store.add_webhook(ALL)
    await store.add_webhook(replace(ALL, name="other"))
    over: list[Delivery] = []
    for number in range(4):
        made = await store.put("all", f"over_{number}", TRIAL, AT + number * MINUTE, AT)
        assert made is not None
        over.append(replace(made, tries=1, tried_at=AT, state="delivered", due_at=None))
        await store.settle(over[-1])
    now = AT + MINUTE + KEPT_FOR
    await store.put("other", "too_late", TRIAL, now - DEADLINE - MINUTE, AT)
    for number in range(3):
        await store.put("other", f"waits_{number}", TRIAL, now - DEADLINE, AT)
    await store.prune_deliveries(now)
    assert await told(store) == over[2:]
    waiting = await told(store, "other")
    assert [each.state for each in waiting] == ["given_up", "given_up", "waiting", "waiting"]
    assert [each.problem for each in waiting[:2]] == ["its time was over", "more than 2 waited"]
    assert outbox_port.MOST_WAITING >= 1000


async def test_a_day_is_counted_by_severity_and_rule(store: SqlStore) -> None:
    title = Bilingual(zh="暴力威胁", en="Threat of violence")
    day = timedelta(days=1)
    first = [opened("call-1"), *(raised(f"a-{n}", "call-1", raised_at=AT) for n in range(3))]
    await store.append("call-1", first, AT)
    other = raised("b-1", "call-2", raised_at=LATER, rule="abuse.insult", severity="medium")
    before = raised("b-2", "call-2", raised_at=AT - day)
    await store.append("call-2", [opened("call-2", started_at=AT - day), other, before], AT)
    await store.append("call-1", [AlertChanged(alert_id="a-0", state="acknowledged", by="lin", at=AT)], AT)
    assert await store.digest(AT, AT + day) == DigestTold(
        since=AT,
        until=AT + day,
        calls=1,
        alerts={"high": 3, "medium": 1},
        rules=(
            RuleCount(rule="threat.beat_you", severity="high", title=title, count=3),
            RuleCount(rule="abuse.insult", severity="medium", title=title, count=1),
        ),
        open_alerts=4,
    )
    nothing = await store.digest(AT + day, AT + 2 * day)
    assert (nothing.calls, nothing.alerts, nothing.rules) == (0, {}, ())
