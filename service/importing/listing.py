"""Reads what a list (CSV) or the file names tell about recordings. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import PurePath
from typing import Final

import re2

from asr.types import Role
from service.importing.files import FoundFile
from service.ingest.events import CallAnnounced, ProtocolViolation
from service.ingest.fields import Notes, call_fields_at, call_id_at, metadata_at, role_named

FILE: Final = "file"
_OWN: Final = frozenset(
    (FILE, "call_id", "agent", "customer", "started_at", "language", "jurisdiction", "left", "right", "party")
)
"""Fields of a call; every other field becomes metadata, `timezone` too."""
_MOMENT: Final = r"\d{4}\D?\d{2}\D?\d{2}\D{0,2}\d{2}\D?\d{2}(?:\D?\d{2})?(?:Z|[+-]\d{2}:?\d{2})?"
"""A start in a file's name, with anything between its figures."""
_REST: Final = r"\D?(\d\d)(?:\D?(\d\d)([.,]\d{1,6})?)?[ 分秒]?(Z|[+-]\d\d:?\d\d)?"
_TOGETHER: Final = re.compile(r"(\d{4})\D?(\d\d)\D?(\d\d)\D{0,2}(\d\d)" + _REST, re.ASCII)
_APART: Final = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})\D{1,2}(\d{1,2})(?=\D)" + _REST, re.ASCII)
"""A start with anything between its figures, and one as spreadsheets write it, such as 2026/3/2 9:05:30. What is
neither is not guessed: the wrong hour would be held against somebody."""
_LONGEST_ID: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Defaults for recordings about which nothing is told: the party on the left of two channels, the party on a single
    channel, the clock of moments without an offset."""

    left: Role = "agent"
    party: Role | None = None
    clock: tzinfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """A recording, and what is known about its call. `announced` has the roles of two channels; its rate is not known
    yet. `party`: the party on a single channel, None if nobody says."""

    file: FoundFile
    announced: CallAnnounced
    party: Role | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The recordings of a list. `refused`: files of which too little is known, each with the reason. `problems`: what
    is wrong with the list."""

    calls: list[RecordedCall] = field(default_factory=list[RecordedCall])
    refused: list[tuple[FoundFile, str]] = field(default_factory=list[tuple[FoundFile, str]])
    problems: list[str] = field(default_factory=list[str])


class NamePattern:
    """What a name tells: `{agent}_{customer}_{started_at}`. Raises ValueError for a pattern that tells nothing."""

    def __init__(self, pattern: str) -> None:
        parts = re.split(r"\{(\w+)\}", pattern)
        names = parts[1::2]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"{pattern!r} must name each field once, as in {{agent}}_{{customer}}_{{started_at}}")
        groups = [_group(part) if place % 2 else re2.escape(part) for place, part in enumerate(parts)]
        self._expression = re2.compile("".join(groups))
        self.text = pattern

    def read(self, stem: str) -> Mapping[str, str] | None:
        """The fields of a name without its ending; None where it is another kind of name."""
        found = self._expression.fullmatch(stem)
        return None if found is None else found.groupdict()


def _group(name: str) -> str:
    return f"(?P<{name}>{_MOMENT if name == 'started_at' else '.+?'})"


def named(files: Sequence[FoundFile], pattern: NamePattern | None, defaults: Defaults) -> Listing:
    """What the files' names tell: the call's id, and what the pattern finds in them."""
    listing = Listing()
    for file in files:
        try:
            listing.calls.append(recorded_call(file, _of_name(file, pattern), defaults))
        except ProtocolViolation as violation:
            listing.refused.append((file, str(violation)))
    return _each_once(listing)


def _of_name(file: FoundFile, pattern: NamePattern | None) -> Mapping[str, str]:
    if pattern is None:
        return {}
    told = pattern.read(PurePath(file.name).stem)
    if told is None:
        raise ProtocolViolation("name", f"does not fit the pattern {pattern.text}")
    return told


def _each_once(listing: Listing) -> Listing:
    """The listing without files that would be one call. Nobody can tell which of them it is, so none is taken."""
    count = Counter(call.announced.call_id for call in listing.calls)
    once = [call for call in listing.calls if count[call.announced.call_id] == 1]
    twice = [
        (call.file, f"call_id: {call.announced.call_id} is that of another file too; a list can tell them apart")
        for call in listing.calls
        if count[call.announced.call_id] > 1
    ]
    return replace(listing, calls=once, refused=[*listing.refused, *twice])


def listed(text: str, files: Sequence[FoundFile], defaults: Defaults) -> Listing:
    """What a list tells, a CSV with a header and a line a file. A file is named by its path under the folder that was
    named, or by its bare name where no other has it."""
    by_name = _by_name(files)
    listing, lines, seen = Listing(), dict[str, int](), set[FoundFile]()
    try:
        for number, row in _rows(text):
            file = by_name.get(row.get(FILE, ""))
            try:
                call = _of_line(file, row, lines, seen, defaults)
            except ProtocolViolation as violation:
                listing.problems.append(f"line {number}: {violation}")
            else:
                listing.calls.append(call)
                lines[call.announced.call_id] = number
            seen.update(() if file is None else (file,))
    except ValueError as problem:
        listing.problems.append(str(problem))
    listing.refused.extend((file, "the list has no line for it") for file in files if file not in seen)
    return listing


def _of_line(
    file: FoundFile | None, row: Mapping[str, str], lines: Mapping[str, int], seen: set[FoundFile], defaults: Defaults
) -> RecordedCall:
    """Raises ProtocolViolation."""
    if file is None:
        raise ProtocolViolation(FILE, f"{row.get(FILE, '')!r} is none of the files, or the name of several")
    if file in seen:
        raise ProtocolViolation(FILE, f"{file.name} has a line before")
    call = recorded_call(file, row, defaults)
    if (before := lines.get(call.announced.call_id)) is not None:
        raise ProtocolViolation("call_id", f"{call.announced.call_id} is that of line {before} too")
    return call


def _by_name(files: Sequence[FoundFile]) -> Mapping[str, FoundFile]:
    bare = Counter(PurePath(file.name).name for file in files)
    alone = {name: file for file in files if bare[name := PurePath(file.name).name] == 1}
    return alone | {file.name: file for file in files}


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each line that is not blank, with its number; blank cells are left out. Raises ValueError."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header(next(reader, []))
        for cells in reader:
            if len(cells) > len(header):
                raise ValueError(f"has {len(cells)} cells, and the header {len(header)}")
            told = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
            if told:
                yield reader.line_num, told
    except (csv.Error, ValueError) as problem:
        raise ValueError(f"line {max(1, reader.line_num)}: {problem}") from problem


def _header(cells: Sequence[str]) -> list[str]:
    names = [name.strip().lower() for name in cells]
    if FILE not in names or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"must name the columns, each once, {FILE} among them")
    return names


def recorded_call(file: FoundFile, told: Mapping[str, str], defaults: Defaults) -> RecordedCall:
    """Raises ProtocolViolation for what cannot be meant; nothing is cut or left out here."""
    notes: Notes = []
    fields = {**told, "started_at": _with_offset(told.get("started_at", ""), defaults.clock)}
    left = _left(told) or defaults.left
    announced = CallAnnounced(
        call_id=call_id_at(fields, "call_id") or id_of_name(file.name),
        roles=(left, "customer" if left == "agent" else "agent"),
        clock="samples",
        encoding="pcm_s16le",
        rate=0,
        **call_fields_at(fields, notes),
        metadata=metadata_at({"metadata": {k: v for k, v in told.items() if k not in _OWN}}, "metadata", notes),
    )
    if notes:
        raise ProtocolViolation(notes[0].field, notes[0].message.partition(";")[0])
    return RecordedCall(file=file, announced=announced, party=_party(told, "party") or defaults.party)


def _party(told: Mapping[str, str], name: str) -> Role | None:
    return role_named(told[name], name) if name in told else None


def _left(told: Mapping[str, str]) -> Role | None:
    """The party on the left, as `left` or `right` tells."""
    left, right = _party(told, "left"), _party(told, "right")
    if right is None:
        return left
    if left == right:
        raise ProtocolViolation("right", f"is the {right}, and so is left")
    return "customer" if right == "agent" else "agent"


def id_of_name(name: str) -> str:
    """A file's name without folder and ending, where that can be an id; else what of it can, and a hash of the rest."""
    stem = PurePath(name).stem
    with suppress(ProtocolViolation):
        if call_id_at({"id": stem}, "id") == stem:
            return stem
    plain = re.sub(r"[^A-Za-z0-9._:@+-]+", "-", stem).strip("-._:@+")[:_LONGEST_ID]
    return f"{plain or 'call'}-{hashlib.sha256(stem.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _with_offset(text: str, clock: tzinfo | None) -> str:
    """A moment as ISO 8601, with the clock's offset where it names none; what is no moment stays as it is."""
    written = _TOGETHER.fullmatch(text) or _APART.fullmatch(text)
    if written is None:
        return text
    year, month, day, hour, minute, second, part, offset = written.groups()
    figures = f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}:{second or '00'}{part or ''}"
    try:
        moment = datetime.fromisoformat(figures + (offset or ""))
    except ValueError:
        return text
    return (moment if moment.tzinfo or clock is None else moment.replace(tzinfo=clock)).isoformat()
