"""Is this text a hallucination? Pure: figures and text in, a verdict out.

Whisper answers silence, noise and music with sentences it saw under videos, with endless repetition, or with its own
prompt. Dropping a real sentence is worse than keeping a false one, so only two kinds of evidence drop text: it is one
of the known phrases and nothing else, or its acoustics are weak as well as its form odd.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from asr.text import comparable
from asr.types import Seconds, Transcript

Reason = Literal["empty", "no_speech", "known_phrase", "repetition", "leaked_prompt", "too_fast", "foreign_script"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`text` is what to keep, None for nothing; `reason` says why something was dropped."""

    text: str | None
    reason: Reason | None = None


_PHRASES = re.compile(
    # Sign-offs and credits of videos and broadcasts: no one says them on the telephone.
    r"请不吝点赞|订阅转发|打赏支持|明镜与点点|明镜需要您的支持|优优独播剧场|独播剧场|字幕由|字幕志愿者|中文字幕|"
    r"字幕提供|字幕制作|字幕组|感谢您?的?观看|谢谢您?的?观看|谢谢大家(?:的)?(?:观看|收看)|多谢您?的?(?:观看|收看)|"
    r"请订阅|点赞订阅|下期再见|我们下期节目|本期视频|作曲|作词|编曲|"
    r"thanks? (?:you )?for watching|please subscribe|like and subscribe|subscribe to my channel|"
    r"subtitles by|captions? by|transcribed by|amara org|see you in the next video"
)
_ONLY_SIGN_OFF = frozenset({"you", "bye", "谢谢", "谢谢大家", "再见", "thank you", "thanks", "嗯", "啊", "the"})
"""Real words on any call, but also what Whisper says of silence: kept when the acoustics are not weak."""

_REPEATED = re.compile(r"(.{1,24}?)\1{5,}", re.DOTALL)
_FOREIGN = re.compile(r"[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]")

_WEAK_LOGPROB = -1.0
"""Whisper's own threshold for a failed decode; real telephone speech lies above -0.8 nearly always."""
_WEAK_NO_SPEECH = 0.6
_FASTEST_TOKENS: float = 15.0
"""Tokens a second: the fastest speakers reach 9."""
_LEAST_LEAK = 6
"""Characters (or letters) of the prompt in a row that count as leaked: shorter runs are ordinary vocabulary."""


def judge(transcript: Transcript, seconds: Seconds, prompt: str = "") -> Verdict:
    """What to keep of a transcript of `seconds` of speech that was decoded with `prompt`."""
    bare = comparable(transcript.text)
    if not bare:
        return Verdict(text=None, reason="empty")
    reason = _sure(bare) or (_suspect(transcript, bare, seconds, prompt) if _weak(transcript) else None)
    if reason is not None:
        return Verdict(text=None, reason=reason)
    return _without_loop(transcript.text)


def _weak(transcript: Transcript) -> bool:
    return transcript.avg_logprob < _WEAK_LOGPROB or transcript.no_speech_prob > _WEAK_NO_SPEECH


def _sure(bare: str) -> Reason | None:
    """What no acoustics can excuse."""
    left = _PHRASES.sub("", bare)
    if (len(bare) - len(left)) * 3 >= len(bare):  # a long real sentence may hold one in passing
        return "known_phrase"
    if _FOREIGN.search(bare):
        return "foreign_script"
    return None


def _suspect(transcript: Transcript, bare: str, seconds: Seconds, prompt: str) -> Reason | None:
    """Odd form on weak acoustics."""
    if transcript.no_speech_prob > _WEAK_NO_SPEECH and transcript.avg_logprob < _WEAK_LOGPROB:
        return "no_speech"
    if bare in _ONLY_SIGN_OFF or _PHRASES.search(bare):
        return "known_phrase"
    if _REPEATED.search(bare):
        return "repetition"
    if prompt and _leaked(bare, comparable(prompt)):
        return "leaked_prompt"
    if transcript.tokens > 4 + _FASTEST_TOKENS * seconds:
        return "too_fast"
    return None


def _leaked(bare: str, prompt: str) -> bool:
    """The text is a stretch of the prompt."""
    return len(bare) >= _LEAST_LEAK and bare in prompt


def _without_loop(text: str) -> Verdict:
    """A sentence that ran into a loop keeps its words, the loop's once."""
    kept = _REPEATED.sub(r"\1", text)
    return Verdict(text=kept, reason="repetition" if kept != text else None)
