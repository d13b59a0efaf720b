"""Is this text a hallucination? Pure: a transcript in, and out what of it somebody said.

Whisper answers silence, noise and music with sentences it saw under videos, with endless repetition, or with its own
prompt. Dropping a real sentence is worse than keeping a false one, for the real one may be the threat that matters:
good acoustics keep everything but the credits of videos, and a loop loses its repetitions, never its words.

The thresholds come from the base model on telephone-band speech and on tones, noise, hum, clicks and silence:

| | average log probability | no-speech probability |
|---|---|---|
| speech | -0.9 and above | 0.5 and below |
| no speech, no prompt | -1.4 and below | 0.4 and above |
| no speech, with a prompt | -0.5 to -1.7 | 0.8 and above |
"""

from __future__ import annotations

import re
from dataclasses import replace

from asr.normalisation import comparable
from asr.types import FilterReason, Seconds, Transcript

_CREDITS = re.compile(
    # Sign-offs and credits of videos and broadcasts: no one says them on the telephone.
    r"请不吝点赞|打赏支持|明镜与点点(?:栏目)?|明镜需要您的支持|(?:优优)?独播剧场|yoyo ?television ?series ?exclusive"
    r"|字幕由.{0,12}提供|字幕志愿者.{0,6}|中文字幕.{0,4}|字幕(?:提供|制作|组|君|by).{0,8}|社群提供"
    r"|(?:感谢|谢谢|多谢)(?:您|你|你们|大家)?的?(?:观看|收看)"
    r"|(?:我们)?下期(?:节目|视频)?再见|本期(?:视频|节目).{0,6}|(?:作曲|作词|编曲|词曲).{0,6}"
    r"|thanks? (?:you )?(?:so much )?for watching|see you in the next video"
    r"|(?:please )?(?:like and )?subscribe to (?:my|our|the) channel|please (?:like and )?subscribe"
    r"|(?:subtitles|captions?|transcri(?:bed|ption)|translat(?:ed|ion)) by.{0,24}"
)
_VIDEO_WORDS = re.compile(r"点赞|订阅|转发|打赏")
"""Each an ordinary word (a photo is 转发 to a chat group); credits only beside others of the kind."""
_CREDITS_SHARE = 0.6
"""A text is credits when this much of it is: a real sentence with a credit behind it is kept."""

_SILENCE_WORDS = frozenset(
    (
        *("you", "bye", "byebye", "the", "so", "oh", "thank you", "thanks", "okay"),
        *("谢谢", "谢谢大家", "再见", "拜拜", "嗯", "嗯嗯", "啊", "哎呀", "请问", "试试", "试试试", "试试试试"),
    )
)
"""Real words on any call, which Whisper also writes where nobody speaks. They are kept unless the acoustics are
weak."""

_LOOP = re.compile(r"((?!\d)(?:[^\d\s]|(?<=\D)\d|\s){1,24}?)\1{4,}")
"""A unit five times in a row or more. Digits do not count, because numbers are full of noughts."""

_FOREIGN = re.compile(r"[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f\u0590-\u05ff\u0900-\u097f]")

_FAILED_LOGPROB = -1.0
"""Whisper's own threshold for a failed decode."""
_NOTHING_LOGPROB = -1.4
_LIKELY_NO_SPEECH = 0.6
"""Whisper's own; below it speech, above it doubt."""
_CERTAIN_NO_SPEECH = 0.8
_PROMPTED_LOGPROB = -0.5
"""Whisper copies from a prompt with confidence even where nobody speaks. Then only the no-speech probability tells."""
_LEAST_LEAK = 2
_LONG_LIST = 3
"""Terms of the prompt, and nothing else, that no speaker says by chance."""
_LONG_LEAK = 12
"""Characters of the prompt in a row that no speaker says by chance."""
_BETWEEN_TERMS = re.compile("[、，。：,.:]")

_FASTEST = 15.0
"""Tokens a second. The fastest speakers reach 9; a token limit in the engine stops at about 12 in long stretches."""
_SLOWEST = 0.35
"""Tokens a second over a stretch of `_LONG` seconds that voice activity detection took for speech throughout."""
_LONG: Seconds = 6.0
_SLOWEST_TALK = 2.0
"""Characters a second over such a stretch; unhurried Mandarin has four, English three times as many letters."""


def filter_hallucination(transcript: Transcript, seconds: Seconds, prompt: str = "") -> Transcript:
    """What to keep of a transcript of `seconds` of speech that was decoded with `prompt`: its text is empty where that
    is nothing, and `filtered` says why. A text that is dropped leaves doubt: somebody may have spoken it, and more
    effort may show them to.
    """
    text = _FOREIGN.sub("", transcript.text)
    bare = comparable(text)
    reason = _nothing_said(transcript, text, prompt, seconds) or _credits(transcript, bare)
    if reason is None and _weak(transcript):
        reason = _odd(transcript, bare, seconds)
    if reason is not None:
        return replace(transcript, text="", filtered=reason, doubtful=transcript.doubtful or reason != "empty")
    kept = _LOOP.sub(r"\1", text)
    if kept != text:
        return replace(transcript, text=kept, filtered="repetition")
    return replace(transcript, text=text, filtered="foreign_script" if text != transcript.text else None)


def _weak(transcript: Transcript) -> bool:
    """Whether the acoustics alone do not support the text."""
    return transcript.avg_logprob < _FAILED_LOGPROB or (
        transcript.no_speech_prob > _LIKELY_NO_SPEECH and transcript.avg_logprob < _PROMPTED_LOGPROB
    )


def _nothing_said(transcript: Transcript, text: str, prompt: str, seconds: Seconds) -> FilterReason | None:
    """Whether the figures are those of a stretch without speech, or the text is empty."""
    if not comparable(text):
        return "foreign_script" if comparable(transcript.text) else "empty"
    logprob, no_speech = transcript.avg_logprob, transcript.no_speech_prob
    if prompt and _leaked(text, prompt, no_speech, seconds):
        return "leaked_prompt"
    if no_speech > _LIKELY_NO_SPEECH and logprob < _FAILED_LOGPROB:
        return "no_speech"
    if no_speech > _CERTAIN_NO_SPEECH and prompt and logprob < _PROMPTED_LOGPROB:
        return "no_speech"
    return None


def _leaked(text: str, prompt: str, no_speech: float, seconds: Seconds) -> bool:
    """The text is a long stretch of the prompt, or a list of its terms; or any of them, where probably nobody spoke, or
    where somebody spoke for far longer than it takes to say them; a loop says them once."""
    text = _LOOP.sub(r"\1", text)
    bare = comparable(text)
    stretch = bare in comparable(prompt)
    listed = _listed(text, prompt)
    if (stretch and len(bare) >= _LONG_LEAK) or listed >= _LONG_LIST:
        return True
    if not (stretch and len(bare) >= _LEAST_LEAK) and not listed:
        return False
    return no_speech > _LIKELY_NO_SPEECH or (seconds >= _LONG and len(bare) < _SLOWEST_TALK * seconds)


def _listed(text: str, prompt: str) -> int:
    """How many terms stand between the text's marks, where each is one of the prompt's or broken off one; else none."""
    terms, known = _terms(text), _terms(prompt)
    return len(terms) if all(any(term in whole for whole in known) for term in terms) else 0


def _terms(text: str) -> set[str]:
    """What stands between the marks."""
    return {comparable(part) for part in _BETWEEN_TERMS.split(text)} - {""}


def _credits(transcript: Transcript, bare: str) -> FilterReason | None:
    left, credits = _CREDITS.subn("", bare)
    fewer, words = _VIDEO_WORDS.subn("", left)
    if credits + words > 1:
        left = fewer
    if len(left) <= (1 - _CREDITS_SHARE) * len(bare):
        return "known_phrase"
    return "known_phrase" if bare in _SILENCE_WORDS and _weak(transcript) else None


def _odd(transcript: Transcript, bare: str, seconds: Seconds) -> FilterReason | None:
    """Whether the text has an odd form on weak acoustics."""
    if transcript.avg_logprob < _NOTHING_LOGPROB and transcript.no_speech_prob > _LIKELY_NO_SPEECH / 2:
        return "no_speech"
    looped = _LOOP.search(bare)
    if looped and len(looped[1]) <= 2:
        return "repetition"
    if transcript.tokens > 4 + _FASTEST * seconds or (seconds >= _LONG and transcript.tokens < _SLOWEST * seconds):
        return "pace"
    return None
