"""SignalWire's `<Stream>`: Twilio's messages with UUIDs, and a bearer token. Source: SignalWire's cXML reference."""

from __future__ import annotations

from service.simulation.credentials import bearer
from service.simulation.gateway_client import ConnectionRequest
from service.simulation.twilio import TwilioClient


class SignalWireClient(TwilioClient):
    @property
    def call_id(self) -> str:
        return self._call.uuid

    @property
    def stream_id(self) -> str:
        return self._call.id_of("stream")

    def opening(self) -> ConnectionRequest:
        return ConnectionRequest(url=self._call.url, headers=bearer(self._call.key))
