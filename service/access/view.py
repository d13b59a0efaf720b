"""Who sees what, and hears it: the one place that decides it, for pages, the live feed, recordings and what gateways
are told alike.

Whoever lets a value out of the service asks `seen_by` what of it may be seen, and sends that. It fails closed: a value
of a type that is not registered here, or not for the one who looks, is not sent at all.

Today everybody who may see a value sees all of it. Who is to see less of one gets a `part` for its type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from service.live.messages import EventsAnswer, LiveMessage, Partial
from service.record.conversation import Conversation
from service.record.export import RecordRow
from service.record.facts import Alert, Fact
from service.recordings.peaks import Peaks
from service.recordings.recordings import Sound
from service.storage.port import AlertPage, CallPage, CallRecord, UserRole

View: TypeAlias = UserRole | Literal["gateway", "stranger"]
"""Who looks at a value: a user of this role, a gateway with its key, or anybody who reaches the port. Two with the same
view see the same."""

WATCHERS: tuple[UserRole, ...] = ("supervisor", "compliance", "admin")
DECIDERS: tuple[UserRole, ...] = ("compliance", "admin")
KEEPERS: tuple[UserRole, ...] = ("integrator", "admin")
ADMINS: tuple[UserRole, ...] = ("admin",)
USERS: tuple[UserRole, ...] = ("supervisor", "compliance", "integrator", "admin")
GATEWAYS: tuple[View, ...] = ("gateway",)
EVERYBODY: tuple[View, ...] = (*USERS, "gateway", "stranger")

Part: TypeAlias = Callable[[View, Any], object]
"""What a view sees of a value of one type: a value of the same type."""

T = TypeVar("T")


class NotForThisView(Exception):
    """The value must not be seen with this view, or its type is not registered. It is a defect of the caller, whose
    roles are checked before."""


@dataclass(frozen=True, slots=True)
class _Rule:
    views: frozenset[View]
    part: Part | None


_RULES: dict[type, _Rule] = {}


def shown_to(views: tuple[View, ...], part: Part | None = None) -> Callable[[type[T]], type[T]]:
    """Registers a type by whom its values are seen; `part` gives what of a value a view sees, where that is not all.

    A decorator for types that are defined above this module: those of the web's own answers.
    """

    def register(kind: type[T]) -> type[T]:
        assert kind not in _RULES, f"{kind.__name__} is registered twice"
        _RULES[kind] = _Rule(frozenset(views), part)
        return kind

    return register


def seen_by(view: View, value: T) -> T:
    """What may be seen of the value with this view. Pure. Raises NotForThisView."""
    rule = _RULES.get(type(value))
    if rule is None:
        raise NotForThisView(f"nobody has said who may see a {type(value).__name__} (service/access/view.py)")
    if view not in rule.views:
        raise NotForThisView(f"a {type(value).__name__} is not for the view {view!r}")
    if rule.part is None:
        return value
    part = rule.part(view, value)
    assert isinstance(part, type(value))
    return part


def registered() -> frozenset[type]:
    """The types that are registered."""
    return frozenset(_RULES)


_FOR_DASHBOARDS = tuple(kind for kind in get_args(LiveMessage) if kind is not Partial)

for _kind in (CallPage, CallRecord, Conversation, EventsAnswer, AlertPage, Alert, Peaks, Sound, *_FOR_DASHBOARDS):
    shown_to(WATCHERS)(_kind)
shown_to(DECIDERS)(RecordRow)
for _kind in (Partial, *get_args(Fact)):
    shown_to((*WATCHERS, *GATEWAYS))(_kind)
