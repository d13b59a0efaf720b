"""Makes written lines look recognised: without punctuation, with words that sound like those that were said.

Telephone audio makes Whisper base mistake about a quarter of the characters of Mandarin, mostly for others of the same
or a near sound, and it loses some. This is an imitation; the recognised test set is made by the recogniser itself.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from pypinyin import lazy_pinyin

MARKS = re.compile(r"[，。！？、；：…“”‘’—,.!?;:\"()《》-]+")
NEAR = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ing", "in"), ("eng", "en"), ("ang", "an"), ("n", "l"), ("h", "f"))
"""Sounds that the telephone and dialects confuse."""
VOWELS = re.compile(r"(?<=.)[aeiouyhw]")
DOUBLED = re.compile(r"(.)\1+")


def near_sound(syllable: str) -> str:
    """The syllable with what is easily confused made one."""
    for from_, to in NEAR:
        if syllable.startswith(from_):
            syllable = to + syllable[len(from_) :]
        elif len(from_) > 1 and syllable.endswith(from_):
            syllable = syllable[: -len(from_)] + to
    return syllable


def skeleton(word: str) -> str:
    """An English word's consonants: words with the same ones are easily mistaken for each other."""
    return DOUBLED.sub(r"\1", VOWELS.sub("", word.lower().replace("ck", "k").replace("c", "k").replace("z", "s")))


class Noise:
    """Like-sounding characters and words, from the texts it is made with, by how often they occur there."""

    def __init__(self, texts: Iterable[str], dice: random.Random) -> None:
        self._dice = dice
        characters, words = Counter[str](), Counter[str]()
        for text in texts:
            characters.update(each for each in text if "\u4e00" <= each <= "\u9fff")
            words.update(re.findall(r"[a-z']{2,}", text.lower()))
        self._sounds = {each: near_sound(lazy_pinyin(each)[0]) for each in characters}
        self._like_character, self._like_word = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for character, times in characters.items():
            self._like_character[self._sounds[character]] += [character] * min(40, max(1, round(times**0.5)))
        for word, times in words.items():
            self._like_word[skeleton(word)] += [word] * min(40, max(1, round(times**0.5)))

    def plain(self, text: str) -> str:
        """The text without punctuation."""
        return MARKS.sub(" " if text.isascii() else "", text).strip() or text

    def misrecognised(self, text: str, share: float) -> str:
        """About `share` of the characters or words mistaken, a fifth of those lost."""
        if any("\u4e00" <= each <= "\u9fff" for each in text):
            return "".join(self._character(each, share) for each in text) or text
        return " ".join(filter(None, (self._word(each, share) for each in text.split()))) or text

    def _character(self, each: str, share: float) -> str:
        if each not in self._sounds or self._dice.random() >= share:
            return each
        return "" if self._dice.random() < 0.2 else self._dice.choice(self._like_character[self._sounds[each]])

    def _word(self, each: str, share: float) -> str:
        if self._dice.random() >= share:
            return each
        like = self._like_word.get(skeleton(MARKS.sub("", each)))
        return "" if like is None or self._dice.random() < 0.2 else self._dice.choice(like)
