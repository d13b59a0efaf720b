"""How often and whom an agent calls: a call that is one too many, or that goes to somebody who must not be called any
more.

Earlier calls are those of the same debtor on record. Calls that the debtor made or asked for do not count. Days are
those of the debtor's calendar. If the zone is not known, a call is one too many only if it is so in every zone of the
jurisdiction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Final

from asr.types import Seconds, Utterance
from detectors.contract import Bilingual, CallContext, EarlierContact, Finding, Jurisdiction, Observation, Said
from detectors.packs.findings import finding_of
from detectors.packs.law import Counts, FrequencyLimit, NoContact
from detectors.packs.taxonomy import Category
from detectors.rules.metadata import is_inbound, is_yes
from detectors.rules.right_party import RightPartyCheck, RightPartyWatch
from detectors.timezones.debtor import possible_zones
from detectors.timezones.zones import Zone

CATEGORY: Final = "excessive_frequency"
LEAST_SCORE: Final = 0.9
"""A statement of an earlier call must be this sure before somebody is blamed for what follows from it."""
ASKED_FOR: Final = timedelta(days=7)
"""For so long after the debtor asked for a call, calls count as asked for."""

_OF_A_DAY: Final = Bilingual(zh="当日", en="today")
_OF_DAYS: Final = Bilingual(zh="{days} 天内", en="within {days} days")
_COUNTED: Final[Mapping[Counts, Bilingual]] = {
    "calls": Bilingual(zh="{when}第 {number} 次拨打。", en="Call {number} {when}. "),
    "conversations": Bilingual(zh="{when}第 {number} 次通话。", en="Conversation {number} {when}. "),
    "unanswered": Bilingual(zh="{when}第 {number} 次未接通。", en="Unanswered call {number} {when}. "),
    "since_conversation": Bilingual(zh="{when}已经通过话。", en="There was a conversation {when}. "),
}
_BY_OTHERS: Final[frozenset[Said]] = frozenset({"third_party", "wrong_number", "asks_identity"})
"""Statements that do not show that the debtor has answered."""


class ContactsDetector:
    """Tells each rule once in a call. Without a history only the metadata are judged."""

    id: ClassVar[str] = "contacts"

    def __init__(
        self,
        categories: Mapping[str, Category],
        frequency: Mapping[Jurisdiction, Mapping[str, FrequencyLimit]],
        no_contact: Mapping[str, NoContact],
        right_party: RightPartyCheck,
    ) -> None:
        self._categories = categories
        self._frequency = frequency
        self._no_contact = no_contact
        self._right_party = right_party

    def open(self, call: CallContext) -> ContactsCall:
        if is_inbound(call.metadata):
            return ContactsCall({}, self._right_party.open())
        earlier = tuple(each for each in call.history or () if each.started_at <= call.started_at)
        call = replace(call, history=earlier)
        welcome = is_yes(call.metadata, "contact_consent") or _asked_for(call)
        told: dict[Counts, list[Finding]] = {"calls": list(self._unwelcome(call, welcome=welcome))}
        for rule, limit in {} if welcome else self._frequency[call.jurisdiction].items():
            number = _count(limit, call)
            if number > limit.most:
                told.setdefault(limit.counts, []).append(self._finding(rule, CATEGORY, call, _counted(limit, number)))
        return ContactsCall(told, self._right_party.open())

    def _unwelcome(self, call: CallContext, *, welcome: bool) -> Iterator[Finding]:
        for rule, flag in self._no_contact.items():
            if call.jurisdiction not in self._categories[flag.category].law:
                continue
            told_by = next((name for name in flag.metadata if is_yes(call.metadata, name)), None)
            if told_by is not None:
                yield self._finding(rule, flag.category, call, _noted(told_by))
            elif not welcome and (earlier := _told_before(flag, call)) is not None:
                yield self._finding(rule, flag.category, call, _asked_then(earlier, call))

    def _finding(self, rule: str, name: str, call: CallContext, before: Bilingual) -> Finding:
        """Its times are set when it is told."""
        return finding_of(
            self._categories[name],
            call.jurisdiction,
            rule=rule,
            detector=ContactsDetector.id,
            score=1.0,
            start=0.0,
            end=0.0,
            before=before,
            decided_by_transcript=False,
        )


class ContactsCall:
    """The findings of one call. They are told when the debtor is known to listen, or at the end of a call that nobody
    answered."""

    def __init__(self, told: Mapping[Counts, Sequence[Finding]], right_party: RightPartyWatch) -> None:
        self._right_party = right_party
        self._at_once = [*told.get("calls", ()), *told.get("since_conversation", ())]
        self._with_debtor = list(told.get("conversations", ()))
        self._unanswered = list(told.get("unanswered", ()))

    def heard(self, utterance: Utterance) -> list[Observation]:
        if utterance.role == "customer":
            self._unanswered = []
        if self._with_debtor:  # for the few calls that somebody's answer matters to
            self._right_party.heard(utterance)
        if self._right_party.confirmed_at is None:
            return self.elapsed(utterance.end)
        due, self._with_debtor = self._with_debtor, []
        return [*self.elapsed(utterance.end), *_at(due, utterance.end)]

    def elapsed(self, at: Seconds) -> list[Observation]:
        due, self._at_once = self._at_once, []
        return [*_at(due, at)]

    def closed(self, at: Seconds) -> list[Observation]:
        due, self._unanswered = self._unanswered, []
        return [*self.elapsed(at), *_at(due, at)]


def _at(due: Sequence[Finding], at: Seconds) -> list[Finding]:
    return [replace(each, start=at, end=at) for each in due]


def _asked_for(call: CallContext) -> bool:
    """Whether the debtor has asked for a call when last spoken with, or has called since, within the last days."""
    last = next((each for each in call.history or () if is_inbound(each.metadata) or _is_conversation(each)), None)
    if last is None or call.started_at - last.started_at > ASKED_FOR:
        return False
    return is_inbound(last.metadata) or "callback" in last.said


def _is_conversation(earlier: EarlierContact) -> bool:
    """Whether the debtor has spoken in person: no machine, and nobody else."""
    said = set(earlier.said)
    return bool(said - _BY_OTHERS) and not said & {"third_party", "wrong_number"}


def _count(limit: FrequencyLimit, call: CallContext) -> int:
    """The number of this call among those that count, by the calendar in which the fewest do."""
    if limit.counts == "unanswered" and "customer" not in call.legs:
        return 0
    zones = possible_zones(call.timezone, call.metadata, call.jurisdiction)
    made = [
        each for each in call.history or () if not is_inbound(each.metadata) and _may_be_one(limit.of_one, each, call)
    ]
    counted = [each for each in made if _counts(limit.counts, each)]
    before = min(sum(_within(limit.days, each, call, zone) for each in counted) for zone in zones)
    return before if limit.counts == "since_conversation" else before + 1


def _counts(counts: Counts, earlier: EarlierContact) -> bool:
    if counts == "calls":
        return True
    if counts == "unanswered":
        return earlier.duration > 0 and "customer" in earlier.legs and "customer" not in earlier.spoke
    return _is_conversation(earlier)


def _within(days: int, earlier: EarlierContact, call: CallContext, zone: Zone) -> bool:
    """Whether an earlier call lies in the last days of the calendar, today among them."""
    today = call.started_at.astimezone(zone.clock).date()
    return today - timedelta(days=days) < earlier.started_at.astimezone(zone.clock).date()


def _may_be_one(field: str, earlier: EarlierContact, call: CallContext) -> bool:
    """Whether two calls may concern the same account or number: nothing says otherwise."""
    ours, theirs = call.metadata.get(field, ""), earlier.metadata.get(field, "")
    return not ours or not theirs or ours == theirs


def _told_before(flag: NoContact, call: CallContext) -> EarlierContact | None:
    """The last earlier call in which it was said."""
    for earlier in call.history or ():
        same = not flag.of_one or earlier.metadata.get(flag.of_one, "") == call.metadata.get(flag.of_one) != ""
        sure = {kind for kind, score in earlier.said.items() if score >= LEAST_SCORE}
        if same and not earlier.said.keys() & flag.unless and any(group <= sure for group in flag.said):
            return earlier
    return None


def _counted(limit: FrequencyLimit, number: int) -> Bilingual:
    counted, when = _COUNTED[limit.counts], _OF_A_DAY if limit.days == 1 else _OF_DAYS
    return Bilingual(
        zh=counted.zh.format(number=number, when=when.zh.format(days=limit.days)),
        en=counted.en.format(number=number, when=when.en.format(days=limit.days)),
    )


def _noted(field: str) -> Bilingual:
    return Bilingual(zh=f"网关已标明 {field}。", en=f"The gateway has told {field}. ")


def _asked_then(earlier: EarlierContact, call: CallContext) -> Bilingual:
    zone = possible_zones(call.timezone, call.metadata, call.jurisdiction)[0]
    day = earlier.started_at.astimezone(zone.clock).date().isoformat()
    return Bilingual(
        zh=f"对方在 {day} 的通话（{earlier.call_id}）中已经提出。",
        en=f"Whoever answered said so on {day}, in call {earlier.call_id}. ",
    )
