"""What the gateway's shell relies on in every dialect of DIALECTS, whatever its peer sends: the messages that its page
shows, in any order and among others, broken ones, and silence."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.dialect import (
    CallProcessed,
    CallTaken,
    Close,
    ConnectionRefused,
    Dialect,
    DialectOutput,
    FactStored,
    Handshake,
    News,
    SendText,
)
from service.ingest.dialects.specs import DIALECTS
from service.ingest.events import CallAnnounced, CallStopped, GatewayEvent, ProtocolViolation, ReservedCallAnnounced
from service.ingest.source import Source
from tests import scenes
from tests.fakes.dialect import FakeDialect
from tests.floor import CALL

PAGES = Path(__file__).parents[2] / "docs" / "gateways"
SOURCE = Source(name="pbx", first_track="customer")
LATER = [
    FactStored(call_id="c-1", seq=1, at=scenes.AT, fact=scenes.opened("c-1")),
    FactStored(call_id="c-1", seq=2, at=scenes.AT, fact=scenes.heard("c-1")),
]
REFUSED = ConnectionRefused(violation=ProtocolViolation("start", "too many calls are live", 1013, 10.0))

Step: TypeAlias = str | bytes | News | None
"""A message, something to tell the peer, or None: time passes up to the deadline."""

made: dict[str, Callable[[], Dialect]] = {"fake": lambda: FakeDialect(CALL, due=1.0)}
made |= {name: (lambda spec=spec: spec.make(SOURCE, Handshake())) for name, spec in DIALECTS.items()}


@cache
def shown(name: str) -> list[str]:
    """The JSON blocks of the dialect's page."""
    page = PAGES / f"{name}.md"
    return re.findall(r"```json\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL) if page.exists() else []


@st.composite
def broken(draw: st.DrawFn, messages: list[str]) -> str:
    """A message that is cut, or has a piece of it changed."""
    message = draw(st.sampled_from(messages))
    at = draw(st.integers(0, len(message)))
    return message[:at] + draw(st.sampled_from(["", "null", "-1", '"', "{}", "9" * 400, "\x00"])) + message[at + 1 :]


def steps(name: str) -> st.SearchStrategy[list[Step]]:
    messages = shown(name) or ["hello"]
    texts = st.sampled_from(messages) | st.sampled_from(messages) | broken(messages) | st.text(max_size=40)
    frames = st.binary(max_size=40) | st.sampled_from([b"", bytes(1), bytes(320), b"\x01\x00\x10" + bytes(16)])
    return st.lists(texts | frames | st.sampled_from(LATER) | st.none(), max_size=12)


def answer(dialect: Dialect, step: Step) -> list[DialectOutput]:
    if isinstance(step, str):
        return [*dialect.text(step)]
    if isinstance(step, bytes):
        return [*dialect.binary(step)]
    if step is not None:
        return [*dialect.tell(step)]
    due = dialect.deadline()
    return [] if due is None else [*dialect.tick(due)]


def played(dialect: Dialect, told: list[Step]) -> list[DialectOutput]:
    """What it gives until it ends the connection, the last being what it says to that. News come once a call is
    announced, as the shell tells them."""
    given: list[DialectOutput] = []
    for step in told:
        if isinstance(step, FactStored) and not events_of(given):
            continue
        try:
            given += answer(dialect, step)
        except ProtocolViolation as violation:
            return [*given, *dialect.tell(ConnectionRefused(violation=violation))]
        if any(isinstance(each, Close) for each in given):
            return given
    return given


def events_of(given: list[DialectOutput]) -> list[GatewayEvent]:
    return [each for each in given if not isinstance(each, SendText | Close)]


@pytest.mark.parametrize("name", made)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_comes_is_events_and_replies_or_a_violation(name: str, data: st.DataObject) -> None:
    dialect = made[name]()
    given_ = played(dialect, data.draw(steps(name)))
    events = events_of(given_)
    assert all(isinstance(each, CallAnnounced | ReservedCallAnnounced) for each in events[:1]), "a call comes first"
    assert not dialect.held() or events, "nothing is held of no call"
    assert all(isinstance(each, CallStopped) for each in dialect.closed()) or events
    due = dialect.deadline()
    assert due is None or math.isfinite(due)


@pytest.mark.parametrize("name", made)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_the_same_messages_come_to_the_same(name: str, data: st.DataObject) -> None:
    told = data.draw(steps(name))
    assert played(made[name](), told) == played(made[name](), told), "it has no clock, chance or memory of others"


@pytest.mark.parametrize("name", made)
@pytest.mark.parametrize("news", [CallProcessed(), REFUSED], ids=["processed", "refused"])
def test_the_end_closes_once_and_last_or_is_left_to_the_peer(name: str, news: News) -> None:
    replies = [*made[name]().tell(news)]
    assert all(isinstance(each, SendText) for each in replies[:-1])
    assert replies or news == CallProcessed(), "who is refused is told"
    assert all(1000 <= each.code < 5000 for each in replies if isinstance(each, Close))


@pytest.mark.parametrize("name", made)
@pytest.mark.parametrize("news", [CallTaken(call_id="c-1", resumed=False), *LATER], ids=["taken", "opened", "heard"])
def test_nothing_else_closes(name: str, news: News) -> None:
    assert not any(isinstance(each, Close) for each in made[name]().tell(news))
