"""Twilio Media Streams, `WS /v1/twilio`: base64 mu-law, one or two tracks in one socket.

Source: Twilio's "Media Streams - WebSocket Messages".
"""

from __future__ import annotations

from service.ingest.dialects.media_streams import MULAW, MediaStreamDialect


class TwilioDialect(MediaStreamDialect):
    """Media Streams has one format."""

    vendor = "Twilio"
    ids = ("callSid", "streamSid")
    encodings = MULAW
    rates = (8000,)
