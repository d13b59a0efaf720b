"""The `callwarden` command. Each file holds one family of commands; the forms are contracts, kept in the README."""

from __future__ import annotations

import typer

from service.cli import (
    accounts,
    audit,
    bench,
    demo,
    detect,
    evaluate,
    import_files,
    models,
    records,
    rules,
    serve,
    simulate,
    sources,
    stream,
    transcribe,
    webhooks,
)

app = typer.Typer(
    name="callwarden",
    help="Real-time speech monitoring for live calls.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold what was said
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("stream")(stream.stream)
app.command("simulate")(simulate.simulate)
app.command("transcribe")(transcribe.transcribe)
app.command("import")(import_files.import_files)
app.command("detect")(detect.detect)
app.command("eval")(evaluate.evaluate)
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(sources.sources, name="sources")
app.add_typer(accounts.keys, name="keys")
app.add_typer(webhooks.webhooks, name="webhooks")
app.add_typer(accounts.users, name="users")
app.add_typer(rules.app, name="rules")
app.add_typer(records.app, name="records")
app.command("audit")(audit.audit)


def main() -> None:
    """The console script."""
    app()
