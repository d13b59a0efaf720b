"""Puts one long finished call into a data folder: `python long_call.py DATA_DIR CALL_ID TURNS`, no service running.

Its sound and words are the Chinese sample calls', over and over; each turn has a mood, every hundredth an alert.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta, timezone
from itertools import cycle, islice
from math import sin
from pathlib import Path

import numpy as np

from asr.types import Role, Utterance
from detectors.contract import Bilingual, Sentiment
from service.client import read_call_audio
from service.record.facts import Alert, AlertRaised, Call, CallClosed, CallOpened, Fact, SentimentScored, UtteranceHeard
from service.recordings.folder import recording_name
from service.recordings.wav import WavForm, wav_head
from service.samples import SampleCall, sample_calls
from service.settings import Settings
from service.storage.sql import SqlStore

AT = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=8)))
ROLES: tuple[Role, Role] = ("agent", "customer")
RATE = 8000
AN_ALERT = 100


def pending(calls: list[SampleCall]) -> list[tuple[Role, str, float, float]]:
    """Every turn of the calls, one call after another: who, what, from, to."""
    found: list[tuple[Role, str, float, float]] = []
    begin = 0.0
    for call in calls:
        for turn in call.turns:
            found.append((turn.speaker, turn.text, begin + turn.start, begin + turn.end))
        begin += read_call_audio(call.audio).pcm.shape[0] / RATE
    return found


def facts(call_id: str, calls: list[SampleCall], turns: int, length: float) -> list[Fact]:
    """The facts of the call: so many turns of the sample calls, over and over, `length` seconds in all."""
    said = pending(calls)
    found: list[Fact] = []
    for index, (role, text, start, end) in enumerate(islice(cycle(said), turns)):
        begin = index // len(said) * length
        one = Utterance(
            id=f"{role}-{index}",
            call_id=call_id,
            role=role,
            index=index,
            start=round(begin + start, 3),
            end=round(begin + end, 3),
            text=text,
            language="zh",
            confidence=0.9,
        )
        found += [UtteranceHeard(utterance=one), SentimentScored(sentiment=mood(one))]
        if role == "agent" and index % AN_ALERT < 2:
            found.append(AlertRaised(alert=alert(one)))
    return found


def mood(said: Utterance) -> Sentiment:
    score = round(sin(said.index / 7), 3)
    trend = round(sin(said.index / 50), 3)
    label = "negative" if score < -0.3 else "positive" if score > 0.3 else "neutral"
    return Sentiment(
        utterance_id=said.id, role=said.role, at=said.end, score=score, label=label, emotion="neutral", trend=trend
    )


def alert(said: Utterance) -> Alert:
    return Alert(
        id=f"alert-{said.index}",
        call_id=said.call_id,
        kind="violation",
        category="threat_of_violence",
        rule="threat.made",
        detector="lexical",
        severity="high",
        score=0.8,
        role=said.role,
        start=said.start,
        end=said.end,
        quote=said.text[:4],
        title=Bilingual(zh="暴力威胁", en="Threat of violence"),
        why=Bilingual(zh="威胁人身安全", en="Threatens bodily harm"),
        cites=("CN-CRIM#293-1",),
        utterance_id=said.id,
        decided_by_transcript=True,
        raised_at=AT + timedelta(seconds=said.end),
        latency=1.0,
    )


def record(path: Path, calls: list[SampleCall], seconds: float) -> None:
    """The calls' sound, over and over for so long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    once = b"".join(np.ascontiguousarray(read_call_audio(call.audio).pcm).astype("<i2").tobytes() for call in calls)
    frames = int(seconds * RATE)
    with path.open("wb") as file:
        file.write(wav_head(WavForm(roles=ROLES, rate=RATE), frames))
        left = frames * 4
        while left > 0:
            left -= file.write(once[:left])


async def main() -> None:
    folder, call_id, turns = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    calls = [call for call in sample_calls() if call.lang == "zh"]
    length = sum(read_call_audio(call.audio).pcm.shape[0] for call in calls) / RATE
    told = facts(call_id, calls, turns, length)
    last = next(fact.utterance for fact in reversed(told) if isinstance(fact, UtteranceHeard))
    call = Call(
        id=call_id,
        source="made",
        roles=ROLES,
        encoding="mulaw",
        rate=RATE,
        language="zh",
        jurisdiction="CN",
        started_at=AT,
        agent="A1",
        customer="C1",
        metadata={},
    )
    async with SqlStore(Settings().store_url) as store:
        await store.append(call_id, [CallOpened(call=call)], AT)
        for first in range(0, len(told), 400):
            await store.append(call_id, told[first : first + 400], AT)
        ended = AT + timedelta(seconds=last.end)
        await store.append(call_id, [CallClosed(ended_at=ended, duration=last.end, ending="completed")], ended)
    record(folder / "recordings" / recording_name(call_id), calls, last.end)


asyncio.run(main())
