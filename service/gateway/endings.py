"""What a gateway is told when its connection ends. Plain."""

from __future__ import annotations

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


def last_news(outcome: CallOutcome) -> CallProcessed | ConnectionRefused:
    """What became of the call that the connection had."""
    match outcome:
        case "processed":
            return CallProcessed()
        case "failed":
            failed = "the monitoring of this call failed; announce it again to go on"
            return ConnectionRefused(violation=ProtocolViolation("call", failed, CLOSE_INTERNAL_ERROR))
        case "suspended":
            restarting = ProtocolViolation("call", "the service is restarting", CLOSE_RESTARTING, 1.0)
            return ConnectionRefused(violation=restarting)
        case "taken_over":
            taken = "another connection has taken this call over"
            return ConnectionRefused(violation=ProtocolViolation("call_id", taken, CLOSE_POLICY))


def not_taken(refused: CallRefused) -> ProtocolViolation:
    """Why the announced call is not taken."""
    later = f"; try again in {refused.retry_after:.0f} s" if refused.retry_after else ""
    code = CLOSE_RESTARTING if refused.code == "restarting" else CLOSE_TRY_LATER
    return ProtocolViolation("start", refused.message + later, code, refused.retry_after)


def close_after(last: CallProcessed | ConnectionRefused) -> Close:
    """The close for a peer that did not close itself after it was told."""
    if isinstance(last, CallProcessed):
        return Close(code=CLOSE_NORMAL)
    return Close(code=last.violation.close_code, reason=str(last.violation))
