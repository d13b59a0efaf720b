"""Authentication and roles: dependencies for routes, and the same checks for sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from service.access.admittance import ConnectionAttempt
from service.access.denial import Denied, KeyForbidden, KeyMissing
from service.access.keys import presented_id, presented_key, verified_key
from service.access.sessions import COOKIE, Session, SessionInvalid, unix_now
from service.access.view import ADMINS, DECIDERS, KEEPERS, USERS, WATCHERS, View
from service.preview.hints import refusal
from service.storage.port import Gateway, GatewayKey, KeyRight, NotFound, StorageError, User, UserRole
from service.web.addresses import client_address
from service.web.errors import Refused, storage_refusal
from service.web.http_limits import mark_known
from service.web.origin import same_origin
from service.web.previewed import turn_away
from service.web.request_context import ContextDep, RequestContext
from service.web.schemas import Right

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="callwarden"'}
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_RIGHTS: dict[Right, tuple[UserRole, ...]] = {
    "watch": WATCHERS,
    "decide": DECIDERS,
    "keys": KEEPERS,
    "users": ADMINS,
    "webhooks": ADMINS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A logged-in user, as stored now, and the session they came with."""

    user: User
    session: Session

    @property
    def view(self) -> View:
        """The view with which this user sees values."""
        return self.user.role


async def logged_in(connection: HTTPConnection, context: RequestContext) -> Principal:
    """The user behind the session cookie. Raises Refused 401."""
    token = connection.cookies.get(COOKIE)
    principal = await principal_of(token, context) if token else None
    if principal is None:
        raise Refused(401, "not_logged_in", "Log in first.")
    mark_known(connection)
    return principal


async def principal_of(token: str, context: RequestContext) -> Principal | None:
    """The user a session token stands for, or None if the session does not hold (any more)."""
    parts = context.parts
    try:
        session = parts.signer.read(token, unix_now())
        user = await parts.store.user(session.user)
    except (SessionInvalid, NotFound):
        return None
    if session in parts.ended or user.disabled or not parts.signer.fits(session, user):
        return None
    return Principal(user=user, session=session)


def rights_of(role: UserRole) -> tuple[Right, ...]:
    """What the role may do, for a dashboard that shows no more than that."""
    return tuple(right for right, roles in _RIGHTS.items() if role in roles)


def require_role(principal: Principal, roles: tuple[UserRole, ...]) -> None:
    """Raises Refused 403."""
    if principal.user.role not in roles:
        raise Refused(403, "role", f"This needs one of the roles {', '.join(roles)}.")


def require_origin(connection: HTTPConnection, context: RequestContext) -> None:
    """Raises Refused 403 where a browser sent this from someone else's page."""
    headers = connection.headers
    if not same_origin(headers.get("origin"), headers.get("host"), context.parts.settings.public_url):
        raise Refused(403, "origin", "This request comes from another site (set CALLWARDEN_PUBLIC_URL behind a proxy).")


def _require_csrf(request: Request, context: RequestContext, principal: Principal) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not compare_digest(sent.encode(), context.parts.signer.csrf(principal.session).encode()):
        raise Refused(403, "csrf", f"The {CSRF_HEADER} header is missing or not this session's.")


def allow(*roles: UserRole) -> Callable[[Request, RequestContext], Awaitable[Principal]]:
    """A dependency that lets users with one of these roles through; changes need Origin and CSRF token right."""

    async def check(request: Request, context: ContextDep) -> Principal:
        principal = await logged_in(request, context)
        if request.method not in _SAFE:
            require_origin(request, context)
            _require_csrf(request, context, principal)
        require_role(principal, roles)
        return principal

    return check


def allow_key_or(
    *roles: UserRole, right: KeyRight
) -> Callable[[Request, RequestContext], Awaitable[Principal | GatewayKey]]:
    """A dependency for machines and people: a key with this right, or a session with one of these roles. Only for
    GET."""

    async def check(request: Request, context: ContextDep) -> Principal | GatewayKey:
        presented = presented_key(request.headers)
        if presented is not None:
            key = await _keyed(request, context, presented, right)
            mark_known(request)
            return key
        principal = await logged_in(request, context)
        require_role(principal, roles)
        return principal

    return check


async def admitted_gateway(context: RequestContext, connection: HTTPConnection, dialects: tuple[str, ...]) -> Gateway:
    """Whose calls this connection may stream, in one of these dialects: by a key, or by the credential of its source.
    Raises Refused."""
    try:
        return await context.admittance.admitted(_shown(connection, dialects))
    except Denied as denied:
        turn_away(context, connection, "/".join(dialects), refusal(denied.reason, denied.detail), denied.source)
        raise _refusal_of(denied) from denied
    except StorageError as error:
        turn_away(context, connection, "/".join(dialects), refusal("store_away", str(error)))
        raise storage_refusal(error) from error


def _refusal_of(denied: Denied) -> Refused:
    """What whoever connects is told."""
    if isinstance(denied, KeyMissing):
        refused = Refused(401, "key", "Send a gateway key: as bearer token, X-API-Key or Basic password.")
        refused.headers.update(_CHALLENGE)
        return refused
    if isinstance(denied, KeyForbidden):
        return Refused(403, "key", denied.detail)
    if denied.reason == "no_public_url":
        return Refused(503, "public_url", "No signature can be checked: CALLWARDEN_PUBLIC_URL is not set.")
    return Refused(503, "secret", "This source's secret cannot be read; see the service's log.")


def _shown(connection: HTTPConnection, dialects: tuple[str, ...]) -> ConnectionAttempt:
    """`raw_path` is what was asked for, before anybody decoded it."""
    query = connection.scope["query_string"].decode("latin-1")
    path = connection.scope["raw_path"].decode("latin-1")
    return ConnectionAttempt(
        dialects=dialects,
        place=connection.path_params.get("key", ""),
        headers=connection.headers,
        target=f"{path}?{query}" if query else path,
        address=client_address(connection),
    )


async def key_or_session(request: Request, context: ContextDep) -> Principal | GatewayKey | None:
    """The asker, on routes that are open to all: None for a stranger, also for one whose session has ended. A wrong key
    is refused."""
    presented = presented_key(request.headers)
    if presented is not None:
        key = await _keyed(request, context, presented, None)
        mark_known(request)
        return key
    token = request.cookies.get(COOKIE)
    return await principal_of(token, context) if token else None


def view_of(asker: Principal | GatewayKey | None) -> View:
    """The view of an asker who may be anybody."""
    if isinstance(asker, Principal):
        return asker.view
    return "stranger" if asker is None else "gateway"


async def _keyed(request: Request, context: RequestContext, presented: str, right: KeyRight | None) -> GatewayKey:
    try:
        return await verified_key(context.admittance.keys, presented, right)
    except KeyMissing as error:
        refused, cause = Refused(401, "key", "This key is not known."), error
    except KeyForbidden as error:
        refused, cause = Refused(403, "key", str(error)), error
    address, detail = client_address(request), refused.fault.message
    context.audit.note("key_refused", subject=presented_id(presented), address=address, detail=detail)
    raise refused from cause


Watcher = Annotated[Principal, Depends(allow(*WATCHERS))]
Decider = Annotated[Principal, Depends(allow(*DECIDERS))]
Keeper = Annotated[Principal, Depends(allow(*KEEPERS))]
Admin = Annotated[Principal, Depends(allow(*ADMINS))]
Anyone = Annotated[Principal, Depends(allow(*USERS))]
