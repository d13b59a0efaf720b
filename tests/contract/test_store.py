"""What every store must do: a call's log. The same tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from asr.types import Role, Word
from detectors.contract import Said
from service.record.facts import (
    FACT,
    AlertChanged,
    CallOpened,
    Fact,
    FindingMade,
    FindingWithdrawn,
    GapMarked,
    NoteWritten,
    Notice,
    SentimentScored,
    WordsTimed,
)
from service.record.note import CallNote
from service.record.summary import CallSummary, fold
from service.record.summary import opened as summary_of
from service.storage.port import AlreadyExists, LoggedFact, NotFound, Store, Unstorable
from service.storage.sql import SqlStore
from tests import scenes, strategies
from tests.scenes import AT


def folded(log: list[LoggedFact]) -> CallSummary:
    first, *rest = log
    assert isinstance(first.fact, CallOpened)
    summary = summary_of(first.fact.call, 1)
    for entry in rest:
        summary = fold(summary, entry.fact, entry.seq)
    return summary


async def test_log_gives_back_facts_in_order_with_their_time(store: Store) -> None:
    await store.append("call-1", [scenes.opened()], AT)
    logged = await store.append("call-1", scenes.talk("call-1", 3), AT + timedelta(seconds=9))
    log = await store.facts("call-1")
    assert [entry.seq for entry in log] == [1, 2, 3, 4]
    assert [entry.fact for entry in log] == [scenes.opened(), *scenes.talk("call-1", 3)]
    assert [entry.at for entry in log] == [AT, *[AT + timedelta(seconds=9)] * 3]
    assert [(entry.seq, entry.fact, entry.at) for entry in logged] == [(e.seq, e.fact, e.at) for e in log[1:]]


async def test_append_tells_the_summary_after_each_fact(store: Store) -> None:
    logged = await store.append("call-1", [scenes.opened(), *scenes.talk("call-1", 2)], AT)
    assert [entry.summary.seq for entry in logged] == [1, 2, 3]
    assert [entry.summary.parties[0].talked for entry in logged] == [0.0, 2.0, 4.0]
    assert await store.summary("call-1") == logged[-1].summary


async def test_log_can_be_read_on_from_a_seq_in_portions(store: Store) -> None:
    await store.append("call-1", [scenes.opened(), *scenes.talk("call-1", 9)], AT)
    assert [entry.seq for entry in await store.facts("call-1", after=4, limit=3)] == [5, 6, 7]
    assert await store.facts("call-1", after=10) == []


async def test_no_facts_is_nothing_to_write(store: Store) -> None:
    assert await store.append("call-1", [], AT) == []


async def test_what_is_unknown_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="call-1"):
        await store.append("call-1", [scenes.heard()], AT)
    for read in (store.facts, store.call, store.summary):
        with pytest.raises(NotFound, match="call-1"):
            await read("call-1")


async def test_call_opens_once(store: Store) -> None:
    await store.append("call-1", [scenes.opened()], AT)
    for again in ([scenes.opened()], [scenes.heard(), scenes.opened()]):
        with pytest.raises(AlreadyExists, match="call-1"):
            await store.append("call-1", again, AT)
    assert len(await store.facts("call-1")) == 1


async def test_seq_has_no_hole_when_many_calls_are_written_at_once(store: Store) -> None:
    calls = [f"call-{n}" for n in range(12)]

    async def live(call_id: str) -> None:
        await store.append(call_id, [scenes.opened(call_id)], AT)
        for fact in scenes.talk(call_id, 8):
            await store.append(call_id, [fact], AT)

    async with asyncio.TaskGroup() as group:
        for call_id in calls:
            group.create_task(live(call_id))
    for call_id in calls:
        log = await store.facts(call_id)
        assert [entry.seq for entry in log] == list(range(1, 10))
        assert [entry.fact for entry in log[1:]] == scenes.talk(call_id, 8)


async def test_seq_has_no_hole_when_one_call_is_written_from_many_sides(store: Store) -> None:
    await store.append("call-1", [scenes.opened()], AT)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.append("call-1", [fact], AT)) for fact in scenes.talk("call-1", 30)]
    assert sorted(task.result()[0].seq for task in tasks) == list(range(2, 32))
    log = await store.facts("call-1")
    assert [entry.seq for entry in log] == list(range(1, 32))
    assert await store.summary("call-1") == folded(log)
    assert (await store.summary("call-1")).parties[0].talked == 60.0


POISON = {
    "a taken utterance id": ([scenes.heard()], AlreadyExists),
    "a taken alert id": ([scenes.raised()], AlreadyExists),
    "words of no utterance": ([WordsTimed(utterance_id="none", words=())], NotFound),
    "a change to no alert": ([AlertChanged(alert_id="none", state="confirmed", by="mei", at=AT)], NotFound),
    "a score that is no number": ([FindingMade(finding=scenes.finding(score=float("nan")))], Unstorable),
    "an endless gap": ([GapMarked(role=None, start=0.0, end=float("inf"), reason="lost")], Unstorable),
    "a fact of another call": ([scenes.heard("call-2", 7)], Unstorable),
    "an overlong id": ([scenes.raised("长" * 1000)], Unstorable),
    "a time without offset": ([scenes.raised("new", raised_at=datetime(2026, 3, 2))], Unstorable),  # noqa: DTZ001
}


@pytest.mark.parametrize("poison", POISON)
async def test_one_fact_that_fails_means_none_is_written(store: Store, poison: str) -> None:
    await store.append("call-1", [scenes.opened(), scenes.heard(), scenes.raised()], AT)
    before = (await store.facts("call-1"), await store.call("call-1"))
    failing, error = POISON[poison]
    with pytest.raises(error):
        await store.append("call-1", [scenes.heard(index=1), *failing, scenes.heard(index=2)], AT)
    assert (await store.facts("call-1"), await store.call("call-1")) == before
    await store.append("call-1", [scenes.heard(index=1)], AT)  # nothing stands in the way


async def test_cancelled_append_is_written_wholly_or_not_at_all(store: Store) -> None:
    await store.append("call-1", [scenes.opened()], AT)
    for index in range(0, 40, 2):
        pair = [scenes.heard(index=index), scenes.heard(index=index + 1)]
        writing = asyncio.create_task(store.append("call-1", pair, AT))
        for _turn in range(index):
            await asyncio.sleep(0)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writing
    await store.append("call-1", [scenes.heard(index=1000)], AT)
    log = await store.facts("call-1")
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
    assert len(log) % 2 == 0
    assert await store.summary("call-1") == folded(log)


_numbers = itertools.count()


@settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take longer than a test may
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_every_fact_is_read_as_it_was_written(store: Store, data: st.DataObject) -> None:
    call_id = f"call-{next(_numbers)}"
    told: list[Fact] = [data.draw(strategies.opening(call_id))]
    told += data.draw(
        st.lists(strategies.facts(call_id), max_size=6, unique_by=lambda fact: (fact.type, FACT.dump_json(fact)[:60]))
    )
    try:
        logged = await store.append(call_id, told, AT)
    except AlreadyExists:  # two utterances of one id were drawn
        return
    log = await store.facts(call_id)
    assert [entry.fact for entry in log] == [store.storable(fact, call_id) for fact in told]
    assert [entry.fact for entry in logged] == [entry.fact for entry in log]
    without_nul = [fact for fact in told if b"\\u0000" not in FACT.dump_json(fact)]
    assert [fact for fact in without_nul if fact not in [entry.fact for entry in log]] == []
    record = await store.call(call_id)
    spread = [*record.utterances, *record.sentiments, *record.findings, *record.alerts]
    spread += [*record.gaps, *record.notices, *record.withdrawals]
    stored = [
        value
        for entry in log
        for value in (getattr(entry.fact, name, None) for name in ("utterance", "sentiment", "finding", "alert"))
        if value is not None
    ] + [entry.fact for entry in log if isinstance(entry.fact, GapMarked | Notice | FindingWithdrawn)]
    assert len(spread) == len(stored)
    assert [value for value in stored if value not in spread] == []
    assert record.summary == logged[-1].summary


async def test_record_holds_all_of_a_call_in_the_order_of_its_time(store: Store) -> None:
    late, early = scenes.heard(index=5), scenes.heard(index=1, role="customer")
    facts: list[Fact] = [scenes.opened(), late, early]
    facts += [SentimentScored(sentiment=scenes.sentiment(5)), SentimentScored(sentiment=scenes.sentiment(1))]
    facts += [FindingMade(finding=scenes.finding(start=9.0)), FindingMade(finding=scenes.finding(start=3.0))]
    facts += [scenes.raised("b", start=9.0), scenes.raised("a", start=3.0)]
    facts += [GapMarked(role="agent", start=8.0, end=9.0, reason="lost")]
    facts += [GapMarked(role=None, start=2.0, end=3.0, reason="disconnected")]
    late_notice, notice = (Notice(code="channels_equal", message="both alike", at=at) for at in (7.0, 4.0))
    facts += [late_notice, notice]
    await store.append("call-1", facts, AT)
    record = await store.call("call-1")
    assert record.utterances == (early.utterance, late.utterance)
    assert record.sentiments == (scenes.sentiment(1), scenes.sentiment(5))
    assert [found.start for found in record.findings] == [3.0, 9.0]
    assert [alert.id for alert in record.alerts] == ["a", "b"]
    assert [gap.role for gap in record.gaps] == [None, "agent"]
    assert record.notices == (notice, late_notice)
    assert record.summary == await store.summary("call-1")


async def test_the_words_of_an_utterance_are_there_once_they_are_timed(store: Store) -> None:
    other, flagged = scenes.heard(index=0), scenes.heard(index=1)
    words = (Word(text="您", start=3.1, end=3.4, probability=0.9), Word(text="好", start=3.4, end=3.9, probability=0.8))
    timed = WordsTimed(utterance_id=flagged.utterance.id, words=words)
    await store.append("call-1", [scenes.opened(), other, flagged, timed], AT)
    record = await store.call("call-1")
    assert record.utterances == (other.utterance, replace(flagged.utterance, words=words))
    assert [entry.fact for entry in await store.facts("call-1")][-1] == timed


async def test_the_calls_of_a_debtor_are_found_newest_first(store: Store) -> None:
    for number, customer in enumerate(("李四", "王五", "李四", "李四")):
        start = AT - timedelta(days=number)
        await store.append(f"call-{number}", [scenes.opened(f"call-{number}", customer=customer, started_at=start)], AT)
    said, closed = scenes.heard("call-2", role="customer"), scenes.closed()
    await store.append("call-2", [said, closed], AT)
    found = await store.contacts("李四", AT - timedelta(days=2), "call-0")
    assert [(each.call_id, each.started_at, each.spoke) for each in found] == [
        ("call-2", AT - timedelta(days=2), ("customer",))
    ]
    assert found[0].duration == closed.duration
    assert [each.call_id for each in await store.contacts("李四", AT - timedelta(days=9), "")] == [
        "call-0",
        "call-2",
        "call-3",
    ]
    assert await store.contacts("赵六", AT - timedelta(days=9), "") == ()


async def test_the_calls_of_a_debtor_tell_what_was_stated_in_them_and_how_they_were_announced(store: Store) -> None:
    announced = scenes.opened("call-1", customer="李四", metadata={"account": "A-1"})
    said = (scenes.stated("stop", score=0.7), scenes.stated("stop", index=1), scenes.stated("promise", index=2))
    agents = scenes.stated("recording_notice", index=3, role="agent")
    await store.append("call-1", [announced, *said, agents], AT)
    corrected = NoteWritten(note=CallNote(outcomes=("callback",)), by="mei", at=AT)
    before = scenes.opened("call-2", customer="李四", roles=("agent",), started_at=AT - timedelta(days=1))
    await store.append("call-2", [before, scenes.stated("stop"), corrected], AT)
    found = await store.contacts("李四", AT - timedelta(days=9), "")
    assert [(each.said, each.metadata, each.legs) for each in found] == [
        ({"stop": 0.9, "promise": 0.9}, {"account": "A-1"}, ("agent", "customer")),
        ({"callback": 1.0}, scenes.call().metadata, ("agent",)),
    ]


async def test_the_calls_of_a_debtor_are_told_as_they_were_known_at_a_moment(store: Store) -> None:
    first, second = AT - timedelta(days=2), AT - timedelta(days=1)
    await store.append("call-1", [scenes.opened("call-1", customer="李四", started_at=first)], first)
    await store.append("call-1", [scenes.heard(role="customer"), scenes.stated("stop")], first)
    between = first + timedelta(seconds=30)
    later = first + timedelta(seconds=60)
    await store.append("call-1", [scenes.heard(role="agent"), scenes.closed()], later)
    await store.append("call-2", [scenes.opened("call-2", customer="李四", started_at=second)], second)
    await store.write_note("call-1", CallNote(outcomes=("promise",)), "mei", AT, 0)

    async def told(known_at: datetime | None) -> list[tuple[str, bool, tuple[Role, ...], list[Said]]]:
        found = await store.contacts("李四", AT - timedelta(days=9), "", known_at)
        return [(each.call_id, each.duration > 0, each.spoke, list(each.said)) for each in found]

    assert await told(first - timedelta(seconds=1)) == []
    assert await told(between) == [("call-1", False, ("customer",), ["stop"])]
    assert await told(later) == [("call-1", True, ("agent", "customer"), ["stop"])]
    assert [call_id for call_id, *_ in await told(second)] == ["call-2", "call-1"]
    assert (await told(AT))[1] == (await told(None))[1] == ("call-1", True, ("agent", "customer"), ["promise"])


async def test_calls_nobody_closed_are_found_oldest_first(store: Store) -> None:
    for number, call_id in enumerate(("young", "old", "over")):
        await store.append(call_id, [scenes.opened(call_id, started_at=AT - timedelta(hours=number))], AT)
    await store.append("over", [scenes.closed()], AT)
    assert [summary.call.id for summary in await store.live_calls()] == ["old", "young"]


async def test_text_in_any_script_comes_back(store: Store) -> None:
    text = "您欠款逾期，再不还就上门！👨‍👩‍👧 مرحبا ｅｎ\r\n\t'\"\\%_"
    await store.append("call-1", [scenes.opened(customer=text), scenes.heard(text=text)], AT)
    record = await store.call("call-1")
    assert (record.utterances[0].text, record.summary.call.customer) == (text, text)


@pytest.mark.parametrize("refused", ["\x00", "\ud83d"])
async def test_characters_no_database_takes_are_replaced_visibly(store: Store, refused: str) -> None:
    told = [scenes.opened(metadata={f"k{refused}": f"v{refused}"}), scenes.heard(text=f"还{refused}钱 \\u0000")]
    logged = await store.append("call-1", told, AT)
    expected = [scenes.opened(metadata={"k�": "v�"}), scenes.heard(text="还�钱 \\u0000")]
    assert [entry.fact for entry in logged] == expected
    assert [entry.fact for entry in await store.facts("call-1")] == expected
    assert (await store.call("call-1")).utterances[0].text == "还�钱 \\u0000"


async def test_call_id_no_database_takes_is_the_same_call_each_time(store: Store) -> None:
    [opened] = await store.append("call\x00", [scenes.opened("call\x00")], AT)
    assert opened.call_id == opened.summary.call.id == "call�"
    with pytest.raises(AlreadyExists):
        await store.append("call\x00", [scenes.opened("call\x00")], AT)
    assert (await store.summary("call\x00")).call.id == "call�"


async def test_long_text_is_kept_whole(store: Store) -> None:
    text = "这笔钱您到底什么时候还。" * 50_000
    await store.append("call-1", [scenes.opened(), scenes.heard(text=text)], AT)
    assert (await store.call("call-1")).utterances[0].text == text


async def test_everything_is_there_after_opening_again(store: Store, store_url: str) -> None:
    await store.append("call-1", [scenes.opened(), scenes.heard(), scenes.raised()], AT)
    again = SqlStore(store_url)
    await again.open()
    try:
        assert await again.call("call-1") == await store.call("call-1")
        [logged] = await again.append("call-1", [scenes.heard(index=1)], AT)
        assert logged.seq == 4
    finally:
        await again.close()


async def test_two_stores_on_one_database_share_a_calls_seq(store: Store, store_url: str) -> None:
    """Two processes of the service, as the database sees them."""
    other = SqlStore(store_url)
    await other.open()
    try:
        await store.append("call-1", [scenes.opened()], AT)
        async with asyncio.TaskGroup() as group:
            for index, fact in enumerate(scenes.talk("call-1", 20)):
                group.create_task((store, other)[index % 2].append("call-1", [fact], AT))
        log = await other.facts("call-1")
    finally:
        await other.close()
    assert [entry.seq for entry in log] == list(range(1, 22))
    assert await store.summary("call-1") == folded(log)


async def test_opened_call_keeps_the_offset_its_hours_are_judged_by(store: Store) -> None:
    await store.append("call-1", [scenes.opened()], AT)
    started_at = (await store.summary("call-1")).call.started_at
    assert (started_at, started_at.utcoffset()) == (AT, timedelta(hours=8))
    assert replace(scenes.call(), started_at=started_at) == scenes.call()
