"""How Mandarin characters sound, and which syllables are taken for one another. Pure.

Tones are left out: recognisers mistake them freely, and so do ears on a telephone line.
"""

from __future__ import annotations

from functools import lru_cache

from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal

# Pairs that Mandarin speakers merge or recognisers confuse on a telephone line.
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("h", "f"), ("g", "h"), ("g", "k"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"), ("iang", "ian"), ("uang", "uan"), ("an", "ai"), ("ou", "u"))
# Initials that a recogniser, or an ear on a telephone line, takes for one another: those spoken at one place of the
# mouth, and those spoken in one way.
_PLACES = (set("bpf"), set("dt"), set("nl"), set("gkh"), set("jqx"), {"z", "c", "s"}, {"zh", "ch", "sh", "r"})
_WAYS = ({"p", "t", "k", "q", "ch", "c"}, {"b", "d", "g", "j", "zh", "z"}, {"f", "h", "x", "sh", "s"}, set("mnlr"))
_STARTS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")


@lru_cache(maxsize=1 << 15)
def syllables(char: str) -> frozenset[str]:
    """Toneless readings of one character; empty for anything else."""
    readings = str(PINYIN_DICT.get(ord(char), ""))
    return frozenset(to_normal(reading) for reading in readings.split(",") if reading)


@lru_cache(maxsize=1)
def all_syllables() -> frozenset[str]:
    """Every syllable that a common character (U+4E00 to U+9FA5) reads as."""
    return frozenset(syllable for code in range(0x4E00, 0x9FA6) for syllable in syllables(chr(code)))


@lru_cache(maxsize=1 << 15)
def near(one: str, other: str) -> bool:
    """Whether two syllables differ by one confusable initial or one confusable final."""
    (initial_a, final_a), (initial_b, final_b) = split(one), split(other)
    if initial_a == initial_b:
        return _paired(_FINALS, final_a, final_b)
    return final_a == final_b and _paired(_INITIALS, initial_a, initial_b)


@lru_cache(maxsize=1 << 15)
def akin(one: str, other: str) -> bool:
    """Whether a recogniser may have heard one syllable for the other: near ones; the same final behind initials of one
    place or way; the same initial before finals of which one begins the other (yi, yin), or that differ in the
    rounding of their first vowel (yi, yu). Wider than `near`: only what the audio bears out may be made of it."""
    (initial_a, final_a), (initial_b, final_b) = split(one), split(other)
    if final_a == final_b:
        return any(initial_a in group and initial_b in group for group in (*_PLACES, *_WAYS))
    return near(one, other) or (initial_a == initial_b and _finals_akin(initial_a, final_a, final_b))


@lru_cache(maxsize=1 << 12)
def split(syllable: str) -> tuple[str, str]:
    """A syllable's initial, empty where it has none, and its final."""
    for start in _STARTS:
        if syllable.startswith(start):
            return start, syllable[len(start) :]
    return "", syllable


def _paired(pairs: tuple[tuple[str, str], ...], one: str, other: str) -> bool:
    return (one, other) in pairs or (other, one) in pairs


def _finals_akin(initial: str, one: str, other: str) -> bool:
    if one.startswith(other) or other.startswith(one):
        return True
    rounded = initial in tuple("yjqx") and {one[0], other[0]} == {"i", "u"}
    return rounded and one[1:] == other[1:]
