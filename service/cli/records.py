"""`callwarden records`: the records of calls, for spreadsheets and other programs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from service.cli import arguments
from service.cli.accounts import noted, with_store
from service.cli.arguments import DataDir
from service.record.export import ExportFormat, file_head, file_lines
from service.storage.exporting import export_detail, export_query, exported
from service.storage.port import CallQuery, Store

app = typer.Typer(help="The records of what calls came to.", no_args_is_help=True)


@app.command("export")
def export(
    since: Annotated[str | None, typer.Option(help="Only calls that began since then: ISO 8601 with offset.")] = None,
    until: Annotated[str | None, typer.Option(help="Only calls that began before then.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only calls of this agent.")] = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="JSON lines, or CSV for spreadsheets.")] = "jsonl",
    data_dir: DataDir = None,
) -> None:
    """Write the records of ended calls to stdout, a line each, newest first."""
    query = export_query(arguments.moment("--since", since), arguments.moment("--until", until), agent)
    with_store(data_dir, lambda store: _export(store, query, form))


async def _export(store: Store, query: CallQuery, form: ExportFormat) -> None:
    await store.add_audit([noted("records_exported", query.agent or "", export_detail(query, form))])
    sys.stdout.buffer.write(file_head(form))
    async for rows in exported(store, query):
        sys.stdout.buffer.write(file_lines(rows, form))
    sys.stdout.buffer.flush()
