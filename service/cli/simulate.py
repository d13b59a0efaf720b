"""`callwarden simulate`: play a recorded call as a vendor's gateway would send it."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from asr.types import CallLanguage
from service.audio_files.call import CallFile
from service.audio_files.reader import AudioUnusable
from service.cli.arguments import pairs, words
from service.cli.stream import progress_bar
from service.cli.terminal import fail, out, warn
from service.client import StreamFailed
from service.simulation.connection import Ending, Listener
from service.simulation.gateway_client import Message, SimulatedCall
from service.simulation.network import NetworkQuirks
from service.simulation.player import Quirks, play
from service.simulation.reservation import reserve
from service.simulation.vendors import VENDORS, Vendor

_SHOWN = 2_000
"""Characters of a message that are printed."""


def simulate(
    dialect: Annotated[str, typer.Argument(help=f"The gateway: {', '.join(VENDORS)}.")],
    audio: Annotated[Path, typer.Argument(help="Stereo WAV or FLAC: left agent, right customer.")],
    url: Annotated[
        str, typer.Option(help="The dialect's address, ws://HOST:PORT/v1/…; for audiosocket tcp://HOST:PORT.")
    ],
    key: Annotated[str, typer.Option(help="A gateway key with the right stream.")],
    reservations: Annotated[str, typer.Option(help="For audiosocket: http://HOST:PORT/v1/reservations.")] = "",
    swap: Annotated[bool, typer.Option("--swap", help="Left is the customer, right the agent.")] = False,
    pace: Annotated[float, typer.Option(min=0.1, max=10, help="Times real time.")] = 1.0,
    language: Annotated[CallLanguage | None, typer.Option(help="Spoken language.")] = None,
    agent: Annotated[str, typer.Option(help="The agent's id.")] = "",
    customer: Annotated[str, typer.Option(help="The customer's reference.")] = "",
    metadata: Annotated[list[str] | None, typer.Option(help="k=v, as often as needed.")] = None,
    loss: Annotated[float, typer.Option(min=0, max=1, help="Share of the packets that is lost.")] = 0.0,
    jitter: Annotated[float, typer.Option(min=0, max=10_000, help="Milliseconds a packet may be late.")] = 0.0,
    no_silence_frames: Annotated[bool, typer.Option("--no-silence-frames", help="Send no silence.")] = False,
    reconnect_after: Annotated[float | None, typer.Option(min=0, help="Break once, so many seconds in.")] = None,
    no_stop: Annotated[bool, typer.Option("--no-stop", help="Close without the vendor's last message.")] = False,
    abrupt_close: Annotated[bool, typer.Option("--abrupt-close", help="Break instead of closing.")] = False,
    seed: Annotated[int, typer.Option(help="The same one gives the same faults.")] = 0,
) -> None:
    """Play a stereo file as a vendor's gateway would, and tell what the service says to it."""
    vendor = VENDORS.get(dialect)
    if vendor is None:
        fail(f"{dialect!r} cannot be simulated; one of {', '.join(VENDORS)} can", 2)
    if vendor.reserved and not reservations:
        fail(f"{dialect} needs --reservations: its calls are reserved before they connect", 2)
    named = {"agent": words("--agent", agent), "customer": words("--customer", customer), "language": language or ""}
    told = {**{name: value for name, value in named.items() if value}, **pairs(metadata or [])}
    ending: Ending = "broken" if abrupt_close else "closed" if no_stop else "told"
    network = NetworkQuirks(loss=loss, jitter=jitter / 1000, silent=no_silence_frames, seed=seed)
    quirks = Quirks(network=network, ending=ending, reconnect_after=reconnect_after)
    try:
        with CallFile(audio, swap=swap, narrow=vendor.narrow) as call:
            begun = SimulatedCall(
                url=url, key=key, rate=call.rate, unique=secrets.token_hex(16), begun=time.time(), told=told
            )
            call_id = asyncio.run(_play(call, vendor, begun, reservations, quirks, pace))
    except (AudioUnusable, StreamFailed) as problem:
        fail(str(problem))
    if call.shortfall:
        warn(call.shortfall)
    out.print(f"call {escape(call_id)}")


async def _play(
    sound: CallFile, vendor: Vendor, call: SimulatedCall, reservations: str, quirks: Quirks, pace: float
) -> str:
    if vendor.reserved:
        call = replace(call, tokens=await reserve(call, reservations))
    with progress_bar() as progress:
        bar = progress.add_task("playing", total=sound.seconds)
        listener = Listener(
            received=lambda message: out.print(f"received {escape(_shown(message))}"),
            sent=lambda seconds: progress.update(bar, completed=seconds),
            closed=lambda how: out.print(how),
        )
        return await play(sound, vendor, call, quirks, pace, listener)


def _shown(message: Message) -> str:
    return f"{len(message)} bytes" if isinstance(message, bytes) else message[:_SHOWN]
