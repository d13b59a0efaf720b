"""Reading JSON messages from the wire: every field is bounded, every refusal names the field.

Numbers are taken as strings or as JSON numbers, and identifiers too: gateways differ in which they send. What a call
can do without is cut or left out where it cannot be kept, and noted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias, TypedDict, cast, get_args

from asr.audio.codecs import RATES, leg_rate
from asr.audio.pcm import Encoding
from asr.types import ROLES, CallLanguage, Role
from detectors.contract import Jurisdiction
from service.ingest.events import (
    CLOSE_TOO_BIG,
    CLOSE_UNSUPPORTED,
    MAX_AUDIO_BYTES,
    MAX_TEXT_BYTES,
    DigitPressed,
    Irregularity,
    IrregularityKind,
    ProtocolViolation,
)

Message: TypeAlias = Mapping[str, object]
Notes: TypeAlias = list[Irregularity]
"""What was odd in a start message that is taken all the same."""

MAX_PARTY_LENGTH = 128
MAX_METADATA_ENTRIES = 64
MAX_METADATA_KEY = 64
MAX_METADATA_VALUE = 1024

_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL's text cannot hold, and lone surrogates, which UTF-8 cannot."""
_BYTE_ORDER_MARK = "\ufeff"
_KEYS = frozenset("0123456789ABCD*#")
_NAMED_KEYS = {"STAR": "*", "ASTERISK": "*", "POUND": "#", "HASH": "#"}
_NO_KEY = re.compile("[^0-9A-D*#]", re.ASCII)
_MOST_KEYS = 32
"""Digits in one message: some gateways collect a card number and send it whole."""
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.0+)?", re.ASCII)
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 2199
_LANGUAGE_CODES: Mapping[str, CallLanguage] = {"cmn": "zh", "zho": "zh", "chi": "zh", "eng": "en"}
"""ISO 639-2 and 639-3: Mandarin, Chinese and English."""
_LARGEST_OFFSET = timedelta(hours=15, minutes=59)
"""What PostgreSQL can keep, and two hours more than any zone has."""


def parse_message(text: str) -> Message:
    """A JSON object; a byte order mark before it is ignored (RFC 8259, 8.1).

    Raises ProtocolViolation: 1009 over MAX_TEXT_BYTES, 1003 for anything but an object.
    """
    check_text_size(text)
    try:
        message: object = json.loads(text.lstrip(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError) as error:  # RecursionError: 64 KiB hold brackets nested deeply enough
        raise ProtocolViolation("message", "not JSON", CLOSE_UNSUPPORTED) from error
    if not isinstance(message, dict):
        raise ProtocolViolation("message", "not a JSON object", CLOSE_UNSUPPORTED)
    return cast("Message", message)


def tolerated(violation: ProtocolViolation, kind: IrregularityKind, done: str = "it is left out") -> Irregularity:
    """The irregularity that a violation is within a call. Raises the violation again if it is one of size. `done` tells
    what became of the odd field."""
    if violation.close_code == CLOSE_TOO_BIG:
        raise violation
    return Irregularity(kind=kind, field=violation.field, message=f"{violation.message}; {done}")


def check_text_size(text: str) -> None:
    """Raises ProtocolViolation 1009 over MAX_TEXT_BYTES."""
    if len(text) > MAX_TEXT_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise ProtocolViolation("message", f"a text message may have {MAX_TEXT_BYTES} bytes at most", CLOSE_TOO_BIG)


def check_audio_size(payload: bytes) -> None:
    """Raises ProtocolViolation 1009 over MAX_AUDIO_BYTES."""
    if len(payload) > MAX_AUDIO_BYTES:
        raise ProtocolViolation("audio", f"an audio frame may have {MAX_AUDIO_BYTES} bytes at most", CLOSE_TOO_BIG)


def object_at(message: Message, name: str, where: str = "") -> Message:
    """A nested object; a missing or null one is empty."""
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ProtocolViolation(where + name, "must be an object")
    return cast("Message", value)


def optional_object_at(message: Message, name: str, notes: Notes, where: str = "") -> Message:
    """A nested object that a call can do without: left out where it is none, and noted."""
    try:
        return object_at(message, name, where)
    except ProtocolViolation as violation:
        notes.append(tolerated(violation, "value"))
        return {}


def text_at(message: Message, name: str, longest: int, where: str = "") -> str:
    """Text, or a number as text; missing or null is empty. Surrounding blanks go."""
    value = message.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ProtocolViolation(where + name, "must be a string")
    if isinstance(value, float) and not math.isfinite(value):
        raise ProtocolViolation(where + name, "is no finite number")
    text = str(value).strip()
    if len(text) > longest:
        raise ProtocolViolation(where + name, f"may have {longest} characters at most, has {len(text)}")
    if _UNSTORABLE.search(text):
        raise ProtocolViolation(where + name, "holds a NUL character or half a surrogate pair")
    return text


def integer_at(message: Message, name: str, where: str = "") -> int | None:
    """A whole number, as a JSON number or in a string; None if missing or null."""
    if message.get(name) is None:
        return None
    text = text_at(message, name, 32, where)
    if not _NUMBER.fullmatch(text):
        raise ProtocolViolation(where + name, f"must be a whole number, is {text!r}")
    return int(text.partition(".")[0])


def rate_at(message: Message, name: str, encoding: Encoding, where: str = "") -> int:
    """The rate of a leg that is announced so (`asr.audio.codecs.leg_rate`). Raises ProtocolViolation for none, and for
    one that the encoding does not have."""
    rate = integer_at(message, name, where)
    if rate not in RATES[encoding]:
        told = f"must be one of {', '.join(map(str, RATES[encoding]))} samples a second for {encoding}"
        raise ProtocolViolation(where + name, told)
    return leg_rate(encoding, rate)


def optional_text_at(message: Message, name: str, longest: int, notes: Notes, where: str = "") -> str:
    """Text that a call can do without: cut where it is too long, left out where it cannot be kept, and noted."""
    value = message.get(name)
    if isinstance(value, str) and len(value.strip()) > longest and not _UNSTORABLE.search(value):
        told = f"may have {longest} characters at most, has {len(value.strip())}; it is cut"
        notes.append(Irregularity(kind="value", field=where + name, message=told))
        return value.strip()[:longest].rstrip()
    try:
        return text_at(message, name, longest, where)
    except ProtocolViolation as violation:
        notes.append(tolerated(violation, "value"))
        return ""


def flag_at(message: Message, name: str, notes: Notes) -> bool:
    """true or false, also as a string or as 1 or 0; missing or null is false, and so, noted, is anything else."""
    value = message.get(name)
    if value is None or value in (False, 0, "false", "0", ""):
        return False
    if value in (True, 1, "true", "1"):
        return True
    notes.append(Irregularity(kind="value", field=name, message="must be true or false; it is taken for false"))
    return False


def call_id_at(message: Message, name: str, where: str = "") -> str:
    """A call's id, "" where there is none."""
    call_id = text_at(message, name, 128, where)
    if call_id and not _CALL_ID.fullmatch(call_id):
        raise ProtocolViolation(
            where + name, "may hold ASCII letters, digits and . _ : @ + - and must begin with a letter or a digit"
        )
    return call_id


def role_named(value: object, where: str) -> Role:
    """Raises ProtocolViolation for anything but agent and customer."""
    for role in ROLES:
        if value == role:
            return role
    raise ProtocolViolation(where, f"must be one of {', '.join(ROLES)}")


def digits_at(message: Message, name: str, role: Role | None, where: str = "") -> list[DigitPressed | Irregularity]:
    """The keys of a telephone (0-9, A-D, *, #) that a message names, one event each: mostly one, in order where it is
    a string of them. What is no key, such as a hook flash, is noted."""
    try:
        text = text_at(message, name, MAX_METADATA_VALUE, where).upper()
    except ProtocolViolation as violation:
        return [tolerated(violation, "digit")]
    text = _NAMED_KEYS.get(text, text)
    word = any(char.isalpha() and char not in _KEYS for char in text)  # "flash" holds an A, and means none
    keys = "" if word else _NO_KEY.sub("", text)
    found: list[DigitPressed | Irregularity] = [DigitPressed(digit=key, role=role) for key in keys[:_MOST_KEYS]]
    if keys[:_MOST_KEYS] != text or not text:
        told = f"holds what is none of 0-9, A-D, * and # (a hook flash is none), or more than {_MOST_KEYS} of them"
        found.append(Irregularity(kind="digit", field=where + name, message=f"{told}; that is left out"))
    return found


def language_at(message: Message, name: str, where: str = "") -> CallLanguage | None:
    """A language by its BCP 47 tag, of which the first part counts (zh-CN is zh), by its code of three letters, or
    `auto`."""
    tag = re.split("[-_]", text_at(message, name, 35, where).lower())[0]
    tag = _LANGUAGE_CODES.get(tag, tag)
    for language in get_args(CallLanguage):
        if tag == language:
            return language
    if tag:
        raise ProtocolViolation(where + name, f"must be one of {', '.join(get_args(CallLanguage))}")
    return None


def jurisdiction_at(message: Message, name: str, where: str = "") -> Jurisdiction | None:
    """A jurisdiction by its name, in any case; None if missing or null. Raises ProtocolViolation for anything else."""
    code = text_at(message, name, 16, where).upper()
    for jurisdiction in get_args(Jurisdiction):
        if code == jurisdiction:
            return jurisdiction
    if code:
        raise ProtocolViolation(where + name, f"must be one of {', '.join(get_args(Jurisdiction))}")
    return None


def moment_at(message: Message, name: str, where: str = "") -> datetime | None:
    """An ISO 8601 date and time with its offset from UTC: without it nobody knows which moment is meant.

    Raises ProtocolViolation also for an offset that no clock shows and no store keeps.
    """
    text = text_at(message, name, 64, where)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProtocolViolation(where + name, "must be ISO 8601, such as 2026-03-02T09:30:00+08:00") from error
    offset = moment.utcoffset()
    if offset is None:
        raise ProtocolViolation(where + name, "must end with its offset from UTC, such as +08:00 or Z")
    if abs(offset) > _LARGEST_OFFSET or offset % timedelta(minutes=1):
        raise ProtocolViolation(where + name, "has an offset that is no zone's: whole minutes, up to 15:59")
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        raise ProtocolViolation(where + name, f"must lie in the years {_EARLIEST_YEAR} to {_LATEST_YEAR}")
    return moment


class CallFields(TypedDict):
    """What every dialect may be told of a call, by the names that CallAnnounced has for it."""

    language: CallLanguage | None
    jurisdiction: Jurisdiction | None
    started_at: datetime | None
    agent: str
    customer: str


def call_fields_at(message: Message, notes: Notes, where: str = "") -> CallFields:
    """Raises ProtocolViolation for a language, jurisdiction or moment that is none."""
    return CallFields(
        language=language_at(message, "language", where),
        jurisdiction=jurisdiction_at(message, "jurisdiction", where),
        started_at=moment_at(message, "started_at", where),
        agent=optional_text_at(message, "agent", MAX_PARTY_LENGTH, notes, where),
        customer=optional_text_at(message, "customer", MAX_PARTY_LENGTH, notes, where),
    )


def metadata_at(message: Message, name: str, notes: Notes, where: str = "") -> dict[str, str]:
    """The integrator's own fields, text to text: numbers become text, nulls are left out. No call fails for them."""
    entries = optional_object_at(message, name, notes, where)
    keys = [key for key in entries if 0 < len(key) <= MAX_METADATA_KEY and not _UNSTORABLE.search(key)]
    if len(keys) < len(entries):
        told = f"a key has 1 to {MAX_METADATA_KEY} characters, none of them NUL; the others are left out"
        notes.append(Irregularity(kind="value", field=f"{where}{name} keys", message=told))
    if len(keys) > MAX_METADATA_ENTRIES:
        told = f"may have {MAX_METADATA_ENTRIES} entries at most, has {len(keys)}; the last ones are left out"
        notes.append(Irregularity(kind="value", field=where + name, message=told))
    return {
        key: text
        for key in keys[:MAX_METADATA_ENTRIES]
        if (text := _metadata_value(entries, key, notes, f"{where}{name}.")) is not None
    }


def _metadata_value(entries: Message, key: str, notes: Notes, where: str) -> str | None:
    value = entries[key]
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or not isinstance(value, str | int | float):
        if value is not None:
            notes.append(Irregularity(kind="value", field=where + key, message="must be a string; it is left out"))
        return None
    before = len(notes)
    text = optional_text_at(entries, key, MAX_METADATA_VALUE, notes, where)
    return text if text or len(notes) == before else None
