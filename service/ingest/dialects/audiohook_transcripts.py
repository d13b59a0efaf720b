"""What was said, as the entities of AudioHook's `event` messages. Plain."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from asr.types import Role, Utterance, Word
from service.ingest.dialects.audiohook_messages import duration


def transcript(utterance: Utterance, channels: Sequence[Role]) -> Mapping[str, object]:
    """A final transcript. `channels`: the parties on the session's channels, the utterance's among them. Words are
    told where the engine has timed them."""
    display = {
        "type": "display",
        "transcript": utterance.text,
        "tokens": [_token(word) for word in utterance.words],
    }
    data = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{utterance.call_id}/{utterance.id}")),
        "channelId": channels.index(utterance.role),
        "isFinal": True,
        "offset": duration(utterance.start),
        "duration": duration(utterance.end - utterance.start),
        "alternatives": [{"confidence": _probability(utterance.confidence), "interpretations": [display]}],
    }
    return {"type": "transcript", "data": data}


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
