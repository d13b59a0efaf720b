"""Live messages as text, each written once however many dashboards get it."""

from __future__ import annotations

from service.live.messages import LIVE_MESSAGE, LiveMessage

_REMEMBERED = 64
"""Dashboards that keep up send the same message in the same turn of the event loop; 64 messages cover those that
lag a little, at half a megabyte."""

_texts: dict[int, tuple[LiveMessage, str]] = {}


def text_of(message: LiveMessage) -> str:
    """The message as JSON. Remembered by identity: messages are frozen, and the hub hands the same object to all.

    An event takes some 90 µs to write; for fifty dashboards and sixteen calls that would be a seventh of a core.
    """
    found = _texts.get(id(message))
    if found is not None:  # it holds the message, so no other object can have its id
        return found[1]
    text = LIVE_MESSAGE.dump_json(message).decode()
    _texts[id(message)] = (message, text)
    if len(_texts) > _REMEMBERED:
        del _texts[next(iter(_texts))]
    return text
