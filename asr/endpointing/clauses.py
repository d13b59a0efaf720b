"""Whether somebody who has just paused has said a whole clause, told by their last words. Pure.

A listener waits for the end of a turn less by the silence than by what was said: a question begs its answer, "because"
its reason. Only what ends, or leaves open, a clause beyond doubt is told; the silence decides the rest.
"""

from __future__ import annotations

import re
from typing import Final

_ASKING_MARKS: Final = "？?！!"
_END_MARKS: Final = _ASKING_MARKS + "。."
_OPEN_MARKS: Final = "，、；：…,;:—-"

_ENGLISH_OPEN: Final = """
    a an the my your our their its every
    and but or because if when while although unless until than which who whose
    of with from into i we they he she
    i'm you're we're they're i'll you'll we'll they'll i've you've we've they've i'd you'd
    um uh er erm hmm well
"""
"""Words that end no clause, or seldom: a speaker who stops at one is looking for the next. They are trusted over a full
stop, which a recogniser sets after any pause."""
_ENGLISH_CLOSING: Final = "goodbye bye thanks okay ok right yes no sure"

_CHINESE_CLOSING: Final = "吗 呢 吧 了 啊 呀 嘛 谢谢 再见 好的 可以 明白 知道"
_CHINESE_OPEN: Final = """
    因为 所以 但是 可是 不过 如果 要是 虽然 然后 而且 或者 还是 就是 那个 这个 的话 比如 包括 关于 根据 通过
    我 你 您 他 她 我们 你们 咱们 他们 和 跟 把 被 在 对 给 从 向 让 是 要 会 不 没 很 嗯 呃
"""
"""The longer of the words that fit decides: "还是" leaves open though "是" does too, "可以" closes."""

_LAST_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*$")


def complete(text: str, language: str) -> bool | None:
    """True where `text` (as recognised, its marks kept) ends a clause, False where it breaks off, None where neither is
    plain. `language` is ISO 639-1; of languages other than "zh" and "en" only the marks tell."""
    text = text.strip()
    words = text.rstrip(_END_MARKS + _OPEN_MARKS + " ")
    if not words:
        return None
    if text[-1] in _ASKING_MARKS:
        return True
    ending = _ENDINGS.get(language, _unknown)(words)
    if ending is False or text[-1] in _OPEN_MARKS or text.endswith("..."):
        return False
    return True if text[-1] in _END_MARKS else ending


def _english(words: str) -> bool | None:
    found = _LAST_WORD.search(words.lower().replace("’", "'"))
    word = found[0] if found else ""
    return False if word in _ENGLISH_OPEN.split() else True if word in _ENGLISH_CLOSING.split() else None


def _chinese(words: str) -> bool | None:
    closing, broken_off = _longest(words, _CHINESE_CLOSING), _longest(words, _CHINESE_OPEN)
    return None if closing == broken_off else closing > broken_off


def _longest(words: str, endings: str) -> int:
    return max((len(ending) for ending in endings.split() if words.endswith(ending)), default=0)


def _unknown(words: str) -> bool | None:
    return None


_ENDINGS = {"zh": _chinese, "en": _english}
