"""Gateways that show something else than a key: a header, a user, their vendor's signature over the public URL."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.access import admittance
from service.access.clock import steady_now
from service.access.sealing import Sealer
from service.access.signatures import plivo_signature, twilio_signature
from service.access.source_description import SaidCredential, described
from service.access.store_cache import FRESH_SECONDS
from service.ingest.source import CredentialKind, Source
from service.storage.port import StorageUnavailable
from tests.integration.web.conftest import House, OpenHouse
from tests.integration.web.test_audiohook import OPEN, AudioHookSession
from tests.integration.web.test_gateways import started
from tests.unit.access.test_http_signature import AUTHORITY, FIELDS, KEY, NOW, SECRET, TARGET, signed_request

TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://calls.example.org"


async def a_source(
    house: House, kind: CredentialKind, name: str = "", secret: str = TOKEN, *, called: str = "pbx", **known: Any
) -> None:
    """As the command line makes it: the service reads the master key at the first connection."""
    store, sealer = house.parts.store, Sealer(house.parts.settings.master_key)
    said = SaidCredential(kind=kind, name=name, secret=secret)
    await store.add_source(await described(store, sealer, Source(name=called), known, said, "CN"))


async def status(house: House, path: str, headers: Mapping[str, str] | None = None) -> int:
    """101 where the handshake is accepted."""
    try:
        async with connect(house.ws + path, additional_headers=dict(headers or {}), proxy=None):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
async def behind(open_house: OpenHouse) -> House:
    """A house whose public URL is another than that of the socket its proxy connects to."""
    return await open_house(public_url=PUBLIC)


async def test_a_header_with_its_secret_lets_in_at_the_sources_own_path(house: House) -> None:
    await a_source(house, "header", "X-PBX-Token", first_track="agent")
    async with connect(f"{house.ws}/v1/stream/pbx", additional_headers={"x-pbx-token": TOKEN}, proxy=None) as client:
        assert (await started(client, events=["transcript"]))["type"] == "ready"
    assert house.calls.keys[0].source.first_track == "agent"
    for headers in ({}, {"X-PBX-Token": ""}, {"X-PBX-Token": TOKEN[:-1]}, {"X-Other": TOKEN}, basic("x", TOKEN)):
        assert await status(house, "/v1/stream/pbx", headers) == 401, headers
    assert await status(house, "/v1/stream", {"X-PBX-Token": TOKEN}) == 401
    assert await status(house, "/v1/stream/pbx-2", {"X-PBX-Token": TOKEN}) == 401


async def test_basic_has_a_user_name_of_the_sources_own(house: House) -> None:
    await a_source(house, "basic", "asterisk")
    assert await status(house, "/v1/stream/pbx", basic("asterisk", TOKEN)) == 101
    for wrong in (
        basic("Asterisk", TOKEN),
        basic("asterisk", TOKEN + "0"),
        basic("", TOKEN),
        {"Authorization": "Basic é"},
    ):
        assert await status(house, "/v1/stream/pbx", wrong) == 401, wrong
    assert await status(house, "/v1/stream", basic("asterisk", TOKEN)) == 401


@pytest.mark.parametrize("vendor", ["twilio", "signalwire"])
async def test_a_signature_over_the_public_url_holds_whatever_a_proxy_made_of_the_host(
    behind: House, vendor: CredentialKind
) -> None:
    await a_source(behind, vendor)
    header, path = f"X-{vendor}-Signature", "/v1/twilio/pbx"
    public = "wss://calls.example.org"
    for signed in (f"{public}{path}", f"{public}:443{path}"):
        assert await status(behind, path, {header: twilio_signature(TOKEN, signed)}) == 101, signed
    asked = f"{path}?site=1"
    assert await status(behind, asked, {header: twilio_signature(TOKEN, public + asked)}) == 101
    for signed in (behind.ws + path, f"{public}/v1/twilio", f"{public}{path}?site=2", "wss://other.example.org" + path):
        assert await status(behind, path, {header: twilio_signature(TOKEN, signed)}) == 401, signed
    assert await status(behind, path, {header: twilio_signature(TOKEN[:-1] + "0", public + path)}) == 401
    assert await status(behind, path) == 401


async def test_a_sources_own_public_url_may_be_the_whole_of_it(behind: House) -> None:
    """A proxy that takes a prefix off the path, and the query."""
    whole = "wss://voice.example.net/telephony/callwarden?tenant=7"
    await a_source(behind, "twilio", public_url=whole)
    await a_source(behind, "twilio", called="pbx-2", public_url="wss://voice.example.net:8443")
    assert await status(behind, "/v1/twilio/pbx", {"X-Twilio-Signature": twilio_signature(TOKEN, whole)}) == 101
    path = "/v1/twilio/pbx-2"
    signed = twilio_signature(TOKEN, f"wss://voice.example.net:8443{path}")
    assert await status(behind, path, {"X-Twilio-Signature": signed}) == 101
    signed = twilio_signature(TOKEN, f"wss://calls.example.org{path}")
    assert await status(behind, path, {"X-Twilio-Signature": signed}) == 401


async def test_plivos_signature_has_a_nonce(behind: House) -> None:
    await a_source(behind, "plivo")
    path = "/v1/twilio/pbx"
    signature = plivo_signature(TOKEN, f"wss://calls.example.org{path}", "n-1")
    sent = {"X-Plivo-Signature-V3": signature, "X-Plivo-Signature-V3-Nonce": "n-1"}
    assert await status(behind, path, sent) == 101
    assert await status(behind, path, {**sent, "X-Plivo-Signature-V3-Nonce": "n-2"}) == 401


async def test_audiohook_finds_its_source_by_its_api_key_and_a_signature_holds_once(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house(public_url=f"https://{AUTHORITY}")
    await a_source(house, "audiohook", KEY, base64.b64encode(SECRET).decode(), dialect="audiohook")
    monkeypatch.setattr(admittance, "unix_now", lambda: NOW)
    sent = signed_request()

    async def answered(headers: Mapping[str, str], target: str = TARGET) -> str:
        async with connect(house.ws + target, additional_headers=dict(headers), proxy=None) as socket:
            await AudioHookSession(socket).say("open", **OPEN)
            return json.loads(await socket.recv())["type"]

    assert await answered(sent, TARGET.replace("site=1", "site=2")) == "disconnect"
    assert await answered({**sent, "x-api-key": KEY + "x"}) == "disconnect"
    assert await answered({name: sent[name] for name in FIELDS}) == "disconnect"
    assert await answered(sent) == "opened"
    assert await answered(sent) == "disconnect", "sent again"


async def test_without_a_public_url_no_signature_is_taken_and_it_is_said_why(house: House) -> None:
    await a_source(house, "twilio")
    signed = {"X-Twilio-Signature": twilio_signature(TOKEN, f"{house.ws}/v1/twilio/pbx")}
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{house.ws}/v1/twilio/pbx", additional_headers=signed, proxy=None)
    assert refused.value.response.status_code == 503
    assert b"CALLWARDEN_PUBLIC_URL" in (refused.value.response.body or b"")


async def test_a_secret_that_cannot_be_read_is_no_silent_refusal(house: House) -> None:
    await a_source(house, "header", "X-PBX-Token")
    await asyncio.to_thread(house.parts.settings.master_key.unlink)
    assert await status(house, "/v1/stream/pbx", {"X-PBX-Token": TOKEN}) == 503


async def test_a_key_of_the_source_lets_in_beside_its_credential_and_no_other_key_does(house: House) -> None:
    await a_source(house, "header", "X-PBX-Token")
    source = await house.parts.store.source("pbx")
    own = await house.key(credential=source.credential)
    other = await house.key(source="other")
    assert await status(house, "/v1/stream/pbx", {"X-API-Key": own}) == 101
    assert await status(house, "/v1/stream", {"X-API-Key": own}) == 101
    assert await status(house, "/v1/stream/pbx", {"X-API-Key": other}) == 403


async def test_a_gateway_comes_back_with_its_credential_while_the_database_is_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_source(house, "header", "X-PBX-Token")
    assert await status(house, "/v1/stream/pbx", {"X-PBX-Token": TOKEN}) == 101

    async def away(_name: str) -> Source:
        raise StorageUnavailable("the database is away")

    monkeypatch.setattr(house.parts.store, "source", away)
    monkeypatch.setattr(admittance, "steady_now", lambda: steady_now() + FRESH_SECONDS)
    assert await status(house, "/v1/stream/pbx", {"X-PBX-Token": TOKEN}) == 101
