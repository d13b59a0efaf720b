"""What every answer tells browsers not to do, and the limit on what a request may bring."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.errors import error_response
from service.web.schemas import Fault

MAX_BODY_BYTES = 64 * 1024
"""No body we take is longer than a note of 2000 characters."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # Shadow-DOM styles of the waveform are <style> elements; styles run nothing.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_TOO_BIG = f"A request's body may have {MAX_BODY_BYTES} bytes at most."
_ONE_YEAR = "max-age=31536000"


class SecurityHeaders:
    """ASGI middleware. `https` adds Strict-Transport-Security; answers that set no caching are not stored."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = {**_ALWAYS, **({"Strict-Transport-Security": _ONE_YEAR} if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


HEAD_ASKED = "callwarden.head"
"""Set in the scope of a HEAD request, which is answered as GET while the server leaves the body out. So a file need not
be read."""


class HeadAsGet:
    """ASGI middleware: HEAD is answered as GET is, on every path; the server sends no body for it (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET", HEAD_ASKED: True}
        await self._app(scope, receive, send)


class BodyLimit:
    """ASGI middleware: 413 for a body over MAX_BODY_BYTES, announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if _over_limit(announced):
            await _too_big(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > MAX_BODY_BYTES:
                raise HTTPException(413, _TOO_BIG)
            return message

        await self._app(scope, counted, send)


def _over_limit(announced: str) -> bool:
    """Whether a length is too big; what is no number is for the parser to refuse."""
    digits = announced.lstrip("0")
    return announced.isascii() and announced.isdigit() and (len(digits) > 18 or int(digits or "0") > MAX_BODY_BYTES)


async def _too_big(scope: Scope, receive: Receive, send: Send) -> None:
    fault = Fault(code="too_large", message=_TOO_BIG)
    await error_response(413, fault, {"Connection": "close"})(scope, receive, send)
