"""What a Monitor of Genesys does with the service's messages; what it sends is tested against the dialect."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from service.simulation.audiohook import AudioHookClient
from service.simulation.gateway_client import Packet, SessionFailed
from tests.unit.simulation.test_against_parsers import call_of

STEREO = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}
SOUND = np.full(1600, 900, np.int16)


class ScriptedSession:
    """A client, and a service that numbers its messages."""

    def __init__(self) -> None:
        self.client = AudioHookClient(call_of("audiohook"))
        self.opened = self.read(self.client.begin())[0]
        self.seq = 0

    def say(self, kind: str, **parameters: object) -> list[dict[str, Any]]:
        self.seq += 1
        head = {"version": "2", "id": self.opened["id"], "type": kind, "seq": self.seq, "clientseq": 1}
        return self.read(self.client.received(json.dumps({**head, "parameters": parameters})))

    def packet(self, number: int) -> list[dict[str, Any] | bytes]:
        heard = Packet(at=number * 0.2, seconds=0.2, legs={"agent": SOUND, "customer": SOUND})
        return [each if isinstance(each, bytes) else json.loads(each) for each in self.client.audio(heard)]

    @staticmethod
    def read(messages: list[str | bytes]) -> list[dict[str, Any]]:
        return [json.loads(message) for message in messages]


def test_audio_waits_for_opened_and_the_end_for_closed() -> None:
    session = ScriptedSession()
    assert not session.client.ready
    session.say("opened", media=[STEREO])
    assert session.client.ready
    [close] = session.read(session.client.end())
    assert (close["type"], close["seq"], close["serverseq"]) == ("close", 2, 1)
    assert close["parameters"] == {"reason": "end"}
    assert not session.client.over
    session.say("closed")
    assert session.client.over


def test_the_first_ping_comes_after_a_second_and_then_one_every_five() -> None:
    session = ScriptedSession()
    session.say("opened", media=[STEREO])
    pinged = [n for n in range(60) for message in session.packet(n) if isinstance(message, dict)]
    assert pinged == [4, 29, 54]


def test_what_a_pause_left_out_is_told_when_it_is_over() -> None:
    session = ScriptedSession()
    session.say("opened", media=[STEREO])
    session.packet(0)
    [paused] = session.say("pause")
    assert paused["type"] == "paused"
    assert [*session.packet(1), *session.packet(2)] == []
    [resumed] = session.say("resume")
    assert (resumed["type"], resumed["position"]) == ("resumed", "PT0.6S")
    assert resumed["parameters"] == {"start": "PT0.2S", "discarded": "PT0.4S"}


def test_a_service_that_disconnects_is_closed_to_and_gets_no_audio() -> None:
    session = ScriptedSession()
    session.say("opened", media=[STEREO])
    [close] = session.say("disconnect", reason="unauthorized", info="no key")
    assert (close["type"], close["parameters"]) == ("close", {"reason": "disconnect"})
    assert session.packet(0) == []
    assert session.client.end() == []
    with pytest.raises(SessionFailed, match="ended the session: disconnect: unauthorized: no key"):
        session.say("closed")


@pytest.mark.parametrize("media", [[], [STEREO, STEREO], [{**STEREO, "rate": 16_000}]])
def test_a_form_that_was_not_offered_is_a_mistake(media: list[dict[str, Any]]) -> None:
    with pytest.raises(SessionFailed, match="offered"):
        ScriptedSession().say("opened", media=media)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"parameters": 1}'])
def test_a_text_that_is_no_message_is_a_mistake(text: str) -> None:
    with pytest.raises(SessionFailed, match="no message of AudioHook"):
        ScriptedSession().client.received(text)


def test_binary_and_numbers_that_do_not_follow_are_mistakes() -> None:
    session = ScriptedSession()
    with pytest.raises(SessionFailed, match="415"):
        session.client.received(b"\0")
    session.seq = 5
    with pytest.raises(SessionFailed, match="seq"):
        session.say("pong")
