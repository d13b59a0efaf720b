"""Room on a disk: when to warn, and when recordings make way for the store. Plain.

A two-party call at 8 kHz records 32 KB a second, so sixteen fill 1.8 GB an hour; what is known of them (texts,
findings, alerts) takes some 0.1 GB a day. A disk that recordings have filled would take the store with them, for
want of the smaller part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

GIB: Final = 1 << 30

LOW_SHARE: Final = 0.2
LOW_MOST: Final = 10 * GIB
"""Below this much the disk is low: with sixteen calls there are five hours left to make room."""

RESERVE_SHARE: Final = 0.1
RESERVE_MOST: Final = GIB // 2
"""Below this much nothing is recorded. A busy call makes 1.3 KB of facts a second, which take three times as much with
tables, indexes and the write-ahead log: sixteen of them have room for over two hours of talk without a pause, and a
floor as it was measured for five days."""

BACK_SHARE: Final = 1.25
"""A level is left once there is a quarter more room than it begins at, so that it does not flap."""

DiskLevel: TypeAlias = Literal["ok", "low", "reserve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskRoom:
    """A file system at one moment, in bytes: `free` for this user, of `total`."""

    free: int
    total: int
    read_only: bool = False


def low_bytes(total: int) -> int:
    """Free bytes below which a disk of `total` bytes is low."""
    return min(LOW_MOST, int(total * LOW_SHARE))


def reserve_bytes(total: int) -> int:
    """Free bytes of a disk of `total` bytes that are the store's alone."""
    return min(RESERVE_MOST, int(total * RESERVE_SHARE))


def level_after(level: DiskLevel, room: DiskRoom) -> DiskLevel:
    """The level now, where it was `level` before."""
    reserve, low = reserve_bytes(room.total), low_bytes(room.total)
    if room.free < reserve or (level == "reserve" and room.free < reserve * BACK_SHARE):
        return "reserve"
    if room.free < low or (level != "ok" and room.free < low * BACK_SHARE):
        return "low"
    return "ok"


def told(level: DiskLevel, room: DiskRoom) -> str:
    """The free room in words, for /readyz and the log."""
    free = f"{_sized(room.free)} free of {_sized(room.total)}"
    match level:
        case "ok":
            return free
        case "low":
            return f"{free}: below {_sized(reserve_bytes(room.total))} recordings stop"
        case "reserve":
            return f"{free}: recordings have stopped, the rest is the store's; free some space"


def _sized(count: int) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / (1 << 20):.1f} MiB"
