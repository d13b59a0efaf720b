"""`callwarden serve`: run the service until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from detectors.contract import DetectorError
from service.app import serve_until_stopped
from service.cli import arguments
from service.cli.arguments import DataDir
from service.cli.terminal import err, fail, leave
from service.logs import configure_logging
from service.storage.port import StorageError
from service.unusable import Unusable


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Run the service. Options win over CALLWARDEN_… variables, which the README lists."""
    settings = arguments.settings(host=host, port=port, data_dir=data_dir)
    configure_logging(settings)
    try:
        asyncio.run(serve_until_stopped(settings, ready=lambda url: err.print(f"Callwarden listens on {url}")))
    except (DetectorError, StorageError, Unusable, OSError) as problem:
        fail(str(problem))
    leave()
