"""Live messages as text: each written once for a view, never given to another, and what is kept of them bounded."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.view import WATCHERS, NotForThisView, View
from service.live.messages import LIVE_MESSAGE, Levels, LiveMessage, Partial, Resync
from service.web.routes.live import REMEMBERED_TEXTS, LiveTexts


def levels(at: float) -> Levels:
    return Levels(call_id="通话-1", at=at, dbfs={"agent": -20.5, "customer": -60.0}, speaking=("agent",))


def test_text_is_the_message_as_json() -> None:
    texts = LiveTexts()
    assert LIVE_MESSAGE.validate_json(texts.of(levels(1.5), "admin")) == levels(1.5)
    assert json.loads(texts.of(Resync(), "admin")) == {"type": "resync"}


def test_message_is_written_once_for_all_of_one_view() -> None:
    texts, message = LiveTexts(), levels(2.0)
    first = texts.of(message, "supervisor")
    assert all(texts.of(message, "supervisor") is first for _dashboard in range(50))
    assert texts.of(levels(2.0), "supervisor") is not first


asked = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(WATCHERS)), max_size=60)


@given(asked, st.integers(1, 20))
def test_no_view_is_ever_given_anothers_text(asked: list[tuple[int, View]], remembered: int) -> None:
    def seen(view: View, message: LiveMessage) -> LiveMessage:
        assert isinstance(message, Partial)
        return replace(message, text=f"{message.text}, as {view} sees it")

    texts = LiveTexts(seen, remembered)
    partials = [Partial(call_id="c", role="agent", start=0.0, text=str(number)) for number in range(6)]
    for number, view in asked:
        assert json.loads(texts.of(partials[number], view))["text"] == f"{number}, as {view} sees it"


@pytest.mark.parametrize("view", ["integrator", "gateway", "stranger"])
def test_who_may_not_watch_is_given_no_text_even_of_what_is_kept(view: View) -> None:
    texts, message = LiveTexts(), levels(2.0)
    for watcher in WATCHERS:
        texts.of(message, watcher)
    with pytest.raises(NotForThisView):
        texts.of(message, view)


def test_what_is_remembered_is_bounded_and_never_another_messages() -> None:
    texts = LiveTexts()
    for at in range(5000):  # each dies at once, so that ids come again
        assert json.loads(texts.of(levels(float(at)), "supervisor"))["at"] == at


def test_old_messages_are_let_go() -> None:
    def all_of_it(_view: View, message: LiveMessage) -> LiveMessage:
        return message

    class WatchedLevels(Levels):
        __slots__ = ("__weakref__",)

    texts, message = LiveTexts(all_of_it), WatchedLevels(call_id="c", at=0.0, dbfs={}, speaking=())
    watched = weakref.ref(message)
    texts.of(message, "supervisor")
    del message
    for at in range(REMEMBERED_TEXTS):
        texts.of(levels(float(at)), "supervisor")
    gc.collect()
    assert watched() is None
