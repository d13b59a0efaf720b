"""Live messages as text: each written once, and what is kept of them bounded."""

from __future__ import annotations

import gc
import json
import weakref

from service.live.messages import LIVE_MESSAGE, Levels, Resync
from service.web.routes.live import REMEMBERED_TEXTS, LiveTexts


def levels(at: float) -> Levels:
    return Levels(call_id="通话-1", at=at, dbfs={"agent": -20.5, "customer": -60.0}, speaking=("agent",))


def test_text_is_the_message_as_json() -> None:
    texts = LiveTexts()
    assert LIVE_MESSAGE.validate_json(texts.of(levels(1.5))) == levels(1.5)
    assert json.loads(texts.of(Resync())) == {"type": "resync"}


def test_message_is_written_once_however_often_it_is_asked_for() -> None:
    texts, message = LiveTexts(), levels(2.0)
    first = texts.of(message)
    assert all(texts.of(message) is first for _dashboard in range(50))
    assert texts.of(levels(2.0)) is not first


def test_what_is_remembered_is_bounded_and_never_another_messages() -> None:
    texts = LiveTexts()
    for at in range(5000):  # each dies at once, so that ids come again
        assert json.loads(texts.of(levels(float(at))))["at"] == at


def test_old_messages_are_let_go() -> None:
    class Watched(Levels):
        __slots__ = ("__weakref__",)

    texts, message = LiveTexts(), Watched(call_id="c", at=0.0, dbfs={}, speaking=())
    watched = weakref.ref(message)
    texts.of(message)
    del message
    for at in range(REMEMBERED_TEXTS):
        texts.of(levels(float(at)))
    gc.collect()
    assert watched() is None
