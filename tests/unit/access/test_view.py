"""Who sees what: each type that leaves the service with each who may look, and nothing that nobody has decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute

from detectors.contract import Finding
from service.access.view import EVERYBODY, NotForThisView, View, registered, seen_by
from service.live import messages
from service.live.messages import LiveMessage
from service.record import facts
from service.record.conversation import Conversation
from service.record.export import RecordRow
from service.record.facts import Call, Fact
from service.record.summary import CallSummary
from service.recordings.peaks import Peaks
from service.recordings.recordings import Sound
from service.storage import port
from service.web import errors, schemas, webhook_bodies
from service.web.route_table import application
from service.web.schemas import Check, Readiness

WATCH: frozenset[View] = frozenset({"supervisor", "compliance", "admin"})
GATEWAY: frozenset[View] = frozenset({"gateway"})
ADMIN: frozenset[View] = frozenset({"admin"})
KEYS: frozenset[View] = frozenset({"integrator", "admin"})
PEOPLE: frozenset[View] = WATCH | KEYS
ALL: frozenset[View] = frozenset(EVERYBODY)

SEEN: dict[Any, frozenset[View]] = {
    port.CallPage: WATCH,
    port.CallRecord: WATCH,
    port.AlertPage: WATCH,
    Conversation: WATCH,
    facts.Alert: WATCH,
    messages.EventsAnswer: WATCH,
    Peaks: WATCH,
    Sound: WATCH,
    schemas.NoteAnswer: WATCH,
    RecordRow: frozenset({"compliance", "admin"}),
    schemas.RulesAnswer: WATCH,
    schemas.ReferenceAnswer: WATCH,
    schemas.SourceAnswer: KEYS,
    schemas.SourcesAnswer: KEYS,
    schemas.ConnectionsAnswer: KEYS,
    schemas.KeysAnswer: KEYS,
    schemas.NewKeyAnswer: KEYS,
    schemas.UserAnswer: ADMIN,
    schemas.UsersAnswer: ADMIN,
    webhook_bodies.WebhookAnswer: ADMIN,
    webhook_bodies.WebhooksAnswer: ADMIN,
    webhook_bodies.NewWebhookAnswer: ADMIN,
    webhook_bodies.DeliveryAnswer: ADMIN,
    webhook_bodies.DeliveriesAnswer: ADMIN,
    schemas.SessionAnswer: PEOPLE,
    schemas.ReservationAnswer: frozenset({"gateway"}),
    schemas.ErrorAnswer: ALL,
    schemas.Alive: ALL,
    schemas.Readiness: ALL,
    **dict[Any, frozenset[View]].fromkeys(get_args(LiveMessage), WATCH),
    messages.Partial: WATCH | GATEWAY,
    **dict[Any, frozenset[View]].fromkeys(get_args(Fact), WATCH | GATEWAY),
}
"""Written out once more: a change of who sees what is a change of two places."""

IN_PART: dict[type, Any] = {
    Readiness: Readiness(ready=True, checks={}),
    schemas.ConnectionsAnswer: schemas.ConnectionsAnswer(connections=()),
}
"""Types of which not all who look see all; what of them has a test of its own."""


def some(kind: type) -> Any:
    """A value of the type; which one decides nothing."""
    return IN_PART[kind] if kind in IN_PART else object.__new__(kind)


def leaving() -> set[type]:
    """Every type whose values leave the service: over HTTP, over the live feed, to gateways."""
    routes = [route for route in application().routes if isinstance(route, APIRoute)]
    answers = {route.response_model for route in routes if route.response_model is not None}
    told = {given["model"] for route in routes for given in route.responses.values() if "model" in given}
    told |= {given["model"] for given in errors.RESPONSES.values()}
    return answers | told | set(get_args(LiveMessage)) | set(get_args(Fact))


def test_of_everything_that_leaves_the_service_it_is_said_who_sees_it() -> None:
    assert leaving() <= registered()


def test_nothing_is_registered_that_is_not_in_the_table() -> None:
    assert registered() == set(SEEN)


@pytest.mark.parametrize("kind", SEEN, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("view", EVERYBODY)
def test_each_view_sees_what_is_for_it_and_all_of_it(view: View, kind: type) -> None:
    value = some(kind)
    if view not in SEEN[kind]:
        with pytest.raises(NotForThisView, match=kind.__name__):
            seen_by(view, value)
    elif kind not in IN_PART:
        assert seen_by(view, value) is value


def test_a_stranger_sees_what_fails_and_not_why() -> None:
    told = Readiness(ready=False, checks={"storage": Check(ok=False, message="/srv is full"), "model": Check(ok=True)})
    blank = Readiness(ready=False, checks={"storage": Check(ok=False), "model": Check(ok=True)})
    for view in EVERYBODY:
        assert seen_by(view, told) == (blank if view == "stranger" else told)


class Sub(facts.Alert):
    """What a subclass adds nobody has looked at."""


@dataclass(frozen=True)
class Fresh:
    text: str


SECRET = (port.User, port.GatewayKey, port.AuditEntry, port.LoggedFact)
PARTS = (Call, CallSummary, Finding)
"""They leave only within what is registered."""


@pytest.mark.parametrize(
    "kind", [Fresh, Sub, dict, list, str, bytes, type(None), *SECRET, *PARTS], ids=lambda kind: kind.__name__
)
def test_what_nobody_has_decided_is_seen_by_nobody(kind: Any) -> None:
    for view in EVERYBODY:
        with pytest.raises(NotForThisView, match="nobody has said"):
            seen_by(view, None if kind is type(None) else kind.__new__(kind))


def test_who_is_nobody_known_sees_nothing() -> None:
    for kind in SEEN:
        with pytest.raises(NotForThisView):
            seen_by("auditor", some(kind))  # type: ignore[arg-type]
