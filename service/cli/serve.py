"""`callwarden serve`: run the service until it is told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from detectors.api import DetectorError
from service.app import serve_until_stopped
from service.cli.terminal import err, fail
from service.logs import configure_logging
from service.settings import Settings
from service.storage.port import StorageError


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder for store, recordings and secrets.")] = None,
) -> None:
    """Run the service. Options win over CALLWARDEN_… variables, which the README lists."""
    given: dict[str, Any] = {"host": host, "port": port, "data_dir": data_dir}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    configure_logging(settings)
    try:
        asyncio.run(serve_until_stopped(settings, ready=lambda url: err.print(f"Callwarden listens on {url}")))
    except (DetectorError, StorageError, OSError) as problem:
        fail(str(problem))
