"""The calls that are played, and those who watch them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from asr.types import Role
from service.live.messages import Event, Health, HealthChanged, Levels, LiveMessage, Snapshot
from service.record.facts import Alert, Call, CallOpened, Fact, NoteWritten
from service.record.note import drafted
from service.record.summary import CallSummary, fold, opened
from service.storage.port import CallRecord
from tools.rehearsal.facts import facts_of
from tools.rehearsal.plays import PLAYS, Play


class StagedCall:
    """One scripted call: its whole future is known, `played` says how far it has come."""

    def __init__(self, call: Call, play: Play) -> None:
        self.call, self.play = call, play
        self.future = facts_of(call, play)
        self.events: list[Event] = []
        self.summary: CallSummary = opened(call, 0)
        self.happen(CallOpened(call=call))

    def happen(self, fact: Fact) -> Event:
        self.summary = fold(self.summary, fact, self.summary.seq + 1)
        event = Event(call_id=self.call.id, seq=self.summary.seq, at=datetime.now(UTC), fact=fact, summary=self.summary)
        self.events.append(event)
        return event

    def due(self, at: float) -> list[Event]:
        """What has happened up to that second of the call."""
        made: list[Event] = []
        while self.future and self.future[0][0] <= at:
            made.append(self.happen(self.future.pop(0)[1]))
        return made

    def alerts(self) -> dict[str, Alert]:
        held: dict[str, Alert] = {}
        for event in self.events:
            fact = event.fact
            if fact.type == "alert":
                held[fact.alert.id] = fact.alert
            elif fact.type == "alert_changed":
                old = held[fact.alert_id]
                held[fact.alert_id] = replace(
                    old, state=fact.state, changed_by=fact.by, changed_at=fact.at, note=fact.note
                )
        return held

    def record(self) -> CallRecord:
        def of(kind: str, name: str) -> tuple[Any, ...]:
            return tuple(getattr(e.fact, name) for e in self.events if e.fact.type == kind)

        edits = tuple(e.fact for e in self.events if isinstance(e.fact, NoteWritten))
        return CallRecord(
            summary=self.summary,
            utterances=of("utterance", "utterance"),
            sentiments=of("sentiment", "sentiment"),
            findings=of("finding", "finding"),
            alerts=tuple(self.alerts().values()),
            gaps=tuple(e.fact for e in self.events if e.fact.type == "gap"),
            notices=tuple(e.fact for e in self.events if e.fact.type == "notice"),
            withdrawals=(),
            statements=of("statement", "statement"),
            note=edits[-1].note if edits else drafted(of("statement", "statement")),
            edits=edits,
        )


class RehearsalStage:
    """`calls` of them live at a time, `past` over already."""

    def __init__(self, calls: int, past: int, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - scripts the rehearsal, guards nothing
        self.calls: dict[str, StagedCall] = {}
        self.sockets: set[asyncio.Queue[LiveMessage | None]] = set()
        self.fault = False
        self.made = 0
        self.slots = calls
        for index in range(past):
            staged = self.new(timedelta(minutes=11 * index + 20))
            staged.due(1e9)
        for index in range(calls):
            staged = self.new(timedelta())
            length = staged.future[-1][0]
            ago = self.random.uniform(0.05, 0.75) * length if index else 0.45 * length
            self.backdate(staged, ago)

    def new(self, ago: timedelta) -> StagedCall:
        """A new call, begun `ago` seconds before now."""
        play = PLAYS[self.made % len(PLAYS)]
        self.made += 1
        started = datetime.now(UTC) - ago
        call = Call(
            id=f"{started:%Y%m%d}-{self.made:05d}",
            source="shanghai-pbx" if play.language == "zh" else "twilio-us",
            roles=("agent", "customer"),
            encoding="mulaw",
            rate=8000,
            language=play.language,
            jurisdiction="CN" if play.language == "zh" else "US",
            started_at=started,
            agent=f"A{8000 + self.made % 97:04d}",
            customer=f"C-{880000 + self.made * 37}",
            timezone="Asia/Shanghai" if play.language == "zh" else "America/Chicago",
            metadata={
                "creditor": "海港银行" if play.language == "zh" else "First Harbor Bank",
                "product": "credit_card",
            },
        )
        staged = self.calls[call.id] = StagedCall(call, play)
        return staged

    def backdate(self, staged: StagedCall, seconds: float) -> None:
        started = datetime.now(UTC) - timedelta(seconds=seconds)
        staged.call = replace(staged.call, started_at=started)
        staged.summary = replace(staged.summary, call=staged.call)
        staged.due(seconds)

    def live(self) -> list[StagedCall]:
        return [s for s in self.calls.values() if s.summary.state == "live"]

    def health(self) -> Health:
        backlog = 6.4 if self.fault else round(self.random.uniform(0.2, 0.9), 1)
        troubles = ("storage_failing", "overloaded") if self.fault else ()
        return Health(
            model="whisper-base",
            live_calls=len(self.live()),
            max_calls=64,
            backlog=backlog,
            level="agents_first" if self.fault else "full",
            troubles=troubles,
        )

    def snapshot(self) -> Snapshot:
        alerts = [a for s in self.calls.values() for a in s.alerts().values() if a.state in ("open", "acknowledged")]
        alerts.sort(key=lambda a: a.raised_at, reverse=True)
        return Snapshot(
            now=datetime.now(UTC),
            calls=tuple(s.summary for s in self.live()),
            alerts=tuple(alerts[:200]),
            health=self.health(),
        )

    def publish(self, message: LiveMessage) -> None:
        for queue in self.sockets:
            queue.put_nowait(message)

    def drop(self) -> None:
        """Cut every live line."""
        for queue in self.sockets:
            queue.put_nowait(None)

    async def run(self) -> None:
        """Plays on, and opens calls in the place of those that are over."""
        while True:
            for staged in self.live():
                at = (datetime.now(UTC) - staged.call.started_at).total_seconds()
                for event in staged.due(at):
                    self.publish(event)
                if staged.summary.state == "live":
                    self.publish(self.levels(staged, at))
            if len(self.live()) < self.slots and self.random.random() < 0.2:
                fresh = self.new(timedelta())
                self.publish(fresh.events[0])
                self.publish(HealthChanged(health=self.health()))
            await asyncio.sleep(0.5)

    def levels(self, staged: StagedCall, at: float) -> Levels:
        speaking = staged.play.speaking(at)
        dbfs: dict[Role, float] = {
            role: self.random.uniform(-26, -14) if role in speaking else self.random.uniform(-62, -54)
            for role in staged.call.roles
        }
        return Levels(call_id=staged.call.id, at=at, dbfs=dbfs, speaking=speaking)
