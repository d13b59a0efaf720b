"""How often, and whom: a call that is one too many, or goes to somebody who must not be called any more.

Earlier calls are those of the same debtor that are on record. A call that the debtor made or asked for counts against
nobody. Days are those of the debtor's calendar; where the zone is not known, a call is one too many only if it is in
every zone of the jurisdiction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Final

from asr.types import Seconds, Utterance
from detectors.contract import Bilingual, CallContext, EarlierContact, Finding, Jurisdiction, Observation
from detectors.packs.law import Counts, FrequencyLimit, NoContact
from detectors.packs.taxonomy import Category
from detectors.timezones.debtor import possible_zones
from detectors.timezones.zones import Zone

CATEGORY: Final = "excessive_frequency"

_COUNTED: Final[Mapping[Counts, Bilingual]] = {
    "calls": Bilingual(zh="{days} 天内第 {number} 次拨打。", en="Call {number} within {days} days. "),
    "conversations": Bilingual(zh="{days} 天内第 {number} 次通话。", en="Conversation {number} within {days} days. "),
    "unanswered": Bilingual(zh="{days} 天内第 {number} 次未接通。", en="Unanswered call {number} within {days} days. "),
    "since_conversation": Bilingual(zh="{days} 天内已经通过话。", en="There was a conversation within {days} days. "),
}


class ContactsDetector:
    """Tells each rule once a call. Without a history, metadata alone is judged."""

    id: ClassVar[str] = "contacts"

    def __init__(
        self,
        categories: Mapping[str, Category],
        frequency: Mapping[Jurisdiction, Mapping[str, FrequencyLimit]],
        no_contact: Mapping[str, NoContact],
    ) -> None:
        self._categories = categories
        self._frequency = frequency
        self._no_contact = no_contact

    def open(self, call: CallContext) -> ContactsCall:
        if _came_in(call.metadata):
            return ContactsCall({})
        told: dict[Counts, list[Finding]] = {"calls": list(self._unwelcome(call))}
        for rule, limit in self._frequency[call.jurisdiction].items():
            number = _count(limit, call)
            if number > limit.most and not _asked_for(call):
                counted = _COUNTED[limit.counts]
                before = Bilingual(
                    zh=counted.zh.format(number=number, days=limit.days),
                    en=counted.en.format(number=number, days=limit.days),
                )
                told.setdefault(limit.counts, []).append(self._finding(rule, CATEGORY, call, before))
        return ContactsCall(told)

    def _unwelcome(self, call: CallContext) -> Iterator[Finding]:
        for rule, flag in self._no_contact.items():
            if call.jurisdiction not in self._categories[flag.category].law:
                continue
            told_by = next((name for name in flag.metadata if _yes(call.metadata, name)), None)
            if told_by is not None:
                yield self._finding(rule, flag.category, call, _noted(told_by))
            elif (earlier := _told_before(flag, call)) is not None:
                yield self._finding(rule, flag.category, call, _asked_then(earlier))

    def _finding(self, rule: str, name: str, call: CallContext, before: Bilingual) -> Finding:
        """Its times are set when it is told."""
        category = self._categories[name]
        law = category.law[call.jurisdiction]
        return Finding(
            kind="violation",
            category=name,
            rule=rule,
            detector=ContactsDetector.id,
            severity=category.severity,
            score=1.0,
            role="agent",
            start=0.0,
            end=0.0,
            quote="",
            title=category.title,
            why=Bilingual(zh=before.zh + law.why.zh, en=before.en + law.why.en),
            cites=law.cites,
            decided_by_transcript=False,
        )


class ContactsCall:
    """What is to be told of one call: at once, when the debtor speaks, or at the end of a call that nobody answered."""

    def __init__(self, told: Mapping[Counts, Sequence[Finding]]) -> None:
        self._at_once = [*told.get("calls", ()), *told.get("since_conversation", ())]
        self._answered = list(told.get("conversations", ()))
        self._unanswered = list(told.get("unanswered", ()))

    def heard(self, utterance: Utterance) -> list[Observation]:
        if utterance.role != "customer":
            return self.elapsed(utterance.end)
        due, self._answered, self._unanswered = self._answered, [], []
        return [*self.elapsed(utterance.end), *_at(due, utterance.end)]

    def elapsed(self, at: Seconds) -> list[Observation]:
        due, self._at_once = self._at_once, []
        return [*_at(due, at)]

    def closed(self, at: Seconds) -> list[Observation]:
        due, self._unanswered = self._unanswered, []
        return [*self.elapsed(at), *_at(due, at)]


def _at(due: Sequence[Finding], at: Seconds) -> list[Finding]:
    return [replace(each, start=at, end=at) for each in due]


def _yes(metadata: Mapping[str, str], name: str) -> bool:
    return metadata.get(name, "").strip().lower() in {"yes", "true", "1"}


def _came_in(metadata: Mapping[str, str]) -> bool:
    return metadata.get("direction", "").strip().lower() == "inbound"


def _asked_for(call: CallContext) -> bool:
    """The debtor agreed to be called so often, or asked for a call when he was last spoken with."""
    last = next((each for each in call.history or () if _is_conversation(each)), None)
    return _yes(call.metadata, "contact_consent") or (last is not None and "callback" in last.said)


def _is_conversation(earlier: EarlierContact) -> bool:
    return {"agent", "customer"} <= set(earlier.spoke) and not earlier.said & {"third_party", "wrong_number"}


def _count(limit: FrequencyLimit, call: CallContext) -> int:
    """This call's number among those that are counted, by the calendar that counts fewest."""
    zones = possible_zones(call.timezone, call.metadata, call.jurisdiction)
    made = [
        each for each in call.history or () if not _came_in(each.metadata) and _may_be_one(limit.of_one, each, call)
    ]
    counted = [each for each in made if _counts(limit.counts, each)]
    return min(sum(_within(limit.days, each, call, zone) for each in counted) for zone in zones) + (
        limit.counts != "since_conversation"
    )


def _counts(counts: Counts, earlier: EarlierContact) -> bool:
    if counts == "calls":
        return True
    return "customer" not in earlier.spoke if counts == "unanswered" else _is_conversation(earlier)


def _within(days: int, earlier: EarlierContact, call: CallContext, zone: Zone) -> bool:
    """In the last days of the calendar, today among them; nothing that began after this call."""
    today = call.started_at.astimezone(zone.clock).date()
    day = earlier.started_at.astimezone(zone.clock).date()
    return today - timedelta(days=days) < day <= today and earlier.started_at <= call.started_at


def _may_be_one(field: str, earlier: EarlierContact, call: CallContext) -> bool:
    """Whether nothing tells that two calls were about different accounts, or to different numbers."""
    ours, theirs = call.metadata.get(field, ""), earlier.metadata.get(field, "")
    return not ours or not theirs or ours == theirs


def _told_before(flag: NoContact, call: CallContext) -> EarlierContact | None:
    """The last call in which it was said."""
    for earlier in call.history or ():
        same = not flag.of_one or earlier.metadata.get(flag.of_one, "") == call.metadata.get(flag.of_one) != ""
        if same and not earlier.said & flag.unless and any(group <= earlier.said for group in flag.said):
            return earlier
    return None


def _noted(field: str) -> Bilingual:
    return Bilingual(zh=f"网关已标明 {field}。", en=f"The gateway has told {field}. ")


def _asked_then(earlier: EarlierContact) -> Bilingual:
    day = earlier.started_at.date().isoformat()
    return Bilingual(
        zh=f"对方在 {day} 的通话（{earlier.call_id}）中已经提出。",
        en=f"Whoever answered said so on {day}, in call {earlier.call_id}. ",
    )
