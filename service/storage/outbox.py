"""The rows of webhooks and of what they are told, inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.record.outgoing import OUTGOING, DigestTold, OutgoingEvent, RuleCount, event_id, told_of
from service.record.webhook import Delivery, Webhook, wants
from service.storage import codec
from service.storage.outbox_port import CLAIMED_FOR, DEADLINE, KEPT_FOR, MOST_WAITING, MOST_WEBHOOKS
from service.storage.port import LoggedFact, NotFound, TooManyWebhooks
from service.storage.tables import alerts, calls, deliveries, webhooks

_MOST_RULES = 10
"""In a digest."""
_HEALTHY = {"failures": 0, "failing_since": None, "stopped_at": None, "stopped_why": ""}


def add_webhook(connection: sa.Connection, webhook: Webhook) -> None:
    if connection.execute(sa.select(sa.func.count()).select_from(webhooks)).scalar_one() >= MOST_WEBHOOKS:
        raise TooManyWebhooks(f"there are {MOST_WEBHOOKS} webhooks, the most there can be; remove one first")
    connection.execute(sa.insert(webhooks), codec.row_of(codec.WEBHOOK, webhook))


def find_webhook(connection: sa.Connection, name: str) -> Webhook:
    row = connection.execute(sa.select(webhooks).where(webhooks.c.name == name)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"no webhook {name}")
    return codec.value_of(codec.WEBHOOK, row)


def every_webhook(connection: sa.Connection) -> list[Webhook]:
    rows = connection.execute(sa.select(webhooks).order_by(webhooks.c.name)).mappings()
    return [codec.value_of(codec.WEBHOOK, row) for row in rows]


def remove_webhook(connection: sa.Connection, name: str) -> None:
    if connection.execute(sa.delete(webhooks).where(webhooks.c.name == name)).rowcount == 0:
        raise NotFound(f"no webhook {name}")
    connection.execute(sa.delete(deliveries).where(deliveries.c.webhook == name))


def stop_webhook(connection: sa.Connection, name: str, why: str, at: datetime) -> None:
    stopped = sa.update(webhooks).where(webhooks.c.name == name).values(stopped_at=at, stopped_why=why)
    if connection.execute(stopped).rowcount == 0:
        raise NotFound(f"no webhook {name}")
    _give_up(connection, deliveries.c.webhook == name, "the webhook was stopped")


def queue(connection: sa.Connection, logged: Sequence[LoggedFact]) -> None:
    """Put what is told of these facts into the outbox of each webhook that wants it."""
    events = [(entry, told) for entry in logged if (told := told_of(entry.fact, entry.summary)) is not None]
    if not events:
        return
    listening = every_webhook(connection)
    rows = [
        _row(webhook.name, event_id(entry.call_id, entry.seq, entry.at.timestamp()), told, entry.at, entry.at)
        for entry, told in events
        for webhook in listening
        if wants(webhook, told)
    ]
    if rows:
        connection.execute(_insert(connection), rows)


def put(
    connection: sa.Connection, webhook: str, event_id: str, event: OutgoingEvent, at: datetime, due_at: datetime
) -> Delivery | None:
    find_webhook(connection, webhook)
    if connection.execute(_insert(connection), _row(webhook, event_id, event, at, due_at)).rowcount == 0:
        return None
    mine = sa.and_(deliveries.c.webhook == webhook, deliveries.c.event_id == event_id)
    [made] = _deliveries(connection, sa.select(deliveries).where(mine))
    return made


def due(connection: sa.Connection, now: datetime) -> list[str]:
    names = sa.select(deliveries.c.webhook).distinct().where(deliveries.c.due_at <= now)
    return sorted(connection.execute(names).scalars())


def claim(connection: sa.Connection, webhook: str, now: datetime, until: datetime, limit: int) -> list[Delivery]:
    """Of two that claim at once on PostgreSQL the second passes over what the first has locked."""
    ready = sa.and_(deliveries.c.webhook == webhook, deliveries.c.due_at <= now)
    oldest = sa.select(deliveries).where(ready).order_by(deliveries.c.id).limit(limit)
    claimed = _deliveries(connection, oldest.with_for_update(skip_locked=True))
    ids = [each.id for each in claimed]
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(due_at=until))
    return claimed


def claim_again(connection: sa.Connection, webhook: str, delivery_id: int, now: datetime, until: datetime) -> Delivery:
    one = sa.and_(deliveries.c.webhook == webhook, deliveries.c.id == delivery_id)
    anew = {"state": "waiting", "due_at": until, "until": now + DEADLINE}
    if connection.execute(sa.update(deliveries).where(one).values(anew)).rowcount == 0:
        raise NotFound(f"no delivery {delivery_id} of webhook {webhook}")
    [found] = _deliveries(connection, sa.select(deliveries).where(one))
    return found


def settle(connection: sa.Connection, tried: Delivery) -> Webhook | None:
    row = {**codec.row_of(codec.DELIVERY, tried), "event": OUTGOING.dump_json(tried.event).decode()}
    connection.execute(sa.update(deliveries).where(deliveries.c.id == tried.id).values(row))
    mine = webhooks.c.name == tried.webhook
    before = connection.execute(sa.select(webhooks.c.failing_since).where(mine).with_for_update()).one_or_none()
    if before is None:
        return None
    if tried.state != "delivered":
        since = before.failing_since or tried.tried_at
        values = {"failures": webhooks.c.failures + 1, "failing_since": since}
        connection.execute(sa.update(webhooks).where(mine).values(values))
    elif before.failing_since is not None:
        connection.execute(sa.update(webhooks).where(mine).values(_HEALTHY))
        _hurry(connection, tried)
    return find_webhook(connection, tried.webhook)


def _hurry(connection: sa.Connection, arrived: Delivery) -> None:
    """The webhook is back: what waits for it longer than a claim lasts is due now."""
    assert arrived.tried_at is not None
    waiting = sa.and_(deliveries.c.webhook == arrived.webhook, deliveries.c.due_at > arrived.tried_at + CLAIMED_FOR)
    connection.execute(sa.update(deliveries).where(waiting).values(due_at=arrived.tried_at))


def newest(connection: sa.Connection, webhook: str, before: int | None, limit: int) -> list[Delivery]:
    find_webhook(connection, webhook)
    statement = sa.select(deliveries).where(deliveries.c.webhook == webhook).order_by(deliveries.c.id.desc())
    if before is not None:
        statement = statement.where(deliveries.c.id < before)
    return _deliveries(connection, statement.limit(max(1, limit)))


def prune(connection: sa.Connection, now: datetime) -> None:
    over = deliveries.c.due_at.is_(None)
    _give_up(connection, deliveries.c.until < now, "its time was over")
    connection.execute(sa.delete(deliveries).where(over, deliveries.c.made_at < now - KEPT_FOR))
    known = [webhook.name for webhook in every_webhook(connection)]
    connection.execute(sa.delete(deliveries).where(deliveries.c.webhook.not_in(known)))  # its webhook was being removed
    for name in known:
        mine = deliveries.c.webhook == name
        if (last := _beyond(connection, mine, over)) is not None:
            connection.execute(sa.delete(deliveries).where(mine, over, deliveries.c.id <= last))
        if (last := _beyond(connection, mine, ~over)) is not None:
            _give_up(connection, sa.and_(mine, deliveries.c.id <= last), f"more than {MOST_WAITING} waited")


def digest(connection: sa.Connection, since: datetime, until: datetime) -> DigestTold:
    raised = sa.and_(alerts.c.raised_at >= since, alerts.c.raised_at < until)
    began = sa.and_(calls.c.started_at >= since, calls.c.started_at < until)
    by_severity = sa.select(alerts.c.severity, sa.func.count()).where(raised).group_by(alerts.c.severity)
    return DigestTold(
        since=since,
        until=until,
        calls=_count(connection, began),
        alerts=dict(connection.execute(by_severity).all()),
        rules=_rules(connection, raised),
        open_alerts=_count(connection, alerts.c.state == "open"),
    )


def _rules(connection: sa.Connection, raised: sa.ColumnElement[bool]) -> tuple[RuleCount, ...]:
    count = sa.func.count().label("count")
    grouped = sa.select(alerts.c.rule, alerts.c.severity, count, sa.func.min(alerts.c.id).label("one"))
    grouped = grouped.where(raised).group_by(alerts.c.rule, alerts.c.severity)
    most = grouped.order_by(count.desc(), alerts.c.rule, alerts.c.severity).limit(_MOST_RULES).subquery()
    titled = sa.select(most, alerts.c.title).join(alerts, alerts.c.id == most.c.one)
    rows = connection.execute(titled.order_by(most.c.count.desc(), most.c.rule, most.c.severity)).mappings()
    return tuple(codec.value_of(codec.RULE_COUNT, row) for row in rows)


def _count(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).where(which)).scalar_one()


def _beyond(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> int | None:
    """The newest id of those beyond the MOST_WAITING newest."""
    newest_first = sa.select(deliveries.c.id).where(*which).order_by(deliveries.c.id.desc())
    return connection.execute(newest_first.offset(MOST_WAITING).limit(1)).scalar_one_or_none()


def _give_up(connection: sa.Connection, which: sa.ColumnElement[bool], why: str) -> None:
    values = {"state": "given_up", "due_at": None, "problem": why}
    connection.execute(sa.update(deliveries).where(which, deliveries.c.state == "waiting").values(values))


def _row(webhook: str, event_id: str, event: OutgoingEvent, at: datetime, due_at: datetime) -> dict[str, Any]:
    return {
        "webhook": webhook,
        "event_id": event_id,
        "event": OUTGOING.dump_json(event).decode(),
        "made_at": at,
        "until": at + DEADLINE,
        "due_at": due_at,
        "state": "waiting",
        "tries": 0,
        "answer": "",
        "problem": "",
    }


def _insert(connection: sa.Connection) -> Any:
    """Into the outbox, but for what the webhook has there."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(deliveries).on_conflict_do_nothing(index_elements=["webhook", "event_id"])


def _deliveries(connection: sa.Connection, statement: sa.Select[Any]) -> list[Delivery]:
    rows = connection.execute(statement).mappings()
    return [codec.DELIVERY.validate_python({**row, "event": OUTGOING.validate_json(row["event"])}) for row in rows]
