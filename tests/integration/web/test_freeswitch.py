"""What goes back over the sockets of FreeSWITCH's forks, and over which nothing may."""

from __future__ import annotations

import base64
import json

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from service.ingest.events import AudioArrived
from tests.integration.web.conftest import House
from tests.integration.web.test_gateways import stream
from tests.scenes import heard


async def test_what_was_said_goes_back_to_mod_audio_fork_as_a_transcription(house: House) -> None:
    key = await house.key("stream", "events")
    query = "call_id=fs-1&rate=8k&mix=mono&events=true"
    async with stream(house, key, f"/v1/mod_audio_fork?{query}", subprotocols=["audio.drachtio.org"]) as client:
        await client.send(json.dumps({"agent": "A17"}))
        connection = await house.calls.connections.get()
        connection.tell(heard())
        told = json.loads(await client.recv())
    assert (client.subprotocol, house.calls.announced[0].agent) == ("audio.drachtio.org", "A17")
    assert told["type"] == "transcription"
    assert (told["data"]["seq"], told["data"]["fact"]["type"]) == (1, "utterance")


async def test_nothing_but_the_close_is_sent_to_jambonz(house: House) -> None:
    basic = base64.b64encode(f"callwarden:{await house.key('stream', 'events')}".encode()).decode()
    async with connect(
        f"{house.ws}/v1/jambonz?events=true",
        additional_headers={"Authorization": f"Basic {basic}"},
        subprotocols=[Subprotocol("audio.jambonz.org")],
        proxy=None,
    ) as client:
        await client.send(json.dumps({"callSid": "j-1", "sampleRate": 8000, "mixType": "mono", "events": True}))
        await client.send(bytes(320))
        connection = await house.calls.connections.get()
        await connection.was_fed.wait()
        connection.tell(heard())
        connection.finish()
        assert [message async for message in client] == []
    assert (client.subprotocol, client.close_code) == ("audio.jambonz.org", 1000)
    assert connection.fed == [AudioArrived(payload=bytes(320))]
