"""`callwarden bench …`: measure this installation, on this machine."""

from __future__ import annotations

import typer

from service.cli import bench_live, bench_recognition

app = typer.Typer(help="Measure speed, accuracy and endurance on this machine.", no_args_is_help=True)
app.command("asr")(bench_recognition.asr)
app.command("live")(bench_live.live)
app.command("silence")(bench_recognition.silence)
