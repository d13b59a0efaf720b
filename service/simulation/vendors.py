"""Every gateway that can be simulated. The command, its help and the tests read this list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asr.types import ROLES, Role
from service.simulation.audiohook import AudioHookClient
from service.simulation.audiosocket import AudioSocketClient
from service.simulation.chan_websocket import ChanWebsocketClient
from service.simulation.exotel import ExotelClient
from service.simulation.forks import AudioStreamClient, ForkClient, JambonzClient
from service.simulation.gateway_client import GatewayClient, SimulatedCall
from service.simulation.plivo import PlivoClient
from service.simulation.signalwire import SignalWireClient
from service.simulation.telnyx import TelnyxClient
from service.simulation.twilio import TwilioClient
from service.simulation.vonage import VonageClient
from service.simulation.yeastar import YeastarClient


def _packet_of_20_ms(rate: int) -> int:
    return rate // 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """`connect` gives the connections of a call. `packet`: samples a leg in one of its messages, at a rate. `narrow`:
    its sound is a telephone's, at 8000 samples a second. `ordered`: its messages come in order. `silent`: it sends
    nothing of who says nothing. `reserved`: the call must be told of before it connects."""

    connect: Callable[[SimulatedCall], list[GatewayClient]]
    packet: Callable[[int], int] = _packet_of_20_ms
    narrow: bool = False
    ordered: bool = True
    silent: bool = False
    reserved: bool = False


_Connect = Callable[[SimulatedCall], list[GatewayClient]]


def _one(client: Callable[[SimulatedCall], GatewayClient]) -> _Connect:
    return lambda call: [client(call)]


def _one_a_leg(client: Callable[[SimulatedCall, Role], GatewayClient]) -> _Connect:
    return lambda call: [client(call, role) for role in ROLES]


VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        "twilio": Vendor(connect=_one(TwilioClient), narrow=True),
        "signalwire": Vendor(connect=_one(SignalWireClient), narrow=True),
        "telnyx": Vendor(connect=_one(TelnyxClient), narrow=True, ordered=False),
        "plivo": Vendor(connect=_one(PlivoClient), narrow=True),
        "exotel": Vendor(connect=_one(ExotelClient), narrow=True, packet=lambda rate: rate // 10),
        "vonage": Vendor(connect=_one_a_leg(VonageClient)),
        "audiohook": Vendor(connect=_one(AudioHookClient), narrow=True, packet=lambda rate: rate // 5),
        "chan_websocket": Vendor(connect=_one_a_leg(ChanWebsocketClient), silent=True),
        "audiosocket": Vendor(connect=_one_a_leg(AudioSocketClient), reserved=True),
        "yeastar": Vendor(connect=_one(YeastarClient), packet=lambda _rate: 640),
        "mod_audio_stream": Vendor(connect=_one(AudioStreamClient)),
        "mod_audio_fork": Vendor(connect=_one(ForkClient)),
        "jambonz": Vendor(connect=_one(JambonzClient)),
    }
)
"""The vendors by the names of their dialects. A new one is a file and an entry here."""
