"""Audio that travels in JSON text."""

from __future__ import annotations

import base64
import binascii
from typing import Final

_URL_SAFE: Final = str.maketrans("-_", "+/")


def decoded(encoded: object) -> bytes | None:
    """Base64 as in RFC 4648, of either alphabet, padded or not, in one line or several; a missing one is empty.

    None for anything else.
    """
    if encoded is None:
        return b""
    if not isinstance(encoded, str):
        return None
    text = "".join(encoded.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):  # ValueError: characters beyond ASCII
        return None
