"""Why a connection is not let in. Whoever connects is told little of it; whoever looks after the sources, all."""

from __future__ import annotations

from typing import Literal, TypeAlias

DenialReason: TypeAlias = Literal[
    "no_key",
    "unknown_key",
    "wrong_secret",
    "revoked",
    "no_right",
    "unknown_source",
    "wrong_credential",
    "wrong_signature",
    "other_source",
    "other_dialect",
    "other_network",
    "no_public_url",
    "secret_unreadable",
]
"""`wrong_secret`: of a key whose id is known. `unknown_source`: the URL names none. `wrong_credential`: the header, or
user and password. `other_…`: the key is another source's, or its source does not speak so, or not from there."""


class Denied(Exception):
    """`source`: whose connection it would be, as far as that can be told; empty where it cannot. `detail`: what else is
    known of it."""

    def __init__(self, reason: DenialReason, source: str = "", detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason: DenialReason = reason
        self.source = source
        self.detail = detail


class KeyMissing(Denied):
    """No key, or not one of ours; or not what the source's credential asks for: 401."""


class KeyForbidden(Denied):
    """A key or a source of ours that may not do this: 403. Whoever connects is told the detail."""


class NotVerifiable(Denied):
    """Nobody can say whether it may: something is missing on this side: 503."""
