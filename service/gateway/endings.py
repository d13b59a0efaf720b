"""What a gateway is told at the end of its connection. Plain."""

from __future__ import annotations

from typing import Final

from service.gateway.call_ports import CallOutcome, CallRefused
from service.ingest.dialect import CallProcessed, Close, ConnectionRefused
from service.ingest.events import (
    CLOSE_INTERNAL_ERROR,
    CLOSE_NORMAL,
    CLOSE_POLICY,
    CLOSE_RESTARTING,
    CLOSE_TRY_LATER,
    ProtocolViolation,
)

FAILED: Final = ProtocolViolation(
    "call", "the monitoring of this call failed; announce it again to go on", CLOSE_INTERNAL_ERROR
)


def last_news(outcome: CallOutcome) -> CallProcessed | ConnectionRefused:
    """The news of what became of the connection's call."""
    match outcome:
        case "processed":
            return CallProcessed()
        case "failed":
            return ConnectionRefused(violation=FAILED)
        case "suspended":
            restarting = ProtocolViolation("call", "the service is restarting", CLOSE_RESTARTING, 1.0)
            return ConnectionRefused(violation=restarting)
        case "taken_over":
            taken = "another connection has taken this call over"
            return ConnectionRefused(violation=ProtocolViolation("call_id", taken, CLOSE_POLICY))


def not_taken(refused: CallRefused) -> ProtocolViolation:
    """The violation that tells why the announced call is not taken."""
    later = f"; try again in {refused.retry_after:.0f} s" if refused.retry_after else ""
    code = CLOSE_RESTARTING if refused.code == "restarting" else CLOSE_TRY_LATER
    return ProtocolViolation("start", refused.message + later, code, refused.retry_after)


def close_after(last: CallProcessed | ConnectionRefused) -> Close:
    """The close for a peer that has not closed by itself after it was told."""
    if isinstance(last, CallProcessed):
        return Close(code=CLOSE_NORMAL)
    return Close(code=last.violation.close_code, reason=str(last.violation))
