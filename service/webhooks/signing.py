"""Signatures as Standard Webhooks has them: HMAC-SHA256 over `id.timestamp.body`, base64. Pure.

Source: the Standard Webhooks specification, 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """256 random bits as receivers' libraries take them."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """`timestamp`: seconds since 1970, of this try; a receiver refuses what is older than five minutes."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64_hmac(key, signed)}",
    }


def base64_hmac(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
