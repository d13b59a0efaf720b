"""How users and gateways may be named: one rule, for the command line and the API alike."""

from __future__ import annotations

import re

NAME_PATTERN = r"^[A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff][A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff._@+-]{0,63}$"
"""ASCII letters and digits, Chinese characters, and behind the first of them . _ @ + -: nothing that needs escaping in
a path or a page, and no letters of other scripts, some of which look like ASCII ones (the Cyrillic а in аdmin)."""

_RULE = "has 1 to 64 ASCII letters, digits, Chinese characters or . _ @ + -, and begins with none of these marks"


def checked_name(name: str) -> str:
    """The name. ValueError says the rule."""
    if re.fullmatch(NAME_PATTERN.strip("^$"), name) is None:
        raise ValueError(f"a name {_RULE}: {name[:80]!r} does not fit")
    return name
