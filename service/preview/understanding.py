"""How a call was understood: the value of each of its fields, and what it is from. Pure.

No dialect says from which field it took a value, and none need: the gateway's field that holds the same is looked for,
first under the name that the source or this service has for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, cast

from service.calls.opened_call import debtors_zone
from service.ingest.completion import told_moment
from service.ingest.events import CallAnnounced, ProtocolViolation
from service.ingest.fields import Message, jurisdiction_at, language_at
from service.ingest.source import NamedField, Source
from service.preview.values import MappedField, MappedName, Origin, SeenHandshake
from service.settings import Settings

_ANNOUNCED: Final[tuple[MappedName, ...]] = (
    "call_id",
    "agent",
    "customer",
    "started_at",
    "language",
    "jurisdiction",
)
_MOST_LEAVES: Final = 400
"""Fields of the messages that are looked through."""


def understood(
    announced: CallAnnounced, source: Source, settings: Settings, seen: SeenHandshake, messages: Iterable[str]
) -> tuple[MappedField, ...]:
    """The fields of the call in the order in which they are shown. `messages` as admins see them."""
    held: Mapping[Origin, Mapping[str, str]] = {"message": _leaves(messages), "query": seen.query}
    values: dict[MappedName, str] = {name: _text(getattr(announced, name)) for name in _ANNOUNCED}
    values["direction"] = announced.metadata.get("direction", "")
    fields = (_field(name, value, source, settings, held) for name, value in values.items())
    return (*fields, _zone(announced, source, settings))


def _field(
    name: MappedName, value: str, source: Source, settings: Settings, held: Mapping[Origin, Mapping[str, str]]
) -> MappedField:
    if not value:
        return _default(name, source, settings)
    for origin, leaves in held.items():
        if place := _place(name, value, source, leaves):
            return MappedField(name=name, value=value, origin=origin, place=place)
    labelled = value in source.labels.values()
    return MappedField(name=name, value=value, origin="label" if labelled else "dialect")


def _default(name: MappedName, source: Source, settings: Settings) -> MappedField:
    """What stands for a field that nothing announced."""
    if name in ("language", "jurisdiction"):
        own = getattr(source, name)
        return MappedField(name=name, value=own or getattr(settings, name), origin="source" if own else "service")
    if name == "started_at":
        return MappedField(name=name, value="", origin="arrival")
    return MappedField(name=name, value="", origin="nothing")


def _zone(announced: CallAnnounced, source: Source, settings: Settings) -> MappedField:
    zone = debtors_zone(announced, source, settings)
    if zone.told_by == "metadata":
        return MappedField(name="timezone", value=zone.name, origin="message", place=f"metadata.{zone.field}")
    return MappedField(name="timezone", value=zone.name, origin=zone.told_by or "nothing")


def _place(name: MappedName, value: str, source: Source, leaves: Mapping[str, str]) -> str:
    """The field that holds the value, "" for none."""
    same = [path for path, text in leaves.items() if _reads(name, text) == value]
    wanted = (source.names.get(cast("NamedField", name)), name)
    return next((path for path in same if path.rpartition(".")[2] in wanted), same[0] if same else "")


def _reads(name: MappedName, text: str) -> str:
    """What a field of this text is understood as."""
    read = _READERS.get(name)
    try:
        return text.strip() if read is None else _text(read({name: text}, name))
    except ProtocolViolation:
        return ""


_READERS: Final[Mapping[MappedName, Callable[[Message, str], object]]] = MappingProxyType(
    {"language": language_at, "jurisdiction": jurisdiction_at, "started_at": told_moment}
)


def _leaves(messages: Iterable[str]) -> dict[str, str]:
    """Every field of the messages that holds a text or a number, by its path."""
    found: dict[str, str] = {}
    for message in messages:
        try:
            body: object = json.loads(message)
        except (ValueError, RecursionError):
            pairs = (pair.partition(":") for pair in message.split())
            body = {name: value for name, _, value in pairs if value}
        for path, text in _walk("", body):
            if len(found) < _MOST_LEAVES:
                found.setdefault(path, text)
    return found


def _walk(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in cast("dict[str, object]", value).items():
            yield from _walk(f"{path}.{name}" if path else name, each)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield path, str(value)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)
