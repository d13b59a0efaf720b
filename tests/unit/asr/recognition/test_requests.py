"""Requests as plain values: equal where they ask the same, and sent as bytes without loss."""

from __future__ import annotations

import pickle
from dataclasses import replace

from asr.engines.port import Biasing, BiasTerm, Speech
from asr.recognition.queue import RecognitionRequest
from tests.recognising import request

TERMS = (BiasTerm(text="逾期", mishearings=("雨期",)),)


def asked() -> RecognitionRequest:
    """A new object each time, down to its audio."""
    biasing = {"zh": Biasing(prompt="逾期、欠款。", terms=TERMS), "en": Biasing(prompt="past due")}
    speech = Speech(pcm=bytes(range(200)) * 160, leaning=1.5, biasing=biasing, effort="quick")  # type: ignore[arg-type]
    return RecognitionRequest(call_id="c-1", role="agent", utterance=3, kind="partial", speech=speech)


def test_requests_are_compared_by_value() -> None:
    assert asked() == asked()
    assert len({asked(), asked()}) == 1
    others = [
        replace(asked(), call_id="c-2"),
        replace(asked(), role="customer"),
        replace(asked(), utterance=4),
        replace(asked(), kind="final"),
        replace(asked(), speech=replace(asked().speech, effort="normal")),
        replace(asked(), speech=replace(asked().speech, pcm=asked().speech.pcm[2:])),
        replace(asked(), speech=replace(asked().speech, biasing={})),
    ]
    assert all(other != asked() for other in others)


def test_a_request_comes_out_of_its_bytes_as_it_was() -> None:
    assert pickle.loads(pickle.dumps(asked())) == asked()


def test_a_stretch_is_known_by_its_place_and_length_and_effort() -> None:
    assert request("A").stretch == request("A", kind="partial").stretch
    assert request("A").stretch != request("A", seconds=1.1).stretch
    assert request("A").stretch != request("A", 1).stretch
