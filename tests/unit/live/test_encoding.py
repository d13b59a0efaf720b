from __future__ import annotations

import gc
import json
import weakref

import pytest

from service.live import encoding
from service.live.encoding import text_of
from service.live.messages import LIVE_MESSAGE, Levels, LiveMessage, Resync


def levels(at: float) -> Levels:
    return Levels(call_id="通话-1", at=at, dbfs={"agent": -20.5, "customer": -60.0}, speaking=("agent",))


def test_text_is_the_message_as_json() -> None:
    assert LIVE_MESSAGE.validate_json(text_of(levels(1.5))) == levels(1.5)
    assert json.loads(text_of(Resync())) == {"type": "resync"}


def test_message_is_written_once_however_often_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting:
        written = 0

        def dump_json(self, message: LiveMessage) -> bytes:
            self.written += 1
            return LIVE_MESSAGE.dump_json(message)

    counting = Counting()
    monkeypatch.setattr(encoding, "LIVE_MESSAGE", counting)
    message = levels(2.0)
    assert len({text_of(message) for _dashboard in range(50)}) == 1
    assert counting.written == 1


def test_what_is_remembered_is_bounded_and_never_another_messages() -> None:
    for at in range(5000):  # each dies at once, so that ids come again
        assert json.loads(text_of(levels(float(at))))["at"] == at


@pytest.mark.parametrize("later", [500])
def test_old_messages_are_let_go(later: int) -> None:
    class Watched(Levels):
        __slots__ = ("__weakref__",)

    message = Watched(call_id="c", at=0.0, dbfs={}, speaking=())
    watched = weakref.ref(message)
    text_of(message)
    del message
    for at in range(later):
        text_of(levels(float(at)))
    gc.collect()
    assert watched() is None
