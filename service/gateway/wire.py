"""Reading JSON messages from the wire: every field is bounded, every refusal names the field.

Numbers are taken as strings or as JSON numbers, and identifiers too: gateways differ in which they send.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias, cast, get_args

from asr.types import ROLES, CallLanguage, Role
from detectors.api import Jurisdiction
from service.gateway.events import CLOSE_TOO_BIG, CLOSE_UNSUPPORTED, MAX_AUDIO_BYTES, MAX_TEXT_BYTES, ProtocolViolation

Message: TypeAlias = Mapping[str, object]

MAX_PARTY_LENGTH = 128
MAX_METADATA_ENTRIES = 64
MAX_METADATA_KEY = 64
MAX_METADATA_VALUE = 1024

_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL's text cannot hold, and lone surrogates, which UTF-8 cannot."""
_DIGIT = re.compile(r"[0-9A-D*#]", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.0+)?", re.ASCII)
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 2199


def parse_message(text: str) -> Message:
    """A JSON object. Raises ProtocolViolation: 1009 over MAX_TEXT_BYTES, 1003 for anything but an object."""
    if len(text) > MAX_TEXT_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise ProtocolViolation("message", f"a text message may have {MAX_TEXT_BYTES} bytes at most", CLOSE_TOO_BIG)
    try:
        message: object = json.loads(text)
    except (ValueError, RecursionError) as error:  # RecursionError: 64 KiB hold brackets nested deeply enough
        raise ProtocolViolation("message", "not JSON", CLOSE_UNSUPPORTED) from error
    if not isinstance(message, dict):
        raise ProtocolViolation("message", "not a JSON object", CLOSE_UNSUPPORTED)
    return cast("Message", message)


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


def text_at(message: Message, name: str, longest: int, where: str = "") -> str:
    """Text, or a number as text; missing or null is empty. Surrounding blanks go."""
    value = message.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ProtocolViolation(where + name, "must be a string")
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


def flag_at(message: Message, name: str) -> bool:
    """true or false, also as a string or as 1 or 0; missing or null is false."""
    value = message.get(name)
    if value is None or value in (False, 0, "false", "0", ""):
        return False
    if value in (True, 1, "true", "1"):
        return True
    raise ProtocolViolation(name, "must be true or false")


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


def digit_at(message: Message, name: str, where: str = "") -> str:
    """One key of a telephone: 0-9, A-D, * or #."""
    digit = text_at(message, name, 8, where).upper()
    if not _DIGIT.fullmatch(digit):
        raise ProtocolViolation(where + name, "must be one of 0-9, A-D, * and #")
    return digit


def language_at(message: Message, name: str, where: str = "") -> CallLanguage | None:
    """A language by its BCP 47 tag, of which the first part counts (zh-CN is zh), or `auto`."""
    tag = re.split("[-_]", text_at(message, name, 35, where).lower())[0]
    for language in get_args(CallLanguage):
        if tag == language:
            return language
    if tag:
        raise ProtocolViolation(where + name, f"must be one of {', '.join(get_args(CallLanguage))}")
    return None


def jurisdiction_at(message: Message, name: str, where: str = "") -> Jurisdiction | None:
    code = text_at(message, name, 16, where).upper()
    for jurisdiction in get_args(Jurisdiction):
        if code == jurisdiction:
            return jurisdiction
    if code:
        raise ProtocolViolation(where + name, f"must be one of {', '.join(get_args(Jurisdiction))}")
    return None


def moment_at(message: Message, name: str, where: str = "") -> datetime | None:
    """An ISO 8601 date and time with its offset: the hour where the debtor is decides permitted hours."""
    text = text_at(message, name, 64, where)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProtocolViolation(where + name, "must be ISO 8601, such as 2026-03-02T09:30:00+08:00") from error
    if moment.utcoffset() is None:
        raise ProtocolViolation(where + name, "must end with its offset from UTC, such as +08:00 or Z")
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        raise ProtocolViolation(where + name, f"must lie in the years {_EARLIEST_YEAR} to {_LATEST_YEAR}")
    return moment


def metadata_at(message: Message, name: str, where: str = "") -> dict[str, str]:
    """The integrator's own fields, text to text: numbers become text, nulls are left out."""
    entries = object_at(message, name, where)
    if len(entries) > MAX_METADATA_ENTRIES:
        raise ProtocolViolation(where + name, f"may have {MAX_METADATA_ENTRIES} entries at most, has {len(entries)}")
    return {key: text for key in entries if (text := _metadata_value(entries, key, f"{where}{name}.")) is not None}


def _metadata_value(entries: Message, key: str, where: str) -> str | None:
    if not 0 < len(key) <= MAX_METADATA_KEY or _UNSTORABLE.search(key):
        raise ProtocolViolation(where[:-1], f"a key has 1 to {MAX_METADATA_KEY} characters, none of them NUL")
    value = entries[key]
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return text_at(entries, key, MAX_METADATA_VALUE, where)
