"""Login sessions: signed tokens that every request checks against the user as stored now.

A token names a session id, the user, the time of login and a digest of the stored password hash. So a changed
password, a disabled or a removed user ends every session at its next request; logging out puts the session id
on the list of ended ones (`Ended`), which outlives a restart. Role and name are never taken from the token.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer
from pydantic import TypeAdapter, ValidationError

from service.storage.port import User

COOKIE = "callwarden_session"
SECRET_BYTES = 32
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


class SessionSigner:
    """Issues and reads tokens. Pure but for the random session id: `now` is Unix time."""

    def __init__(self, secret: bytes, lifetime: float) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._serializer = URLSafeSerializer(
            secret, salt="callwarden session", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )

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
        if not 0 <= now - session.issued_at < self._lifetime:
            raise SessionInvalid
        return session

    def fits(self, session: Session, user: User) -> bool:
        """Was the session made with the password the user has now?"""
        return hmac.compare_digest(session.credential, self._credential(user))

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


class Ended:
    """Session ids that were logged out, with the time until which they must be remembered.

    Kept in a small file, one `id expires` a line, appended at each logout and rewritten at start.
    """

    def __init__(self, path: Path, now: float) -> None:
        """Reads the file: blocks, so call it before the event loop runs or in a thread."""
        self._path = path
        self._until = _still_valid(path, now)
        _write_private(path, "".join(f"{session} {until}\n" for session, until in self._until.items()).encode())

    def __contains__(self, session: Session) -> bool:
        return session.id in self._until

    async def add(self, session: Session, expires: float) -> None:
        """End a session now; OSError if it could not be written down and would come back with a restart."""
        self._until[session.id] = expires
        if len(self._until) > ENDED_KEPT:
            del self._until[min(self._until, key=lambda key: self._until[key])]
        await asyncio.to_thread(self._append, f"{session.id} {expires}\n")

    def _append(self, line: str) -> None:
        with self._path.open("a") as file:
            file.write(line)


def load_secret(path: Path) -> bytes:
    """The key that signs sessions, made at first use, readable by the owner alone. Blocks.

    ValueError if the file is too short to be a key. Deleting the file logs everyone out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
    secret = path.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"{path} is not a session key ({len(secret)} bytes): delete it and start again")
    return secret


def unix_now() -> float:
    """Wall time: sessions outlive the process, so a steady clock will not do."""
    return time.time()


def _still_valid(path: Path, now: float) -> dict[str, float]:
    if not path.exists():
        return {}
    matches = (_ENDED_LINE.fullmatch(line) for line in path.read_text(errors="replace").splitlines())
    ended = {match[1]: float(match[2]) for match in matches if match}  # a crash may leave half a line
    return {session: until for session, until in ended.items() if until > now}


def _write_private(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
