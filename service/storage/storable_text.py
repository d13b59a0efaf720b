"""Text every database takes: PostgreSQL refuses NUL, UTF-8 refuses lone surrogates. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

_REFUSED = re.compile("[\x00\ud800-\udfff]")


def storable_text(text: str) -> str:
    """The text with U+FFFD, the sign for what could not be represented, in place of each refused character.

    Replaced and not dropped: offsets keep their meaning, and a reader sees that something was there.
    """
    return _REFUSED.sub("\N{REPLACEMENT CHARACTER}", text)


def json_text(value: Any) -> str:
    """JSON for a database's column: short, and readable in any script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
