"""The settings as they are given: settings come out of variables and options, or a sentence for each mistake. Plain."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from service.settings import PREFIX, Settings

VARIABLES = tuple(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)

_ALIKE = 0.75
"""Ratio of difflib from which a name behind the prefix counts as another's misspelling: COOKIE for COOKIES is 0.96."""
_HINTED = 0.6
_LONGEST_SHOWN = 60
_SECRET = ("database_url", "public_url")
"""Their values are never shown: a user name and a password may be in them."""
_CREDENTIALS = re.compile(r"://\S*@")

_WORDED: Mapping[str, str] = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
}
"""Messages for some of pydantic's kinds of error. The others speak for themselves."""


class BadSettings(Exception):
    """Settings that cannot be used: one sentence each in `problems`."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def read_settings(options: Mapping[str, Any]) -> Settings:
    """Settings from this process's environment; `options` win over it. Raises BadSettings."""
    try:
        return Settings(**options)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=True)
    raise BadSettings(_sentences(found, options))


def misspelt(names: Iterable[str]) -> list[str]:
    """A sentence for each variable that is almost the name of a setting. Its writer thinks it holds."""
    nearest = {name: _nearest(name) for name in sorted(names) if name.upper() not in VARIABLES}
    return [f"{name} is no setting: did you mean {meant}?" for name, meant in nearest.items() if meant]


def unknown(names: Iterable[str]) -> list[str]:
    """A sentence for each variable with our prefix that is like no setting; Kubernetes makes some for a service."""
    ours = (name for name in sorted(names) if name.upper().startswith(PREFIX) and name.upper() not in VARIABLES)
    return [f"{name} is no setting of this version and is ignored{_hint(name)}" for name in ours if not _nearest(name)]


def advice(settings: Settings) -> list[str]:
    """A sentence for each setting that is allowed and most likely not meant."""
    if settings.public_url.startswith("https:") and not settings.secure_cookie:
        return [
            f"{PREFIX}PUBLIC_URL is https: set {PREFIX}SECURE_COOKIE=true, or the session cookie also goes over http"
        ]
    return []


def _nearest(name: str) -> str | None:
    upper = name.upper()
    if upper.startswith(PREFIX):
        best = max(VARIABLES, key=lambda known: _likeness(upper, known))
        return best if _likeness(upper, best) >= _ALIKE else _longer(upper)
    if "WARDEN" not in upper:
        return None
    bare = _bare(upper)
    return next((known for known in VARIABLES if difflib.SequenceMatcher(a=bare, b=_bare(known)).ratio() >= 0.95), None)


def _hint(name: str) -> str:
    nearest = max(VARIABLES, key=lambda known: _likeness(name.upper(), known))
    return f"; the nearest one is {nearest}" if _likeness(name.upper(), nearest) >= _HINTED else ""


def _likeness(name: str, known: str) -> float:
    """The likeness of the parts behind the prefix, as they are and with their words in alphabetical order."""
    ends = [text.removeprefix(PREFIX) for text in (name, known)]
    ordered = ["_".join(sorted(end.split("_"))) for end in ends]
    return max(difflib.SequenceMatcher(a=a, b=b).ratio() for a, b in (ends, ordered))


def _longer(name: str) -> str | None:
    """The one setting whose words these are some of: SECURE_COOKIE for SECURE."""
    words = set(name.removeprefix(PREFIX).split("_"))
    holding = [known for known in VARIABLES if words < set(known.removeprefix(PREFIX).split("_"))]
    return holding[0] if len(holding) == 1 else None


def _bare(name: str) -> str:
    return re.sub("[^A-Z]", "", name)


def _sentences(errors: Iterable[ErrorDetails], options: Mapping[str, Any]) -> list[str]:
    """One a setting: of a setting that may be of several kinds pydantic tells what is wrong with each."""
    reasons: dict[str, list[str]] = {}
    for error in errors:
        reasons.setdefault(_subject(error, options), []).append(_reason(error))
    return [f"{subject}{' or '.join(told)}".replace(" or must be ", " or ") for subject, told in reasons.items()]


def _reason(error: ErrorDetails) -> str:
    worded = _WORDED.get(error["type"], "{told}")
    return worded.format(told=error["msg"].removeprefix("Value error, "), **error.get("ctx", {}))


def _subject(error: ErrorDetails, options: Mapping[str, Any]) -> str:
    """The setting by the name it was given under, and its value."""
    if not error["loc"]:
        return ""
    name = str(error["loc"][0])
    given = f"--{name.replace('_', '-')}" if name in options else f"{PREFIX}{name.upper()}"
    return f"{given}{_shown(name, error['input'])}: "


def _shown(name: str, value: object) -> str:
    text = _CREDENTIALS.sub("://…@", " ".join(str(value).split()))
    if name in _SECRET or not text.isprintable():
        return ""
    return f"={text[:_LONGEST_SHOWN]}…" if len(text) > _LONGEST_SHOWN else f"={text}"
