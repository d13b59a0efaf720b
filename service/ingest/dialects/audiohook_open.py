"""AudioHook's `open`: what call it is, and in which of the offered forms its audio is to come. Plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from asr.audio.pcm import Encoding
from asr.types import Role
from service.ingest.events import (
    CLOSE_UNAUTHORIZED,
    CLOSE_UNSUPPORTED,
    CallAnnounced,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.fields import (
    Message,
    Notes,
    call_fields_at,
    call_id_at,
    flag_at,
    language_at,
    metadata_at,
    object_at,
    text_at,
)

RATE: Final = 8000
LANGUAGES: Final = ("zh-cn", "cmn-cn", "en-us", "en-gb", "en-au", "en-in")
"""What a client is told that asks; Chinese and English of every other region are taken too."""

_PROBE: Final = "00000000-0000-0000-0000-000000000000"
_ROLES: Final[Mapping[object, Role]] = {"external": "customer", "internal": "agent"}
_ENCODINGS: Final[Mapping[object, Encoding]] = {"PCMU": "mulaw", "L16": "pcm_s16le"}
"""L16 is little-endian, as the reference client and server have it, not as in RFC 2586."""
_FORM: Final = ("type", "format", "channels", "rate")
_KNOWN: Final = frozenset(("agent", "customer", "language", "jurisdiction", "started_at", "events"))
_WHERE: Final = "parameters."
_CUSTOM: Final = "parameters.customConfig."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """`opened`: the parameters to answer with. `call`: None for a connection probe. `notes`: what was odd and is taken
    all the same."""

    opened: Mapping[str, object]
    call: CallAnnounced | None
    notes: tuple[Irregularity, ...]


def read_open(parameters: Message, headers: Mapping[str, str]) -> OpenTransaction:
    """`headers`: of the request, by names in lower case. Raises ProtocolViolation for what cannot begin a call."""
    _check_organization(parameters, headers)
    notes: Notes = []
    media = _chosen(parameters.get("media"))
    answer = {name: media[name] for name in _FORM}  # what else an entry may hold is promised by nobody here
    opened: dict[str, object] = {"media": [answer], "startPaused": False}
    if flag_at(parameters, "supportedLanguages", notes):
        opened["supportedLanguages"] = LANGUAGES
    call_id = call_id_at(parameters, "conversationId", _WHERE)
    if not call_id:
        raise ProtocolViolation("parameters.conversationId", "is missing")
    call = None if call_id == _PROBE else _announced(call_id, parameters, media, notes)
    return OpenTransaction(opened=opened, call=call, notes=tuple(notes))


def _check_organization(parameters: Message, headers: Mapping[str, str]) -> None:
    named = text_at(parameters, "organizationId", 64, _WHERE)
    if named.lower() != headers.get("audiohook-organization-id", "").lower():
        told = "is another than the request's Audiohook-Organization-Id"
        raise ProtocolViolation("parameters.organizationId", told, CLOSE_UNAUTHORIZED)


def _announced(call_id: str, parameters: Message, media: Message, notes: Notes) -> CallAnnounced:
    custom = object_at(parameters, "customConfig", _WHERE)
    fields = call_fields_at(custom, notes, _CUSTOM)
    fields["language"] = language_at(parameters, "language", _WHERE) or fields["language"]
    return CallAnnounced(
        call_id=call_id,
        roles=tuple(_ROLES[name] for name in cast("list[object]", media["channels"])),
        encoding=_ENCODINGS[media["format"]],
        rate=RATE,
        **fields,
        metadata=_metadata(parameters, custom, notes),
        wants_events=flag_at(custom, "events", notes),
    )


def _metadata(parameters: Message, custom: Message, notes: Notes) -> dict[str, str]:
    """Whom Genesys Cloud names, and what the integration's configuration holds besides the fields that are known."""
    participant = object_at(parameters, "participant", _WHERE)
    told = {
        "organizationId": parameters.get("organizationId"),
        "participantId": participant.get("id"),
        **{name: participant.get(name) for name in ("ani", "aniName", "dnis")},
        **{name: value for name, value in custom.items() if name not in _KNOWN},
    }
    entries = {name: value for name, value in told.items() if value != ""}
    return metadata_at({"metadata": entries}, "metadata", notes, _WHERE)


def _chosen(media: object) -> Message:
    """The media to choose: both parties rather than one, and PCMU rather than L16. A telephone's sound fits into PCMU,
    and no document tells the byte order of L16."""
    offered = cast("list[object]", media) if isinstance(media, list) else []
    entries = [cast("Message", entry) for entry in offered if isinstance(entry, dict)]
    usable = [entry for entry in entries if _usable(entry)]
    if not usable:
        told = f"must offer PCMU or L16 at {RATE} samples a second, of external, internal or both"
        raise ProtocolViolation("parameters.media", told, CLOSE_UNSUPPORTED)
    return max(usable, key=lambda entry: (len(cast("list[object]", entry["channels"])), entry["format"] == "PCMU"))


def _usable(entry: Message) -> bool:
    channels = entry.get("channels")
    return (
        entry.get("type") == "audio"
        and entry.get("format") in tuple(_ENCODINGS)
        and entry.get("rate") in (RATE, str(RATE))
        and channels in (["external", "internal"], ["internal", "external"], ["external"], ["internal"])
    )
