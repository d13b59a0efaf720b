"""What of a gateway's message may be shown, and to whom. Pure.

Nobody is shown a secret, sound, or a key that was pressed (`as_it_came`). Who is no admin is shown no personal data
either: of a value that is not known to be technical only what it is like (`outline`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final, TypeAlias, cast

from service.access.keys import redacted
from service.preview.values import ConnectionPreview, MappedField, SeenHandshake

LONGEST_SHOWN: Final = 2048
"""Characters of a message."""
_LONGEST_VALUE: Final = 160
_HIDDEN: Final = "…"

_SECRET: Final = re.compile(r"secret|token|passw|pwd|credential|signature|apikey|authorization|^(auth|key|pass|pin)$")
_SOUND: Final = ("payload", "audio")
_PRESSED: Final = ("digit", "digits", "dtmf")
_TECHNICAL: Final = re.compile(
    "event|type|version|protocol|encoding|samplerate|rate|channels?|format|contenttype|mixtype|tracks?|status|reason|"
    "sequencenumber|seq|chunk|timestamp|clientseq|serverseq|position|optimalframesize|ptime|paused|startpaused|"
    "id|streams?id|callsid|callid|callcontrolid|callsessionid|accountsid|conversationid|organizationid|channelid|"
    "connectionid|legs|calllegs|role|language|jurisdiction|startedat|begun|callflow|at|events|payload|audio"
)
"""Names, in small letters and without `_` and `-`, whose values are nobody's personal data."""
_HARMLESS: Final = re.compile(
    "host|user-agent|origin|upgrade|connection|content-type|content-length|"
    "sec-websocket-(version|protocol|extensions)|x-forwarded-(for|host|proto)|"
    "audiohook-(organization|session|correlation)-id"
)
MOST_PAIRS: Final = 40
_PAIR: Final = re.compile(r"([A-Za-z_][\w.-]*)([:=])(\S+)")

Shown: TypeAlias = Callable[[str, object], object]
"""What of a value that is no object or list stands for it, by the name that it has."""


def as_it_came(text: str) -> str:
    """A message as admins see it, LONGEST_SHOWN characters at most."""
    return _of_message(text, _without_secrets)


def outline(text: str) -> str:
    """The same for others; of a text that is `as_it_came`."""
    return _of_message(text, _technical)


def pairs_as_they_came(pairs: Mapping[str, str]) -> dict[str, str]:
    """A URL's query, or metadata, as admins see it: MOST_PAIRS at most."""
    return {name: str(_without_secrets(name, value)) for name, value in islice(pairs.items(), MOST_PAIRS)}


def harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """All names of headers, with the values of those that never hold a secret."""
    named = islice(headers.items(), MOST_PAIRS)
    return {name: value[:_LONGEST_VALUE] if _HARMLESS.fullmatch(name) else _HIDDEN for name, value in named}


def masked(preview: ConnectionPreview) -> ConnectionPreview:
    """A connection as those see it who are no admins."""
    return replace(
        preview,
        seen=_masked_handshake(preview.seen),
        messages=tuple(replace(message, text=outline(message.text)) for message in preview.messages),
        fields=tuple(map(_masked_field, preview.fields)),
        metadata={name: _like(value) for name, value in preview.metadata.items()},
    )


def _masked_handshake(seen: SeenHandshake) -> SeenHandshake:
    return replace(seen, query={name: str(_technical(name, value)) for name, value in seen.query.items()})


def _masked_field(field: MappedField) -> MappedField:
    personal = field.name in ("agent", "customer", "direction")
    return replace(field, value=_like(field.value)) if personal and field.value else field


def _of_message(text: str, shown: Shown) -> str:
    try:
        message: object = json.loads(text)
    except (ValueError, RecursionError):
        return _cut(_PAIR.sub(lambda pair: f"{pair[1]}{pair[2]}{shown(pair[1], pair[3])}", redacted(text)))
    return _cut(json.dumps(_walked("", message, shown), ensure_ascii=False))


def _walked(name: str, value: object, shown: Shown) -> object:
    if _SECRET.search(_plain(name)):
        return _HIDDEN
    if isinstance(value, dict):
        return {key: _walked(key, each, shown) for key, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_walked(name, each, shown) for each in cast("list[object]", value)[:MOST_PAIRS]]
    return shown(name, value)


def _without_secrets(name: str, value: object) -> object:
    plain = _plain(name)
    if _SECRET.search(plain) or plain in _PRESSED:
        return _HIDDEN
    if not isinstance(value, str):
        return value
    if plain in _SOUND:
        return f"({len(value)} characters of sound)"
    return redacted(value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}{_HIDDEN}")


def _technical(name: str, value: object) -> object:
    if value is None or isinstance(value, bool) or value == _HIDDEN or _TECHNICAL.fullmatch(_plain(name)):
        return value
    return _like(str(value))


def _like(value: str) -> str:
    """Of which form a value is: which kinds of characters, and how many."""
    kinds = {"digits": str.isdigit, "letters": str.isalpha, "blanks": str.isspace}
    found = [name for name, kind in kinds.items() if any(map(kind, value))]
    others = [] if all(any(kind(char) for kind in kinds.values()) for char in value) else ["signs"]
    return f"({len(value)}: {', '.join([*found, *others])})" if value else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}{_HIDDEN}"
