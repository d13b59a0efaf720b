"""Telling of a call before it connects, as an AudioSocket's dialplan does: its legs get their tokens by HTTP."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from asr.types import Role, Seconds
from service.client import StreamFailed, refusal
from service.simulation.credentials import bearer
from service.simulation.gateway_client import SimulatedCall

_SECONDS: Final[Seconds] = 10.0
_MOST_BYTES: Final = 64 * 1024
_KNOWN: Final = ("agent", "customer", "language", "jurisdiction", "started_at")
_TOKENS: Final = TypeAdapter(dict[Role, str])


async def reserve(call: SimulatedCall, url: str) -> Mapping[Role, str]:
    """The token of each leg. Raises StreamFailed."""
    return await asyncio.to_thread(_reserve, call, url)


def _reserve(call: SimulatedCall, url: str) -> Mapping[Role, str]:
    known = {name: value for name, value in call.told.items() if name in _KNOWN}
    metadata = {name: value for name, value in call.told.items() if name not in _KNOWN}
    body = json.dumps({"call_id": call.uuid, **known, "metadata": metadata}).encode()
    headers = {"Content-Type": "application/json", **bearer(call.key)}
    try:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must be http://HOST:PORT/v1/reservations")
        asked = urllib.request.Request(url, body, headers)  # noqa: S310 - its scheme is one of the two
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=_SECONDS) as answer:
            return _TOKENS.validate_python(json.loads(answer.read(_MOST_BYTES))["tokens"])
    except urllib.error.HTTPError as refused:
        raise StreamFailed(refusal(refused.code)) from refused
    except (OSError, ValueError, KeyError, ValidationError) as cause:
        raise StreamFailed(f"{url}: the call cannot be reserved: {cause}") from cause
