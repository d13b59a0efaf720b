"""jambonz's `listen` verb, `WS /v1/jambonz`: a JSON text that describes the call, then binary PCM, and digits.

Source: jambonz's "listen" page and its feature server's code. The integrator's own `metadata` stand among the fields
of the first text. Nothing is sent back: what jambonz understands would end the verb or play into the call.

jambonz's `direction` is that of the leg that `listen` runs on: an agent's phone that dials a debtor is `inbound`. The
metadata `direction` says whether the debtor made the call, which lifts duties, so the two may not be one.
"""

from __future__ import annotations

from typing import Final

from service.ingest.dialect import Handshake
from service.ingest.dialects.freeswitch import ForkDialect, ForkWire
from service.ingest.source import Source

_WIRE: Final = ForkWire(
    call_ids=("call_id", "callSid"), rate="sampleRate", mix="mixType", renamed={"direction": "leg_direction"}
)


class JambonzDialect(ForkDialect):
    """One connection."""

    def __init__(self, source: Source, handshake: Handshake) -> None:
        super().__init__(_WIRE, source, handshake)
