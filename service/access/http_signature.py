"""Signed requests: HTTP Message Signatures as AudioHook has them, with HMAC-SHA256. Plain.

Source: RFC 9421 (AudioHook follows a draft of it), RFC 8941 for the two fields, and the rules of Genesys'
reference server. Only what these requests hold is read of both RFCs; everything else is refused. A signature is valid
for seconds, and `SeenNonces` lets each be used once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from asr.types import Seconds

COVERED: Final = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)
"""The components that must be signed. Other header fields of the request may be signed too."""
MAX_AGE: Final[Seconds] = 10.0
MAX_LIFETIME: Final[Seconds] = 30.0
"""The longest time from `created` to `expires`."""
MAX_SKEW: Final[Seconds] = 3.0
"""How far the signer's clock may be ahead of this one."""
MIN_NONCE: Final = 22
"""Characters: 128 random bits in base64."""
MOST_NONCES: Final = 100_000
"""Signatures that are valid at once: some thousand connections a second, kept in some 20 MB."""

_INPUT: Final = re.compile(r"([a-z*][a-z0-9_.*-]*)=(\(([^()]*)\)(.*))", re.DOTALL)
_NAME: Final = re.compile(r'"(@?[a-z0-9_-]+)"')
_PARAMETER: Final = re.compile(r';([a-z]+)=(?:"([\x20\x21\x23-\x5b\x5d-\x7e]*)"|(\d{1,15}))', re.ASCII)
_TEXTS: Final = frozenset(("keyid", "nonce", "alg"))
_TIMES: Final = frozenset(("created", "expires"))
_SIGNATURE: Final = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):")
_FOLDED: Final = re.compile(r"[ \t]*\r\n[ \t]+")


class SignatureInvalid(Exception):
    """A request is not signed as it must be. The text says why, and holds nothing of the secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The parameters of a valid signature. `created`, `expires`: seconds since 1970."""

    key_id: str
    nonce: str
    created: int
    expires: int


def verify_signature(headers: Mapping[str, str], *, target: str, authority: str, secret: bytes, now: Seconds) -> Signed:
    """Verify the signature of a request. Raises SignatureInvalid.

    `headers` by names in lower case. `target`: path and query as they were requested. `authority`: host, with its port
    unless that is the scheme's own, both as the signer sees them and not as a proxy has rewritten them. `secret`:
    the client secret's bytes, decoded. `now`: seconds since 1970.
    """
    label, names, inner_list, parameters = _signature_input(_header(headers, "signature-input"))
    presented = _presented(_header(headers, "signature"), label)
    signed = _checked(parameters, _header(headers, "x-api-key"), now)
    derived = {"@request-target": target, "@authority": authority.lower()}
    lines = [f'"{name}": {derived.get(name) or _header(headers, name)}' for name in names]
    base = "\n".join((*lines, f'"@signature-params": {inner_list}'))
    computed = hmac.new(secret, base.encode(), hashlib.sha256).digest()
    if not secret or not hmac.compare_digest(computed, presented):
        raise SignatureInvalid("the signature is not that of this request and this secret")
    return signed


class SeenNonces:
    """The nonces of signatures that are valid still. Only verified ones may be noted, so strangers fill nothing."""

    def __init__(self, most: int = MOST_NONCES) -> None:
        self._most = most
        self._until: OrderedDict[tuple[str, str], Seconds] = OrderedDict()

    def note(self, signed: Signed, now: Seconds) -> None:
        """Raises SignatureInvalid where the nonce was used before, or more are kept than can be."""
        while self._until and next(iter(self._until.values())) < now:
            self._until.popitem(last=False)
        used = (signed.key_id, signed.nonce)
        if used in self._until:
            raise SignatureInvalid("the nonce was used before")
        if len(self._until) >= self._most:
            raise SignatureInvalid("too many signed requests at once")
        self._until[used] = now + MAX_AGE + MAX_SKEW

    def __len__(self) -> int:
        """Nonces kept now."""
        return len(self._until)


def _header(headers: Mapping[str, str], name: str) -> str:
    """The field's value in its canonical form."""
    value = _FOLDED.sub(" ", headers.get(name, "")).strip(" \t")
    if not value:
        raise SignatureInvalid(f"the header field {name} is missing")
    return value


def _signature_input(field: str) -> tuple[str, tuple[str, ...], str, str]:
    """Label, covered components, the inner list as it is signed, and its parameters."""
    form = _INPUT.fullmatch(field)
    if form is None:
        raise SignatureInvalid("Signature-Input must be one label and one list with its parameters")
    names = tuple(_NAME.findall(form[3]))
    if form[3] != " ".join(f'"{name}"' for name in names):
        raise SignatureInvalid("Signature-Input must list plain names of components")
    if len(set(names)) != len(names):
        raise SignatureInvalid("a component is covered twice")
    if missing := [name for name in COVERED if name not in names]:
        raise SignatureInvalid(f"the signature does not cover {', '.join(missing)}")
    if unknown := [name for name in names if name.startswith("@") and name not in COVERED]:
        raise SignatureInvalid(f"the signature covers {', '.join(unknown)}, which is not known here")
    return form[1], names, form[2], form[4]


def _presented(field: str, label: str) -> bytes:
    form = _SIGNATURE.fullmatch(field)
    if form is None or form[1] != label:
        raise SignatureInvalid(f"Signature must hold the bytes of {label}, and nothing else")
    try:
        return base64.b64decode(form[2], validate=True)
    except ValueError as error:
        raise SignatureInvalid("Signature is not base64") from error


def _checked(parameters: str, api_key: str, now: Seconds) -> Signed:
    texts, times = _parameters(parameters)
    created, expires = times["created"], times["expires"]
    if texts["alg"] != "hmac-sha256":
        raise SignatureInvalid("alg must be hmac-sha256")
    if texts["keyid"] != api_key:
        raise SignatureInvalid("keyid must be the X-API-KEY")
    if len(texts["nonce"]) < MIN_NONCE:
        raise SignatureInvalid(f"nonce must have {MIN_NONCE} characters at least")
    if created > now + MAX_SKEW:
        raise SignatureInvalid("created lies in the future")
    if created < now - MAX_AGE:
        raise SignatureInvalid(f"created is older than {MAX_AGE:g} s")
    if not now < expires <= created + MAX_LIFETIME:
        raise SignatureInvalid(f"expires must lie ahead, and within {MAX_LIFETIME:g} s of created")
    return Signed(key_id=texts["keyid"], nonce=texts["nonce"], created=created, expires=expires)


def _parameters(text: str) -> tuple[Mapping[str, str], Mapping[str, int]]:
    """Each of them once, as text or as a whole number; `alg` may be left out."""
    found = list(_PARAMETER.finditer(text))
    texts = {each[1]: each[2] for each in found if each[2] is not None}
    times = {each[1]: int(each[3]) for each in found if each[3] is not None}
    if "".join(each[0] for each in found) != text or len(texts) + len(times) != len(found):
        raise SignatureInvalid("the parameters of Signature-Input cannot be read")
    texts.setdefault("alg", "hmac-sha256")
    if _TEXTS.symmetric_difference(texts) or _TIMES.symmetric_difference(times):
        raise SignatureInvalid("the parameters must be keyid, nonce, created and expires, and may be alg")
    return texts, times
