"""Where people see what they are told of. Pure."""

from __future__ import annotations

from urllib.parse import quote

from service.record.outgoing import AlertTold, CallEndedTold, CallStartedTold, DigestTold
from service.webhooks.shapes.letter import Letter


def call_link(letter: Letter) -> str:
    """The page of the dashboard; empty where nobody has said where the service is, or there is no page."""
    if not letter.public_url:
        return ""
    match letter.event:
        case AlertTold(call_id=call_id, alert_id=alert_id):
            return f"{letter.public_url}/calls/{_part(call_id)}?alert={_part(alert_id)}"
        case CallStartedTold(call_id=call_id):
            return f"{letter.public_url}/calls/{_part(call_id)}"
        case CallEndedTold(call_id=call_id):
            return f"{letter.public_url}/calls/{_part(call_id)}/replay"
        case DigestTold():
            return f"{letter.public_url}/alerts"
        case _:
            return ""


def _part(text: str) -> str:
    return quote(text, safe="", errors="replace")
