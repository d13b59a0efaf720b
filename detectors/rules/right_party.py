"""Whether the right party is confirmed. Debt may be spoken of only after an answer has confirmed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from asr.types import LANGUAGES, Seconds, Utterance
from detectors.matching.pattern import PatternError
from detectors.packs.loader import PackVocabulary
from detectors.packs.taxonomy import PACKS, PackError, read_yaml
from detectors.rules.answers import ORDER, Act, AnswerPatterns, murmurs_of
from detectors.rules.person_names import AskedNames, NameWords
from detectors.rules.wording import Clause, Patterns, clauses, compile_patterns, read, says

ANSWER_WITHIN: Seconds = 12.0
"""A yes later than this after the agent's last word answers something else."""

Question = Literal["relation", "thing", "request", "person", "open", "details", "else"]
"""The subject of an agent's question: the person's kin or number, a thing, the person, the listener as the person, any
name, something that only the person knows, or anything else."""
_QUESTIONS: tuple[Question, ...] = get_args(Question)
_OF_THE_PERSON: frozenset[Question] = frozenset({"request", "person"})
_OF_LITTLE_WEIGHT: frozenset[Question] = frozenset({"thing", "else"})
"""These questions do not replace "is this John?" if they follow it in one breath ("do you have a minute?")."""

Standing = Literal["unknown", "refused", "other", "confirmed"]
"""Who is on the line: not known; somebody who said no; somebody else or a machine; the right party."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RightPartyCheck:
    """The patterns, compiled once for all calls."""

    asks: Mapping[Question, Patterns]
    not_asked: Patterns
    name_words: NameWords
    answers: AnswerPatterns

    def open(self) -> RightPartyWatch:
        """A watch of one call."""
        return RightPartyWatch(self)

    def question(self, clause: str) -> Question | None:
        """What a clause of the agent asks."""
        reading = read(clause)
        return next((each for each in _QUESTIONS if each != "details" and reading.says(self.asks[each])), None)


class RightPartyWatch:
    """Follows one call. `confirmed_at` is the end of the customer's confirming answer, None until then, and again None
    from when somebody else takes the telephone."""

    def __init__(self, patterns: RightPartyCheck) -> None:
        self._patterns = patterns
        self._names = AskedNames(patterns.name_words)
        self._standing: Standing = "unknown"
        self._question: Question | None = None
        self._asked = False  # for the person, in whatever words
        self._details_asked = False
        self._agent_spoke_at: Seconds = 0.0
        self.confirmed_at: Seconds | None = None

    @property
    def denied(self) -> bool:
        """Whether somebody else has answered, and the right party has not come to the telephone since."""
        return self._standing in ("refused", "other")

    def heard(self, utterance: Utterance) -> None:
        """One utterance of either party."""
        if utterance.role == "agent":
            self._hear_agent(utterance)
        else:
            self._hear_customer(utterance)

    def _hear_agent(self, utterance: Utterance) -> None:
        self._agent_spoke_at = utterance.end
        questions: list[Question] = []  # in order
        for clause in clauses(utterance.text):
            question = self._question_of(clause)
            if question in _OF_THE_PERSON:
                self._names.asked(clause.text, self._patterns.asks[question])
            if question is not None:
                questions.append(question)
        self._question = _weightiest(questions) or self._question
        self._asked = self._asked or any(each in (*_OF_THE_PERSON, "open") for each in questions)
        if says(utterance.text, self._patterns.asks["details"]):
            self._details_asked = not says(utterance.text, self._patterns.not_asked)

    def _question_of(self, clause: Clause) -> Question | None:
        question = self._patterns.question(clause.text)
        if question in (None, "else") and not self._asked and self._names.called(clause):
            return "person"
        return question or ("else" if clause.asked else None)

    def _hear_customer(self, utterance: Utterance) -> None:
        acts = self._patterns.answers.read(utterance.text, self._names)
        in_time = utterance.start - self._agent_spoke_at <= ANSWER_WITHIN
        for at, act in enumerate(acts):
            if act == "hands_over":
                self._question, self._details_asked = None, False  # whoever comes has been asked nothing yet
            known = self.confirmed_at is not None or "names" in acts[:at]
            self._standing = self._after(act, acts[at + 1 :], known=known, in_time=in_time)
        if self._standing != "confirmed":
            self.confirmed_at = None
        elif self.confirmed_at is None:
            self.confirmed_at = utterance.end

    def _after(self, act: Act, then: tuple[Act, ...], *, known: bool, in_time: bool) -> Standing:
        """Who is on the line after an act, given the acts that follow it in the same answer. `known`: a name was
        given."""
        if act == "hands_over":
            return "unknown"
        if act in ("voicemail", "other"):
            return "other"
        if known and self._standing == "confirmed":
            return "confirmed"  # "he is not here" is said of somebody else
        if act in ("absent", "elsewhere"):
            return "other"
        if act == "refuses" and self._question in _OF_THE_PERSON and self._standing != "other":
            return "refused"
        return "confirmed" if self._confirms(act, then, in_time=in_time) else self._standing

    def _confirms(self, act: Act, then: tuple[Act, ...], *, in_time: bool) -> bool:
        if act == "names":
            return self._asked
        if act == "owns":
            return self._standing != "other"
        if act == "details":
            return self._details_asked and self._standing != "other"
        if act == "murmurs" and "asks_back" in then:
            return False
        return act in ("affirms", "murmurs") and in_time and self._is_yes_to_the_person(then)

    def _is_yes_to_the_person(self, then: tuple[Act, ...]) -> bool:
        """Whether a yes is about the person. Asked for somebody, a receptionist says "yes, may I ask who is
        calling?"."""
        if self._question == "request":
            return self._standing != "other" and "screens" not in then
        return self._question == "person"


def _weightiest(questions: Sequence[Question]) -> Question | None:
    """The last question of weight, or else the last one."""
    last: Question | None = None
    for each in questions:
        if last is None or last in _OF_LITTLE_WEIGHT or each not in _OF_LITTLE_WEIGHT:
            last = each
    return last


def load_right_party_check(vocabulary: PackVocabulary, path: Path = PACKS / "right_party.yaml") -> RightPartyCheck:
    """Read right_party.yaml. Raises PackError."""
    raw = read_yaml(path)
    try:
        return RightPartyCheck(
            asks={each: compile_patterns(raw["asks"][each], vocabulary) for each in _QUESTIONS},
            not_asked=compile_patterns(raw["not_asked"], vocabulary),
            name_words=_name_words(raw["no_names"], raw["greetings"]),
            answers=_answers(raw["answers"], vocabulary),
        )
    except (KeyError, TypeError, AttributeError, PatternError) as problem:
        raise PackError(f"{path.name}: {problem}") from problem


def _answers(raw: Any, vocabulary: PackVocabulary) -> AnswerPatterns:
    words = (str(word) for language in LANGUAGES for word in raw["murmurs"].get(language, ()))
    return AnswerPatterns(
        acts={act: compile_patterns(raw[act], vocabulary) for act in ORDER if act != "murmurs"},
        murmurs=murmurs_of(words),
        name_leads=compile_patterns(raw["name_leads"], vocabulary),
        name_tails=compile_patterns(raw["name_tails"], vocabulary),
    )


def _name_words(no_names: Any, greetings: Any) -> NameWords:
    words = frozenset(map(str, greetings["en"]))
    return NameWords(
        none={"zh": frozenset(no_names["zh"]), "en": words.union(map(str, no_names["en"]))}, greetings=words
    )
