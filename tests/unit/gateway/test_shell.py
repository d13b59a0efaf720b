"""Whatever a gateway sends in whatever order, and whenever it leaves: its call ends or waits, no other is touched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.gateway.inbox import PeerClosed
from service.gateway.reservations import Reservations
from service.gateway.shell import GatewayParts, GatewayShell
from service.ingest.dialect import Dialect, Handshake
from service.ingest.dialects.audiohook import AudioHookDialect
from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.telnyx import TelnyxDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import AudioArrived
from service.ingest.source import Source
from service.metrics import Metrics
from service.record.facts import UtteranceHeard
from service.storage.sql import SqlStore
from service.web.routes.gateways import WebSocketTransport
from tests import scenes
from tests.fakes.call_registry import FakeCallRegistry
from tests.fakes.dialect import FakeDialect
from tests.fakes.transport import FakeTransport
from tests.floor import CALL, KEY, SECOND, Floor, a_trace
from tests.media_streams_vendors import PBX, TELNYX

START = {"type": "start", "call_id": "c-1", "legs": [{"role": "agent"}, {"role": "customer"}], "encoding": "mulaw"}
START["rate"] = 8000
TWILIO = {"event": "start", "start": {"callSid": "c-1", "tracks": ["inbound", "outbound"]}}

TEXTS = {
    "start": json.dumps(START),
    "stop": json.dumps({"type": "stop"}),
    "digit": json.dumps({"type": "dtmf", "digit": "5"}),
    "garbage": "{no json",
    "twilio start": json.dumps(TWILIO),
    "twilio stop": json.dumps({"event": "stop"}),
    "twilio media": json.dumps({"event": "media", "media": {"track": "inbound", "payload": "/////w=="}}),
}


class OneSegment:
    """A socket whose messages all lie there already, and whose peer stops reading after `sends` of ours."""

    def __init__(self, messages: Sequence[str], close_code: int, sends: int, *, raises: Exception) -> None:
        self._messages = [*messages]
        self._close_code = close_code
        self._sends = sends
        self._raises = raises

    async def receive(self) -> dict[str, Any]:
        if not self._messages:
            return {"type": "websocket.disconnect", "code": self._close_code}
        name = self._messages.pop(0)
        if name in TEXTS:
            return {"type": "websocket.receive", "text": TEXTS[name]}
        return {"type": "websocket.receive", "bytes": bytes(161 if name == "half a frame" else 1600)}

    async def send_text(self, _text: str) -> None:
        self._sends -= 1
        if self._sends < 0:
            raise self._raises
        await asyncio.sleep(0)

    async def close(self, _code: int, _reason: str) -> None:
        await self.send_text("")


def a_connection(floor: Floor, wire: OneSegment, dialect: Dialect) -> GatewayShell:
    parts = GatewayParts(calls=floor.calls, metrics=floor.metrics, reservations=Reservations())
    return GatewayShell(WebSocketTransport(cast(WebSocket, wire)), parts, dialect, a_trace(), KEY)


NATIVE_MESSAGES = ["start", "start", "audio", "half a frame", "digit", "garbage", "stop", "stop"]
TWILIO_MESSAGES = ["twilio start", "twilio start", "twilio media", "garbage", "twilio stop", "twilio stop", "audio"]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.one_of(
        st.lists(st.sampled_from(NATIVE_MESSAGES), max_size=6).map(lambda said: ["start", *said]),
        st.lists(st.sampled_from(NATIVE_MESSAGES), max_size=6),
        st.lists(st.sampled_from(TWILIO_MESSAGES), max_size=6).map(lambda said: ["twilio start", *said]),
    ),
    close_code=st.sampled_from([1000, 1001, 1005, 1006, 1007, 1009]),
    sends=st.integers(0, 3),
    raises=st.sampled_from([WebSocketDisconnect(1006), RuntimeError("after a close message has been sent")]),
)
async def test_every_order_in_one_segment_leaves_no_call_live(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], close_code: int, sends: int, raises: Exception
) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('segment') / 'c.db'}")
    await store.open()
    try:
        floor = Floor(store, grace_seconds=0)
        tracks = bool(order) and order[0].startswith("twilio")
        dialect = TwilioDialect(Source(name="pbx", first_track="customer")) if tracks else NativeDialect()
        wire = OneSegment(order, close_code, sends, raises=raises)
        async with floor.journal, asyncio.timeout(30), floor.calls:
            bystander = await floor.attach(replace(CALL, call_id="bystander"))
            await a_connection(floor, wire, dialect).serve()
            bystander.feed(SECOND)
            assert (await floor.ended(bystander)).ending == "completed"
            while floor.calls.live:  # noqa: ASYNC110 - the registry tells nobody that it is empty
                await asyncio.sleep(0)
        assert await store.live_calls() == []
    finally:
        await store.close()


async def test_a_stop_with_one_more_message_behind_it_is_a_completed_call(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A media thread that sends a last packet after the stop, and a peer that does not read what is said back."""
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('segment') / 'c.db'}")
    await store.open()
    floor = Floor(store)
    gone = RuntimeError("after a close message has been sent")
    wire = OneSegment(["start", "audio", "stop", "audio", "stop"], 1000, 0, raises=gone)
    async with floor.journal, asyncio.timeout(30), floor.calls:
        await a_connection(floor, wire, NativeDialect()).serve()
        while floor.calls.live:  # noqa: ASYNC110 - the registry tells nobody that it is empty
            await asyncio.sleep(0)
        assert (await floor.closing()).ending == "completed"
    await store.close()


OPEN = {
    "conversationId": "c-1",
    "media": [{"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}],
    "customConfig": {"events": True},
}


async def told_and_pinging(calls: FakeCallRegistry, peer: FakeTransport) -> None:
    """The peer opens a session, and pings while it is told of facts."""

    def said(seq: int, kind: str, parameters: object) -> str:
        return json.dumps({"version": "2", "id": "s", "type": kind, "seq": seq, "parameters": parameters})

    peer.come.put_nowait(said(1, "open", OPEN))
    connection = await calls.connections.get()
    for seq in range(2, 31):
        connection.say("customer", "明天", float(seq))
        connection.tell(UtteranceHeard(utterance=scenes.utterance(role="customer")))
        peer.come.put_nowait(said(seq, "ping", {}))
        await asyncio.sleep(0)
    peer.come.put_nowait(PeerClosed(code=1000))


async def test_what_is_numbered_is_sent_in_the_order_of_its_numbers() -> None:
    """The network takes longer for some messages than for others."""

    async def on_the_way(text: str) -> None:
        for _ in range(json.loads(text)["seq"] % 4):
            await asyncio.sleep(0)

    calls, peer = FakeCallRegistry(), FakeTransport(on_the_way=on_the_way)
    parts = GatewayParts(calls=calls, metrics=Metrics(), reservations=Reservations())
    key = replace(KEY, rights=("stream", "events"))
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(told_and_pinging(calls, peer))
        await GatewayShell(peer, parts, AudioHookDialect(Handshake()), a_trace(), key).serve()
    sent = [json.loads(text) for text in peer.sent]
    assert {"opened", "pong", "event"} == {message["type"] for message in sent}
    assert [message["seq"] for message in sent] == [*range(1, len(sent) + 1)]


@pytest.mark.parametrize("code", [1000, 1006])
async def test_what_a_dialect_holds_is_taken_in_however_the_connection_ends(code: int) -> None:
    """Telnyx's second frame has not come, so the third waits for it."""
    calls, peer = FakeCallRegistry(), FakeTransport()
    for message in (TELNYX.start(), *(TELNYX.audio(bytes([n]) * 160, n + 1, 20 * n, "inbound") for n in (0, 2))):
        peer.come.put_nowait(message)
    peer.come.put_nowait(PeerClosed(code=code))
    parts = GatewayParts(calls=calls, metrics=Metrics(), reservations=Reservations())
    async with asyncio.timeout(30):
        await GatewayShell(peer, parts, TelnyxDialect(PBX), a_trace(), KEY).serve()
    fed = calls.connections.get_nowait().fed
    assert [event.payload[0] for event in fed if isinstance(event, AudioArrived)] == [0, 2]


async def test_audio_does_not_wait_for_a_peer_that_reads_nothing() -> None:
    """It asks for events, reads none of them, and goes on with its audio once one is on its way."""
    stuck = asyncio.Event()

    async def on_the_way(text: str) -> None:
        if json.loads(text)["type"] == "event":
            stuck.set()
            await asyncio.Event().wait()

    calls, peer = FakeCallRegistry(), FakeTransport(on_the_way=on_the_way)
    parts = GatewayParts(calls=calls, metrics=Metrics(), reservations=Reservations())
    shell = GatewayShell(peer, parts, NativeDialect(), a_trace(), replace(KEY, rights=("stream", "events")))
    peer.come.put_nowait(json.dumps({**START, "events": True}))
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:  # less than the service would wait for the peer
        serving = tasks.create_task(shell.serve())
        connection = await calls.connections.get()
        connection.tell(UtteranceHeard(utterance=scenes.utterance(role="customer")))
        await stuck.wait()
        for message in (bytes(1600), TEXTS["stop"], PeerClosed(code=1006)):
            peer.come.put_nowait(message)
        await serving
    assert [len(event.payload) for event in connection.fed if isinstance(event, AudioArrived)] == [1600]
    assert connection.was_stopped.is_set()


async def test_a_dialect_is_waked_at_its_deadline_and_may_answer_or_end_the_connection(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('ticks') / 'c.db'}")
    await store.open()
    floor, peer = Floor(store), FakeTransport()
    peer.come.put_nowait("hello")
    async with floor.journal, asyncio.timeout(30), floor.calls:
        parts = GatewayParts(calls=floor.calls, metrics=floor.metrics, reservations=Reservations())
        await GatewayShell(peer, parts, FakeDialect(CALL, due=0.0), a_trace(), KEY).serve()
        while floor.calls.live:  # noqa: ASYNC110 - the registry tells nobody that it is empty
            await asyncio.sleep(0)
        assert (await floor.closing()).ending == "rejected"
    assert (peer.sent, peer.closes) == (["tick 1", "tick 2"], [1008])
    await store.close()


async def test_a_connection_that_is_silent_for_longer_than_its_source_is_ends_and_its_call_waits(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('idle') / 'c.db'}")
    await store.open()
    floor, peer = Floor(store, grace_seconds=0), FakeTransport()
    peer.come.put_nowait("hello")
    silent = replace(KEY, source=replace(KEY.source, idle_seconds=0.01))
    async with floor.journal, asyncio.timeout(30), floor.calls:
        parts = GatewayParts(calls=floor.calls, metrics=floor.metrics, reservations=Reservations())
        await GatewayShell(peer, parts, FakeDialect(CALL), a_trace(), silent).serve()
        while floor.calls.live:  # noqa: ASYNC110 - the registry tells nobody that it is empty
            await asyncio.sleep(0)
        assert (await floor.closing()).ending == "dropped"
    assert peer.closes == [1008]
    await store.close()
