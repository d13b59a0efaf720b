"""Login sessions: signed tokens that every request checks against the user as stored now.

A token names a session id, the user, the time of login and a digest of the stored password hash. So a changed
password, a disabled or a removed user ends every session at its next request; logging out puts the session id
on the list of ended ones (`Ended`), which outlives a restart. Role and name are never taken from the token.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from itsdangerous import BadData, URLSafeSerializer
from pydantic import TypeAdapter, ValidationError

from service.private_files import append_to_file, replace_file
from service.storage.port import User
from service.unusable import Unusable, told

log = structlog.get_logger(__name__)

COOKIE = "callwarden_session"
DEVICE_COOKIE = "callwarden_device"
DEVICE_SECONDS = 180 * 86_400
SECRET_BYTES = 32
_LONGEST_SECRET = 4096
_LEAST_DIFFERENT = 8
"""Different bytes in a key: of 32 drawn at random fewer than 20 never are."""
ENDED_KEPT = 100_000
"""Logged-out sessions remembered until they would have expired anyway; each cost a login, so this is never met."""


_ENDED_LINE = re.compile(r"([\w-]+) (\d+\.\d+)")


class SessionInvalid(Exception):
    """The token is forged, mangled, expired or ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One login. `issued_at` is Unix time; `credential` a digest of the password hash it was made with."""

    id: str
    user: str
    issued_at: float
    credential: str


_SESSION = TypeAdapter(Session)
_DEVICE = TypeAdapter(tuple[str, str, float])


class SessionSigner:
    """Issues and reads tokens. Pure but for the random session id: `now` is Unix time."""

    def __init__(self, secret: bytes, lifetime: float) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._serializer = _serializer(secret, "callwarden session")
        self._devices = _serializer(secret, "callwarden device")

    def issue(self, user: User, now: float, session_id: str | None = None) -> tuple[Session, str]:
        """A session for the user, and its token. `session_id` keeps a session over a change of password."""
        session = Session(
            id=session_id or secrets.token_urlsafe(16), user=user.name, issued_at=now, credential=self._credential(user)
        )
        return session, str(self._serializer.dumps(_SESSION.dump_python(session)))

    def read(self, token: str, now: float) -> Session:
        """The session a token stands for. Raises SessionInvalid."""
        try:
            session = _SESSION.validate_python(self._serializer.loads(token))
        except (BadData, ValidationError) as error:
            raise SessionInvalid from error
        # A token from the future is one of ours too: the clock was set back since. So far as it is off, it is believed.
        if not abs(now - session.issued_at) < self._lifetime:
            raise SessionInvalid
        return session

    def fits(self, session: Session, user: User) -> bool:
        """Was the session made with the password the user has now?"""
        return hmac.compare_digest(session.credential, self._credential(user))

    def issue_device(self, user: str, now: float) -> str:
        """A token for a device on which `user` has just logged in. It opens nothing: see `LoginThrottle`."""
        return str(self._devices.dumps([self._digest(f"device {user}"), secrets.token_urlsafe(16), now]))

    def device(self, token: str, user: str, now: float) -> str:
        """The id of the device the token names, or "" where it is none on which `user` has logged in of late."""
        try:
            whose, device, at = _DEVICE.validate_python(self._devices.loads(token))
        except (BadData, ValidationError):
            return ""
        fits = hmac.compare_digest(whose, self._digest(f"device {user}"))
        return device if fits and abs(now - at) < DEVICE_SECONDS else ""

    def csrf(self, session: Session) -> str:
        """The token every change made in this session must carry."""
        return self._digest(f"csrf {session.id}")

    def expires(self, session: Session) -> float:
        """Unix time after which the session counts as expired."""
        return session.issued_at + self._lifetime

    def _credential(self, user: User) -> str:
        return self._digest(f"credential {user.name} {user.password_hash}")

    def _digest(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]


def _serializer(secret: bytes, salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret, salt=salt, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )


class Ended:
    """Session ids that were logged out, with the time until which they must be remembered.

    Kept in a small file, one `id expires` a line, added to at each logout; what has expired is left out at start.
    """

    def __init__(self, path: Path, now: float) -> None:
        """Reads the file: blocks, so call it before the event loop runs or in a thread. Raises Unusable."""
        self._path = path
        self._unsaved: dict[str, float] = {}
        try:
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise Unusable(told(error, path)) from error
        self._until = _still_valid(content, now)
        self._tidy(content)

    def __contains__(self, session: Session) -> bool:
        return session.id in self._until

    async def add(self, session: Session, expires: float) -> None:
        """End a session now; OSError if it could not be written down: then it is tried again with the next ones."""
        self._until[session.id] = self._unsaved[session.id] = expires
        if len(self._until) > ENDED_KEPT:
            del self._until[min(self._until, key=lambda key: self._until[key])]
        await self.save()

    async def save(self) -> None:
        """Write down what could not be before; OSError if it still cannot be."""
        waiting = dict(self._unsaved)
        if not waiting:
            return
        lines = [f"\n{session} {until}\n".encode() for session, until in waiting.items()]  # may follow half a line
        await asyncio.to_thread(append_to_file, self._path, lines)
        for session in waiting:
            self._unsaved.pop(session, None)

    async def retry(self) -> None:
        """`save`, for what calls it again anyway: a disk that still refuses is nothing new."""
        with suppress(OSError):
            await self.save()

    def _tidy(self, content: bytes) -> None:
        """Leave out of the file what has expired; a disk that is full keeps the old one, in which nothing is wrong."""
        wanted = "".join(f"{session} {until}\n" for session, until in self._until.items()).encode()
        if wanted == content:
            return
        try:
            replace_file(self._path, wanted)
        except OSError as error:
            log.warning("list of ended sessions not tidied up", error=str(error))


def load_secret(path: Path) -> bytes:
    """The key that signs sessions, made at first use, readable by the owner alone. Blocks.

    A file that is empty, or zeros alone as a machine that went down may leave it, holds no key: a new one is made, and
    everyone logs in again. Raises Unusable for anything else that is no key: it may be somebody's mistake.
    """
    try:
        if path.exists():
            if (secret := _read_secret(path)).strip(b"\0"):
                return _checked(path, secret)
            log.warning("the session key is empty and is made anew: everyone has to log in again", path=str(path))
        replace_file(path, secrets.token_bytes(SECRET_BYTES))
        return _read_secret(path)
    except OSError as error:
        raise Unusable(f"session key: {told(error, path)}") from error


def _read_secret(path: Path) -> bytes:
    """At most one byte more than a key may have."""
    with path.open("rb") as file:
        return file.read(_LONGEST_SECRET + 1)


def _checked(path: Path, secret: bytes) -> bytes:
    if SECRET_BYTES <= len(secret) <= _LONGEST_SECRET and len(set(secret)) >= _LEAST_DIFFERENT:
        return secret
    raise Unusable(
        f"{path} is no session key: put the right file back, or delete it (then everyone has to log in again)"
    )


def unix_now() -> float:
    """Wall time: sessions outlive the process, so a steady clock will not do."""
    return time.time()


def _still_valid(content: bytes, now: float) -> dict[str, float]:
    matches = (_ENDED_LINE.fullmatch(line) for line in content.decode(errors="replace").splitlines())
    ended = {match[1]: float(match[2]) for match in matches if match}  # a crash may leave half a line
    return {session: until for session, until in ended.items() if until > now}
