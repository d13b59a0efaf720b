"""Facts for property tests: every kind, with every kind of value its types allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import get_args

from hypothesis import strategies as st

from asr.audio.pcm import Encoding
from asr.types import ROLES, Acoustics, Language, Utterance, Word
from detectors.contract import (
    CONDUCT,
    FINDING_KINDS,
    SAID,
    SEVERITIES,
    Bilingual,
    Currency,
    Emotion,
    Finding,
    Jurisdiction,
    PackVersion,
    Sentiment,
    SentimentLabel,
    Statement,
    Withdrawn,
)
from service.record.facts import (
    Alert,
    AlertRaised,
    AlertState,
    Call,
    CallClosed,
    CallEnding,
    CallOpened,
    DtmfPressed,
    Fact,
    FindingMade,
    FindingWithdrawn,
    GapMarked,
    GapReason,
    NoteWritten,
    Notice,
    NoticeCode,
    SentimentScored,
    StatementMade,
    UtteranceHeard,
)
from service.record.note import CallNote

TEXT = st.text(max_size=40)
"""NUL, emoji, right-to-left marks and unassigned code points included; lone surrogates have a test of their own."""
FIGURE = st.floats(allow_nan=False, allow_infinity=False)
ROLE = st.sampled_from(ROLES)
LANGUAGE = st.sampled_from(get_args(Language))
OFFSET = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EARLIEST, LATEST = datetime(1971, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
MOMENT = st.datetimes(min_value=EARLIEST, max_value=LATEST, timezones=OFFSET | st.just(UTC))
BILINGUAL = st.builds(Bilingual, zh=TEXT, en=TEXT)
CITES = st.lists(TEXT, max_size=3).map(tuple)
WORDS = st.lists(st.builds(Word, text=TEXT, start=FIGURE, end=FIGURE, probability=FIGURE), max_size=3).map(tuple)
EVIDENCE = {
    "kind": st.sampled_from(FINDING_KINDS),
    "category": TEXT,
    "rule": TEXT,
    "severity": st.sampled_from(SEVERITIES),
    "score": FIGURE,
    "role": ROLE,
    "start": FIGURE,
    "end": FIGURE,
    "quote": TEXT,
    "title": BILINGUAL,
    "why": BILINGUAL,
    "cites": CITES,
    "utterance_id": st.none() | TEXT,
    "decided_by_transcript": st.booleans(),
    "pack": st.none() | st.builds(PackVersion, name=TEXT, version=TEXT, sha256=TEXT),
    "sentence": TEXT,
    "lead": TEXT,
    "lead_role": st.none() | ROLE,
}


MONEY = st.decimals(Decimal("0.01"), Decimal(10**9), places=2)
TERMS = {"day": st.none() | st.dates(), "hour": st.none() | st.times()}
CURRENCY = st.none() | st.sampled_from(get_args(Currency))
STATEMENT = st.builds(
    Statement,
    kind=st.sampled_from([*SAID, *CONDUCT]),
    role=ROLE,
    start=FIGURE,
    end=FIGURE,
    quote=TEXT,
    utterance_id=TEXT,
    score=FIGURE,
    amount=st.none() | MONEY,
    currency=CURRENCY,
    **TERMS,
)
NOTE = st.builds(
    CallNote,
    outcomes=st.lists(st.sampled_from(SAID), unique=True).map(tuple),
    conduct=st.lists(st.sampled_from(CONDUCT), unique=True).map(tuple),
    promise_amount=st.none() | MONEY,
    promise_currency=CURRENCY,
    promise_day=TERMS["day"],
    callback_day=TERMS["day"],
    callback_hour=TERMS["hour"],
    text=TEXT,
)


def calls(call_id: str) -> st.SearchStrategy[Call]:
    return st.builds(
        Call,
        id=st.just(call_id),
        source=TEXT,
        roles=st.lists(ROLE, min_size=1, max_size=2, unique=True).map(tuple),
        encoding=st.sampled_from(get_args(Encoding)),
        rate=st.integers(1, 192_000),
        language=LANGUAGE,
        jurisdiction=st.sampled_from(get_args(Jurisdiction)),
        started_at=MOMENT,
        agent=TEXT,
        customer=TEXT,
        timezone=TEXT,
        metadata=st.dictionaries(TEXT, TEXT, max_size=3),
    )


def opening(call_id: str) -> st.SearchStrategy[CallOpened]:
    return st.builds(CallOpened, call=calls(call_id))


SENTIMENT = st.builds(
    Sentiment,
    utterance_id=TEXT,
    role=ROLE,
    at=FIGURE,
    score=st.floats(-1, 1),
    label=st.sampled_from(get_args(SentimentLabel)),
    emotion=st.sampled_from(get_args(Emotion)),
    trend=st.floats(-1, 1),
)


def utterances(call_id: str) -> st.SearchStrategy[Utterance]:
    return st.builds(
        Utterance,
        id=TEXT,
        call_id=st.just(call_id),
        role=ROLE,
        index=st.integers(0, 2**31 - 1),
        start=FIGURE,
        end=FIGURE,
        text=TEXT,
        language=LANGUAGE,
        confidence=FIGURE,
        words=WORDS,
        acoustics=st.none() | st.builds(Acoustics, level_dbfs=FIGURE, peak_dbfs=FIGURE, pitch_hz=st.none() | FIGURE),
    )


def alerts(call_id: str) -> st.SearchStrategy[Alert]:
    return st.builds(
        Alert,
        **EVIDENCE,
        detector=TEXT,
        id=st.uuids().map(str),
        call_id=st.just(call_id),
        raised_at=MOMENT,
        latency=FIGURE,
        state=st.sampled_from(get_args(AlertState)),
        changed_by=st.none() | TEXT,
        changed_at=st.none() | MOMENT,
        note=TEXT,
    )


def facts(call_id: str) -> st.SearchStrategy[Fact]:
    """Any fact of a call that is open, save AlertChanged, which needs an alert to change."""
    return st.one_of(
        st.builds(UtteranceHeard, utterance=utterances(call_id)),
        st.builds(StatementMade, statement=STATEMENT),
        st.builds(NoteWritten, note=NOTE, by=TEXT, at=MOMENT),
        st.builds(SentimentScored, sentiment=SENTIMENT),
        st.builds(FindingMade, finding=st.builds(Finding, **EVIDENCE, detector=TEXT)),
        st.builds(AlertRaised, alert=alerts(call_id)),
        st.builds(
            FindingWithdrawn,
            withdrawn=st.builds(Withdrawn, rule=TEXT, role=ROLE, start=FIGURE, end=FIGURE, why=BILINGUAL),
            alert_id=st.none() | TEXT,
            at=FIGURE,
        ),
        st.builds(
            GapMarked, role=st.none() | ROLE, start=FIGURE, end=FIGURE, reason=st.sampled_from(get_args(GapReason))
        ),
        st.builds(DtmfPressed, digit=TEXT, at=FIGURE, role=st.none() | ROLE),
        st.builds(Notice, code=st.sampled_from(get_args(NoticeCode)), message=TEXT, at=FIGURE),
        st.builds(
            CallClosed, ended_at=MOMENT, duration=FIGURE, ending=st.sampled_from(get_args(CallEnding)), reason=TEXT
        ),
    )
