"""`callwarden webhooks`: who is told of alerts and calls. They work on the store itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from asr.types import Language
from detectors.contract import Severity
from service.access.audit_log import AuditLog
from service.access.sealing import Sealer
from service.cli import arguments
from service.cli.accounts import noted, with_store
from service.cli.arguments import DataDir
from service.cli.terminal import err, fail, out
from service.invalid_field import InvalidField
from service.metrics import Metrics
from service.record.outgoing import call_id_of
from service.record.webhook import Delivery, ShapeName, Webhook
from service.settings import Settings
from service.storage.port import AuditEvent, Store
from service.webhooks.courier import Courier
from service.webhooks.http_client import HttpClient
from service.webhooks.rules import SaidWebhook, new_webhook
from service.webhooks.shapes.registry import SHAPES

webhooks = typer.Typer(help="Webhooks: who is told of alerts and calls; make, try, remove.", no_args_is_help=True)

WebhookName = Annotated[str, typer.Argument(help="The webhook's name.")]


@webhooks.command("add")
def add_webhook(
    name: WebhookName,
    shape: Annotated[ShapeName, typer.Option(help="What it is sent.")] = "cloudevents",
    alerts: Annotated[Severity | None, typer.Option(help="Alerts of this severity and worse.")] = None,
    call_started: Annotated[bool, typer.Option("--call-started", help="Every call that begins.")] = False,
    call_ended: Annotated[bool, typer.Option("--call-ended", help="Every call that ends.")] = False,
    digest_hour: Annotated[int | None, typer.Option(help="The day's digest, at this hour: 0 to 23.")] = None,
    timezone: Annotated[str, typer.Option(help="Whose hour, and whose times are shown; else the service's.")] = "",
    language: Annotated[Language, typer.Option(help="The language of messages in rooms.")] = "zh",
    data_dir: DataDir = None,
) -> None:
    """Make a webhook. Its URL, and a vendor's secret, are asked for, or read from standard input, a line each."""
    settings = arguments.settings(data_dir=data_dir)
    vendors = SHAPES[shape].signs == "vendors"
    said = SaidWebhook(
        name=name,
        url=typer.prompt("URL", err=True).strip(),
        secret=typer.prompt("The robot's secret, if it has one", default="", show_default=False, err=True).strip()
        if vendors
        else "",
        shape=shape,
        language=language,
        timezone=timezone or settings.home_zone,
        alerts_from=alerts,
        call_started=call_started,
        call_ended=call_ended,
        digest_hour=digest_hour,
    )
    secret = with_store(data_dir, lambda store: _add(store, settings, said))
    if secret:
        out.print(secret)
        err.print("Requests are signed with this secret. Keep it now: it is not shown again.")
    err.print(f"Webhook {name} is made. Try it: callwarden webhooks test {name}")


async def _add(store: Store, settings: Settings, said: SaidWebhook) -> str:
    allowed, now = settings.private_webhook_networks, datetime.now(UTC)
    try:
        made, secret = await new_webhook(store, Sealer(settings.master_key), said, allowed, now)
    except InvalidField as problem:
        fail(str(problem))
    await store.add_webhook(made)
    await store.add_audit([noted("webhook_added", made.name, f"{made.shape} {made.origin}")])
    return secret


@webhooks.command("list")
def list_webhooks(data_dir: DataDir = None) -> None:
    """Every webhook, without URL and secret."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "shape", "host", "told of", "state"):
        table.add_column(title)
    for webhook in with_store(data_dir, lambda store: store.webhooks()):
        table.add_row(webhook.name, webhook.shape, webhook.origin, _told_of(webhook), _state(webhook))
    out.print(table)


def _told_of(webhook: Webhook) -> str:
    told = [
        f"alerts from {webhook.alerts_from}" if webhook.alerts_from else "",
        "calls begun" if webhook.call_started else "",
        "calls ended" if webhook.call_ended else "",
        f"digest at {webhook.digest_hour}:00 {webhook.timezone}" if webhook.digest_hour is not None else "",
    ]
    return ", ".join(filter(None, told))


def _state(webhook: Webhook) -> str:
    if webhook.stopped_at is not None:
        return f"stopped {webhook.stopped_at:%Y-%m-%d %H:%M}: {webhook.stopped_why}"
    return f"failing since {webhook.failing_since:%Y-%m-%d %H:%M}" if webhook.failing_since else "works"


@webhooks.command("test")
def try_webhook(name: WebhookName, data_dir: DataDir = None) -> None:
    """Send a test message now, and tell what came of it."""
    _tell(_delivered(data_dir, "webhook_tested", name, lambda courier: courier.test(name)))


@webhooks.command("log")
def show_log(
    name: WebhookName,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    data_dir: DataDir = None,
) -> None:
    """The deliveries of a webhook and what became of them."""
    table = Table(box=None, pad_edge=False)
    for title in ("id", "made", "event", "call", "state", "tries", "HTTP", "next try", "answer or problem"):
        table.add_column(title)
    for each in with_store(data_dir, lambda store: store.deliveries(name, limit=last)):
        due = f"{each.due_at:%m-%d %H:%M:%S}" if each.due_at else ""
        call, status = call_id_of(each.event), str(each.status or "")
        told = (each.event.type, call, each.state, str(each.tries), status, due, each.problem or each.answer)
        table.add_row(str(each.id), f"{each.made_at:%Y-%m-%d %H:%M:%S}", *told)
    out.print(table)


@webhooks.command("resend")
def resend(
    name: WebhookName,
    delivery: Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="Its id, from `webhooks log`.")],
    data_dir: DataDir = None,
) -> None:
    """Send a delivery again now, under its event's id, and tell what came of it."""
    _tell(_delivered(data_dir, "delivery_resent", name, lambda courier: courier.resend(name, delivery)))


@webhooks.command("remove")
def remove_webhook(name: WebhookName, data_dir: DataDir = None) -> None:
    """Remove a webhook with its deliveries."""
    with_store(data_dir, lambda store: store.remove_webhook(name), noted("webhook_removed", name))
    out.print(f"Webhook {name} is removed")


def _delivered(
    data_dir: Path | None, event: AuditEvent, name: str, work: Callable[[Courier], Awaitable[Delivery]]
) -> Delivery:
    settings = arguments.settings(data_dir=data_dir)

    async def done(store: Store) -> Delivery:
        async with HttpClient(settings.private_webhook_networks) as client:
            audit = AuditLog(store)
            courier = Courier(
                store,
                client,
                Sealer(settings.master_key),
                audit,
                Metrics(),
                lambda: datetime.now(UTC),
                public_url=settings.public_url,
            )
            tried = await work(courier)
            audit.finish()
            await audit.run()  # writes that the webhook was stopped, where it was
            return tried

    return with_store(data_dir, done, noted(event, name))


def _tell(tried: Delivery) -> None:
    if tried.state != "delivered":
        fail(f"not delivered: {tried.problem}")
    out.print(f"delivered: HTTP {tried.status} {tried.answer}".strip())
