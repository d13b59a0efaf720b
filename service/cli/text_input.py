"""Text that is piped into a command, in whichever Unicode encoding it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from detectors.evaluation.batch import BadInput

_MARK = "\ufeff"
"""A byte order mark, as editors on Windows put it before a text; joined files have it before later lines too."""

_SPACES = " \t\r\n\v\f"


def text_of(stream: BinaryIO) -> str:
    """All of it. UTF-8, or UTF-16 and UTF-32, which their first bytes tell. Raises BadInput."""
    raw = stream.read()
    return _decoded(raw, json.detect_encoding(raw[:4]), "the text").lstrip(_MARK)


def lines_of(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Every line that is not blank, with its number from 1, as soon as it is there. Lines end in LF, CR LF or CR.

    Raises BadInput.
    """
    number = 0
    for raw in stream:
        encoding = json.detect_encoding(raw[:4]) if number == 0 else "utf-8"
        if not encoding.startswith("utf-8"):  # a line feed has several bytes there: the lines are to be found anew
            raw += stream.read()
        for line in _decoded(raw, encoding, f"line {number + 1}").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            number += 1
            if text := line.strip(_MARK + _SPACES):
                yield number, text
        number -= 1  # what follows the last line end is no line


def _decoded(raw: bytes, encoding: str, where: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as fault:
        hint = "convert it first, a Chinese one from Windows with: iconv -f GB18030 -t UTF-8"
        raise BadInput(f"{where}: is not {encoding.removesuffix('-sig').upper()}; {hint}") from fault
