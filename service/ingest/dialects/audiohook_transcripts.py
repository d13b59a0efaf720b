"""What was said, as the entities of AudioHook's `event` messages. Plain."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from asr.types import Role, Seconds, Utterance, Word
from service.ingest.dialect import PartialRecognised
from service.ingest.dialects.audiohook_messages import duration


def transcript(utterance: Utterance, channels: Sequence[Role]) -> Mapping[str, object]:
    """A final transcript. `channels`: the parties on the session's channels, the utterance's among them. Words are
    told where the engine has timed them."""
    data = {
        "id": _id(utterance.call_id, utterance.role, utterance.start),
        "channelId": channels.index(utterance.role),
        "isFinal": True,
        "offset": duration(utterance.start),
        "duration": duration(utterance.end - utterance.start),
        "alternatives": [_alternative(utterance.text, utterance.confidence, utterance.words)],
    }
    return {"type": "transcript", "data": data}


def interim(partial: PartialRecognised, channels: Sequence[Role]) -> Mapping[str, object]:
    """A transcript that may still grow, under the id of the final one. AudioHook wants a confidence: 0, for none is
    known yet."""
    data = {
        "id": _id(partial.call_id, partial.role, partial.start),
        "channelId": channels.index(partial.role),
        "isFinal": False,
        "offset": duration(partial.start),
        "alternatives": [_alternative(partial.text, 0.0, ())],
    }
    return {"type": "transcript", "data": data}


def _id(call_id: str, role: Role, start: Seconds) -> str:
    """An utterance's, as a UUID; no two of a party begin at once."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{call_id}/{role}/{start:.3f}"))


def _alternative(text: str, confidence: float, words: Sequence[Word]) -> Mapping[str, object]:
    display = {"type": "display", "transcript": text, "tokens": [_token(word) for word in words]}
    return {"confidence": _probability(confidence), "interpretations": [display]}


def _token(word: Word) -> Mapping[str, object]:
    return {
        "type": "word",
        "value": word.text,
        "confidence": _probability(word.probability),
        "offset": duration(word.start),
        "duration": duration(word.end - word.start),
    }


def _probability(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 3)
