"""`callwarden stream`: play a recorded call into the service as if it were live."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from asr.types import ROLES, CallLanguage, Role, Seconds
from detectors.contract import Jurisdiction
from service.audio_files.call import CallFile
from service.audio_files.reader import AudioUnusable
from service.cli.arguments import moment, pairs, words
from service.cli.terminal import err, fail, out, warn
from service.client import CallStart, FactSeen, StreamFailed, stream_call
from service.record.facts import Alert, AlertRaised, Fact, Notice, SentimentScored, UtteranceHeard


@dataclass(slots=True)
class StreamedCall:
    """The facts that came back of a call."""

    call_id: str
    utterances: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[Role, list[float]] = field(default_factory=lambda: {role: [] for role in ROLES})

    def add(self, seen: FactSeen) -> None:
        match seen.fact:
            case UtteranceHeard(utterance=said):
                line = {"speaker": said.role, "start": said.start, "end": said.end, "text": said.text}
                self.utterances.append(line)
            case AlertRaised(alert=alert):
                self.alerts.append(_alert(alert))
            case SentimentScored(sentiment=felt):
                self.scores[felt.role].append(felt.score)
            case _:
                pass

    def json(self) -> str:
        """The command's contract: one object. A party's sentiment is its mean score, null if it said nothing."""
        means = {role: round(sum(s) / len(s), 3) if s else None for role, s in self.scores.items()}
        body = {"call_id": self.call_id, "utterances": self.utterances, "alerts": self.alerts, "sentiment": means}
        return json.dumps(body, ensure_ascii=False)


def stream(
    audio: Annotated[Path, typer.Argument(help="Stereo WAV or FLAC: left agent, right customer.")],
    url: Annotated[str, typer.Option(help="The gateway's address, ws://HOST:PORT/v1/stream.")],
    key: Annotated[str, typer.Option(help="A gateway key with the rights stream and events.")],
    swap: Annotated[bool, typer.Option("--swap", help="Left is the customer, right the agent.")] = False,
    pace: Annotated[float, typer.Option(min=0.1, max=10, help="Times real time.")] = 1.0,
    language: Annotated[CallLanguage | None, typer.Option(help="Spoken language.")] = None,
    jurisdiction: Annotated[Jurisdiction | None, typer.Option(help="Whose law applies.")] = None,
    started_at: Annotated[str | None, typer.Option(help="ISO 8601 with offset; now if not given.")] = None,
    agent: Annotated[str, typer.Option(help="The agent's id.")] = "",
    customer: Annotated[str, typer.Option(help="The customer's reference.")] = "",
    metadata: Annotated[list[str] | None, typer.Option(help="k=v, as often as needed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Play a stereo file as a live call and wait until the call is wholly processed."""
    start = CallStart(
        call_id=f"stream-{secrets.token_hex(6)}",
        language=language,
        jurisdiction=jurisdiction,
        started_at=moment("--started-at", started_at),
        agent=words("--agent", agent),
        customer=words("--customer", customer),
        metadata=pairs(metadata or []),
    )
    streamed = StreamedCall(call_id=start.call_id)

    def seen(answer: FactSeen) -> None:
        streamed.add(answer)
        if not as_json:
            show(answer.fact)

    try:
        with CallFile(audio, swap=swap) as call, _shown_progress(audio.name, call.seconds) as sent:
            asyncio.run(stream_call(call, start, url=url, key=key, pace=pace, seen=seen, sent=sent))
    except (AudioUnusable, StreamFailed) as problem:
        fail(str(problem))
    if call.shortfall:
        warn(call.shortfall)
    if as_json:
        print(streamed.json())


@contextmanager
def _shown_progress(name: str, total: Seconds | None) -> Generator[Callable[[Seconds], None], None, None]:
    """A bar; it is told how many seconds are sent."""
    with progress_bar() as progress:
        bar = progress.add_task(name, total=total)
        yield lambda seconds: progress.update(bar, completed=seconds)


def show(fact: Fact, *, told_apart: bool = True) -> None:
    """One line a person reads for what was said or what went wrong; other facts are silent. `told_apart`: whether it is
    known who speaks."""
    match fact:
        case UtteranceHeard(utterance=said):
            speaker = said.role if told_apart else ""
            out.print(f"{said.start:7.2f}  {speaker:8}  {escape(said.text)}")
        case AlertRaised(alert=alert):
            said = alert.sentence or alert.quote
            words = f"“{escape(said)}”" if said else ""
            title = f"{alert.title.zh} / {alert.title.en}"
            out.print(f"{alert.start:7.2f}  [bold red]{alert.severity:8}[/]  {escape(title)} {words}")
        case Notice(message=message):
            out.print(f"         [yellow]notice[/]    {escape(message)}")
        case _:
            pass


class _Seconds(ProgressColumn):
    """How much of it is done, and of how much where that is known."""

    def render(self, task: Task) -> Text:
        whole = "" if task.total is None else f" of {task.total:.0f}"
        return Text(f"{task.completed:.0f}{whole} s")


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        _Seconds(),
        console=err,
        transient=True,
    )


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "category": alert.category,
        "severity": alert.severity,
        "speaker": alert.role,
        "start": alert.start,
        "end": alert.end,
        "quote": alert.quote,
        "score": alert.score,
        "latency_s": round(alert.latency, 3),
    }
