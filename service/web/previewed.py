"""What of a gateway's request is told to the previews of its source."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from service.access.clock import steady_now, utc_now
from service.access.keys import credential_of, redacted
from service.ingest.dialects.specs import DIALECTS
from service.preview.masking import harmless, pairs_as_they_came
from service.preview.trace import ConnectionTrace
from service.preview.values import PreviewRefusal, SeenHandshake
from service.storage.port import Gateway
from service.web.addresses import client_address
from service.web.request_context import RequestContext

_LONGEST_PLACE = 24
"""Of what stands where a key or a source's name belongs: enough to see what was mistyped."""


def seen_handshake(connection: HTTPConnection, dialect: str) -> SeenHandshake:
    """Without what is secret. `dialect`: of the path; empty for one where no gateway connects."""
    return SeenHandshake(
        dialect=dialect,
        address=client_address(connection),
        path=_path(connection),
        query=pairs_as_they_came(connection.query_params),
        headers=harmless(connection.headers),
    )


def let_in(context: RequestContext, connection: HTTPConnection, dialect: str, key: Gateway | None) -> ConnectionTrace:
    """The trace of a connection that is accepted; without a key only to be told so, which is shown as turned away."""
    seen = seen_handshake(connection, dialect)
    credential = "" if key is None else credential_of(key)
    parties = DIALECTS[dialect].names_parties
    trace = ConnectionTrace(seen, steady_now(), utc_now(), credential=credential, names_parties=parties)
    if key is not None:
        context.parts.gateways.previews.let_in(trace, key.source.name)
    return trace


def turn_away(
    context: RequestContext, connection: HTTPConnection, dialect: str, refusal: PreviewRefusal, source: str = ""
) -> None:
    """A request is refused. `source`: whose it would be, as far as is known."""
    trace = ConnectionTrace(seen_handshake(connection, dialect), steady_now(), utc_now())
    trace.refuse(refusal)
    context.parts.gateways.previews.turned_away(trace, source)


def _path(connection: HTTPConnection) -> str:
    path = str(connection.scope["path"])
    place = str(connection.path_params.get("key", ""))
    if not place or place.startswith("cw_"):
        return redacted(path)[:200]
    return path.removesuffix(place)[:100] + place[:_LONGEST_PLACE] + "…" * (len(place) > _LONGEST_PLACE)
