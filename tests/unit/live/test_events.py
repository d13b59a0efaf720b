"""Events are light: a fact each, the summary when it says something new, the metadata once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from asr.types import Word
from detectors.contract import Bilingual, Withdrawn
from service.live.messages import LIVE_MESSAGE, Event, events_of
from service.record.facts import (
    CallOpened,
    DtmfPressed,
    Fact,
    FindingMade,
    FindingWithdrawn,
    NoteWritten,
    Notice,
    SentimentScored,
    WordsTimed,
)
from service.record.note import CallNote
from service.record.summary import CallSummary, fold, opened
from service.storage.port import LoggedFact
from tests import scenes

LONG = {"notes": "三" * 20_000}
"""60 kB of metadata, the most a call may bring."""
AGREED = scenes.stated("promise")
ODD = Notice(code="gateway_irregular", message="digit: is none", at=3.0)
TAKEN = FindingWithdrawn(
    withdrawn=Withdrawn(rule="r", role="agent", start=1.0, end=2.0, why=Bilingual(zh="不", en="no")),
    alert_id=None,
    at=3.0,
)
NOTED = NoteWritten(note=CallNote(text="还"), by="lin", at=scenes.AT)


def logged(batches: Sequence[Sequence[Fact]], metadata: dict[str, str] | None = None) -> list[list[LoggedFact]]:
    """The batches as the store gives them back, behind the call's opening."""
    first = CallOpened(call=scenes.call(metadata=LONG if metadata is None else metadata))
    summary = opened(first.call, 0)
    found: list[list[LoggedFact]] = []
    for batch in [[first], *batches]:
        stored: list[LoggedFact] = []
        for fact in batch:
            summary = fold(summary, fact, summary.seq + 1)
            stored.append(LoggedFact(call_id="call-1", seq=summary.seq, at=scenes.AT, fact=fact, summary=summary))
        found.append(stored)
    return found


def told(batches: Sequence[Sequence[Fact]]) -> list[Event]:
    return [event for batch in logged(batches) for event in events_of(batch)]


def text_of(event: Event) -> str:
    return LIVE_MESSAGE.dump_json(event).decode()


def felt(index: int) -> Fact:
    return SentimentScored(sentiment=scenes.sentiment(index))


def timed(index: int) -> Fact:
    word = Word(text="您", start=1.0, end=1.5, probability=0.9)
    return WordsTimed(utterance_id=f"agent-{index}", words=(word,))


def test_metadata_is_told_once() -> None:
    opening, *others = told([[scenes.heard(index=index), felt(index)] for index in range(20)])
    assert "三" * 100 in text_of(opening)
    assert len(text_of(opening).encode()) < 1.1 * len(LONG["notes"].encode())
    assert not any("三" in text_of(event) for event in others)


def test_facts_that_came_together_carry_one_summary_the_newest() -> None:
    [_, batch] = logged([[scenes.heard(), felt(0), FindingMade(finding=scenes.finding()), scenes.raised()]])
    *before, last = events_of(batch)
    assert [event.summary for event in before] == [None] * 3
    newest = batch[-1].summary
    assert last.summary == replace(newest, call=replace(newest.call, metadata={}))


def test_what_changes_nothing_at_a_glance_carries_no_summary() -> None:
    dull = [timed(0), FindingMade(finding=scenes.finding()), DtmfPressed(digit="5", at=1.0), AGREED, NOTED, ODD, TAKEN]
    assert [event.summary for event in told([[each] for each in dull])[1:]] == [None] * 7


def test_facts_that_came_with_the_opening_carry_one_summary_with_it() -> None:
    batch = [each for part in logged([[scenes.heard(), felt(0)]], {}) for each in part]
    opening, *others = events_of(batch)
    assert opening.summary == batch[-1].summary
    assert [event.summary for event in others] == [None] * 2


def test_an_event_without_summary_is_about_as_long_as_its_fact() -> None:
    events = told([[scenes.heard(index=index), felt(index)] for index in range(120)])
    light = [len(text_of(event)) for event in events if event.summary is None]
    assert len(light) == 120
    assert max(light) < 500


facts = st.sampled_from(
    [
        scenes.heard(index=1),
        scenes.heard(index=2, role="customer"),
        felt(1),
        felt(2),
        timed(1),
        scenes.raised(),
        scenes.raised("a2", rule="r2"),
        FindingMade(finding=scenes.finding()),
        DtmfPressed(digit="1", at=2.0),
        AGREED,
        NOTED,
        ODD,
        TAKEN,
        Notice(code="storage_failing", message="the disk", at=3.0),
        Notice(code="storage_recovered", message="the disk", at=4.0),
    ]
)


@given(st.lists(st.lists(facts, min_size=1, max_size=5), max_size=8))
def test_who_keeps_the_last_summary_and_the_metadata_knows_what_the_service_knows(batches: list[list[Fact]]) -> None:
    stored = logged(batches)
    held: CallSummary | None = None
    for event in (event for batch in stored for event in events_of(batch)):
        if isinstance(event.fact, CallOpened):
            metadata = event.fact.call.metadata
        if event.summary is not None:
            held = replace(event.summary, call=replace(event.summary.call, metadata=metadata))
    assert held is not None
    truth = stored[-1][-1].summary
    assert replace(held, seq=truth.seq) == truth
