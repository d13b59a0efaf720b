"""`callwarden audit`: who did what."""

from __future__ import annotations

from typing import Annotated, get_args

import typer
from pydantic import TypeAdapter
from rich.markup import escape
from rich.table import Table

from service.cli.accounts import with_store
from service.cli.arguments import DataDir
from service.cli.terminal import fail, out
from service.storage.port import AuditEntry, AuditEvent, AuditQuery

_ENTRY = TypeAdapter(AuditEntry)
_EVENT: TypeAdapter[AuditEvent] = TypeAdapter(AuditEvent)


def audit(
    last: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many entries, the newest.")] = 50,
    event: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(get_args(AuditEvent))}.")] = None,
    who: Annotated[str | None, typer.Option(help="Only what this user did.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what was done to this call, alert, user or key.")] = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """The audit log, oldest first: logins, refusals, who listened to or read what, decisions, users and keys."""
    if event is not None and event not in get_args(AuditEvent):
        fail(f"no such event: {event}; one of {', '.join(get_args(AuditEvent))}")
    query = AuditQuery(
        event=None if event is None else _EVENT.validate_python(event), who=who, subject=subject, limit=last
    )
    entries = reversed(with_store(data_dir, lambda store: store.audit(query)))
    if as_json:
        for entry in entries:
            out.print(_ENTRY.dump_json(entry).decode(), markup=False, highlight=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for title in ("at", "event", "who", "subject", "address", "detail"):
        table.add_column(title, overflow="fold")
    for entry in entries:
        row = (f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.event, entry.who, entry.subject, entry.address, entry.detail)
        table.add_row(*(escape(text) for text in row))
    out.print(table)
