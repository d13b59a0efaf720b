"""Secrets that must be read again, sealed for the store: AES-256-GCM under a master key that lies in a file outside it.

What is sealed belongs to one source or webhook and one field of it, and is opened as nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.private_files import make_file
from service.unusable import Unusable, told

KEY_BYTES = 32
_LONGEST_KEY = 4096
_LEAST_DIFFERENT = 8
"""Different bytes in a key: even of hexadecimal digits drawn at random fewer never are."""
_NONCE_BYTES = 12
_FORM = "1"


class Sealer:
    """Seals with the key in the file `path`, which is read at first use, and again for what another key sealed. Blocks
    then; each use raises Unusable where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: bytes | None = None

    def make_key(self) -> None:
        """Make the file, where there is none. Only where nothing is sealed yet: no other key makes a lost one good."""
        self._read = None
        try:
            make_file(self._path, secrets.token_hex(KEY_BYTES).encode())
        except FileExistsError:
            return
        except OSError as error:
            raise Unusable(f"master key: {told(error, self._path)}") from error

    def seal(self, secret: str, name: str, field: str) -> str:
        """The sealed secret, which only `unseal` with this name and field opens. Raises Unusable."""
        nonce = os.urandom(_NONCE_BYTES)
        box = nonce + self._cipher.encrypt(nonce, secret.encode(), _belonging(name, field))
        return f"{_FORM}.{self._mark}.{base64.urlsafe_b64encode(box).decode()}"

    def unseal(self, sealed: str, name: str, field: str, kind: str = "source") -> str:
        """The secret. `kind`: what the name is one of. Raises Unusable also for what another key sealed, or for another
        name or field, and for what was changed since."""
        _form, _, rest = sealed.partition(".")
        mark, _, text = rest.partition(".")
        whose = f"the {field} of {kind} {name}"
        if mark != self._mark:
            self._read = None  # another process may have made the key anew
        if mark != self._mark:
            raise Unusable(f"{whose} was sealed with another master key than {self._path} holds: put that one back")
        try:
            box = base64.urlsafe_b64decode(text)
            opened = self._cipher.decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], _belonging(name, field))
        except (ValueError, InvalidTag) as error:
            raise Unusable(f"{whose} was changed since it was sealed: set it anew") from error
        return opened.decode()

    @property
    def _key(self) -> bytes:
        content = self._read  # threads share it
        if content is None:
            content = self._read = _content(self._path)
        return hashlib.sha256(b"callwarden master key " + content).digest()

    @property
    def _cipher(self) -> AESGCM:
        return AESGCM(self._key)

    @property
    def _mark(self) -> str:
        """A mark that tells this key from others, and nothing about it."""
        return hashlib.sha256(b"callwarden mark " + self._key).hexdigest()[:8]


def _belonging(name: str, field: str) -> bytes:
    return f"{name}\0{field}".encode()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_KEY + 1).strip()
    except FileNotFoundError:
        advice = "put it back, or change sources that have secrets to the credential key and make webhooks anew"
        raise Unusable(f"the master key {path} is missing: {advice}") from None
    except OSError as error:
        raise Unusable(f"master key: {told(error, path)}") from error
    if not KEY_BYTES <= len(content) <= _LONGEST_KEY or len(set(content)) < _LEAST_DIFFERENT:
        raise Unusable(f"{path} is no master key of {KEY_BYTES} random bytes or more: put the right file back")
    return content
