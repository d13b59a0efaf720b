"""Which language a stretch of speech is in, Mandarin or English. Pure. Log odds are for Mandarin, in nats.

What was expected costs nothing, how well a text fits comes with it, and the model's own detector costs a sixth of
greedy decoding. So a stretch is decoded in the language its party speaks; where the text fits badly the detector is
asked, and where that leaves doubt the other language is tried too. Forced to the wrong language Whisper translates, or
writes down what sounds alike: fluent, and far less likely than the words that were said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from asr.engines.whisper.decoding import says_twice
from asr.languages import likelier, traits_of
from asr.types import LANGUAGES, Language, Seconds, Transcript

KNOWN = 1.0
"""The log odds from which a party's language counts as known. Speech is decoded in a known language before anything
else is asked."""
_FITS = -0.7
"""Average log probability. Of 277 stretches of 0.6 to 14 s none in the wrong language was as likely, but for loops, and
half of those in the right one were; of 5 s and more five in six."""
_SURE = 2.0
_WORTH = 3.0
"""Odds that a nat of average log probability is worth."""
_ODD_FORM = -0.5
"""Nats that a loop, or a text in the other language's script, is less likely than it looks."""
_SHORT_IS_ENGLISH = 1.0
"""Odds by which the detector takes a second of Mandarin for English, and ever less up to 3 s."""
_CONFIRMED = 1.5
"""Odds that a text which fits tells of its language."""
_WHOLE: Seconds = 3.0
_SLOW = 2.2
"""Characters a second; both languages are spoken at four and more."""
_MORE = 1.1
_CHARACTERS_A_WORD = 1.5
_GREATEST_COMPRESSION = 2.0
_LEAST = 1e-4
_MARKERS: dict[Language, tuple[str, ...]] = {"zh": ("<|zh|>", "<|yue|>"), "en": ("<|en|>",)}
_HAN = re.compile("[\\u3400-\\u4dbf\\u4e00-\\u9fff]")
_LATIN = re.compile("[A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """The belief about one stretch. `leaning`: the log odds before the stretch was looked at. `detected`: the
    detector's log odds, 0 if it was not asked."""

    leaning: float
    detected: float = 0.0

    @property
    def odds(self) -> float:
        """Log odds of the language; `likelier` says which way they point."""
        return self.leaning + self.detected

    @property
    def language(self) -> Language:
        """The likelier one."""
        return likelier(self.odds)

    def contested(self, found: Transcript, seconds: Seconds) -> bool:
        """Whether the stretch should also be decoded in the other language, although this text was found in the
        likelier one."""
        if says_little(found.text, seconds):  # the rest may be in the other language, whatever the party speaks
            return towards(found.language, self.detected) < _SURE
        return towards(found.language, self.odds) < _SURE or not written_in(found.language, found.text)

    def evidence(self, found: Transcript, other: Transcript) -> float:
        """The log odds by the detector and by both texts, without what had been expected."""
        return self.detected + towards(found.language, _WORTH * (_fit(found) - _fit(other)))

    def better(self, found: Transcript, other: Transcript, seconds: Seconds) -> Transcript:
        """The text, of those found in two languages, that holds what was said.

        If a speaker switches within a stretch, the model writes down one language and leaves out the other. Asked for
        the right one, it may write neither.
        """
        if says_little(found.text, seconds):
            for one, less in ((found, other), (other, found)):
                if fits(one) and _units(one.text) > _MORE * _units(less.text):
                    return one
        odds = self.leaning + self.evidence(found, other)
        return found if towards(found.language, odds) >= 0 else other


def choose(
    leanings: Sequence[float],
    lengths: Sequence[Seconds],
    listen: Callable[[Sequence[int]], Sequence[float]],
    recognise: Callable[[Sequence[tuple[int, Language]]], Sequence[Transcript]],
) -> list[Transcript]:
    """The transcript of each stretch, of these lengths. Its `language_odds` tell what the detector and the texts
    showed.

    `listen` gives the detector's odds of the stretches at some places, `recognise` their texts in some languages.
    """
    beliefs = [Belief(leaning=leaning) for leaning in leanings]

    def ask(places: Sequence[int]) -> None:
        for place, odds in zip(places, listen(places) if places else (), strict=True):
            beliefs[place] = replace(beliefs[place], detected=odds)

    unknown = [place for place, leaning in enumerate(leanings) if abs(leaning) < KNOWN]
    ask(unknown)
    found = list(recognise([(place, belief.language) for place, belief in enumerate(beliefs)]))
    doubted = [place for place, each in enumerate(found) if not fits(each) or says_little(each.text, lengths[place])]
    ask([place for place in doubted if place not in unknown])
    chosen = [
        replace(each, language_odds=belief.detected + towards(each.language, 0.0 if place in doubted else _CONFIRMED))
        for place, (each, belief) in enumerate(zip(found, beliefs, strict=True))
    ]
    contested = [place for place in doubted if beliefs[place].contested(found[place], lengths[place])]
    others = recognise([(place, other_than(found[place].language)) for place in contested]) if contested else ()
    for place, other in zip(contested, others, strict=True):
        belief, each = beliefs[place], found[place]
        better = belief.better(each, other, lengths[place])
        chosen[place] = replace(better, language_odds=belief.evidence(each, other))
    return [_as_written(each) for each in chosen]


def other_than(language: Language) -> Language:
    """The language that it is if it is not this one."""
    return next(other for other in LANGUAGES if other != language)


def towards(language: Language, odds: float) -> float:
    """The odds for that language."""
    return traits_of(language).odds_sign * odds


def log_odds(guess: Sequence[tuple[str, float]], seconds: Seconds) -> float:
    """What Whisper's detector, (marker, probability) of every language it knows, says of our two in so much speech."""
    probability = dict(guess)
    zh, en = (sum(probability.get(marker, 0.0) for marker in _MARKERS[language]) for language in ("zh", "en"))
    told = math.log(max(zh, _LEAST)) - math.log(max(en, _LEAST))
    return told + _SHORT_IS_ENGLISH * min(1.0, max(0.0, (3.0 - seconds) / 2))


def fits(found: Transcript) -> bool:
    """Whether a text is so likely in its language that no other need be thought of."""
    return found.avg_logprob >= _FITS and not _odd(found)


def says_little(text: str, seconds: Seconds) -> bool:
    """Whether a text is short for so much speech: part of it may have been left out."""
    return seconds >= _WHOLE and _units(text) < _SLOW * seconds


def written_in(language: Language, text: str) -> bool:
    """Whether a text is written as its language is; words of the other may stand in it, and numbers are of both."""
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    own, others = (latin, han) if traits_of(language).spaced else (han, latin)
    return own >= others or not others


def _as_written(found: Transcript) -> Transcript:
    """Asked for one language Whisper at times writes down the other, as it was said."""
    other = other_than(found.language)
    return found if written_in(found.language, found.text) else replace(found, language=other)


def _fit(found: Transcript) -> float:
    return found.avg_logprob + (_ODD_FORM if _odd(found) else 0.0)


def _units(text: str) -> float:
    """How much is said, in characters of Chinese."""
    return len(_HAN.findall(text)) + _CHARACTERS_A_WORD * len(_LATIN.findall(text))


def _odd(found: Transcript) -> bool:
    looped = found.compression_ratio > _GREATEST_COMPRESSION or says_twice(found.text)
    return looped or not written_in(found.language, found.text)
