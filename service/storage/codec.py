"""Converts facts, rows and text between values and what the tables hold. Pure; pydantic checks dataclasses both
ways."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import RowMapping

from asr.types import Utterance, Word
from detectors.contract import Finding, Sentiment
from service.ingest.source import Source
from service.record.facts import (
    FACT,
    Alert,
    AlertChanged,
    AlertRaised,
    CallOpened,
    Fact,
    FindingMade,
    FindingWithdrawn,
    GapMarked,
    NoteWritten,
    Notice,
    StatementMade,
    UtteranceHeard,
    WordsTimed,
)
from service.record.outgoing import RuleCount
from service.record.summary import CallSummary
from service.record.webhook import Delivery, Webhook
from service.storage.port import AuditEntry, GatewayKey, Unstorable, User

T = TypeVar("T")

SUMMARY: TypeAdapter[CallSummary] = TypeAdapter(CallSummary)
UTTERANCE: TypeAdapter[Utterance] = TypeAdapter(Utterance)
WORDS: TypeAdapter[tuple[Word, ...]] = TypeAdapter(tuple[Word, ...])
SENTIMENT: TypeAdapter[Sentiment] = TypeAdapter(Sentiment)
FINDING: TypeAdapter[Finding] = TypeAdapter(Finding)
ALERT: TypeAdapter[Alert] = TypeAdapter(Alert)
GAP: TypeAdapter[GapMarked] = TypeAdapter(GapMarked)
NOTICE: TypeAdapter[Notice] = TypeAdapter(Notice)
WITHDRAWAL: TypeAdapter[FindingWithdrawn] = TypeAdapter(FindingWithdrawn)
STATEMENT: TypeAdapter[StatementMade] = TypeAdapter(StatementMade)
NOTE: TypeAdapter[NoteWritten] = TypeAdapter(NoteWritten)
USER: TypeAdapter[User] = TypeAdapter(User)
SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
KEY: TypeAdapter[GatewayKey] = TypeAdapter(GatewayKey)
AUDIT: TypeAdapter[AuditEntry] = TypeAdapter(AuditEntry)
WEBHOOK: TypeAdapter[Webhook] = TypeAdapter(Webhook)
DELIVERY: TypeAdapter[Delivery] = TypeAdapter(Delivery)
RULE_COUNT: TypeAdapter[RuleCount] = TypeAdapter(RuleCount)

_LONGEST_IDENTIFIER = 1024
"""Bytes. PostgreSQL refuses an index entry over 2704 bytes, and some indexes hold two identifiers."""

_REFUSED = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL refuses NUL, UTF-8 refuses lone surrogates."""


def storable_text(text: str) -> str:
    """The text with U+FFFD, the sign for what could not be represented, in place of each refused character.

    Replaced and not dropped: offsets keep their meaning, and a reader sees that something was there.
    """
    return _REFUSED.sub("\N{REPLACEMENT CHARACTER}", text)


def json_text(value: Any) -> str:
    """JSON for a database's column: short, and readable in any script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def storable(fact: Fact, call_id: str) -> tuple[Fact, str]:
    """The fact as it can be stored in call `call_id`, and its JSON. They are one: reading the JSON gives the fact.

    Text no database takes is replaced (see `storable_text`). Raises Unstorable for what JSON cannot carry (NaN,
    infinity), a wrong type, an overlong identifier, or a fact that belongs to another call. Its message, which gets
    logged, has nothing of what was said.
    """
    try:
        payload = _json_of(fact)
        stored = FACT.validate_json(payload)
    except ValidationError as error:
        places = [".".join(map(str, wrong["loc"])) + ": " + wrong["msg"] for wrong in error.errors(include_input=False)]
        raise Unstorable(f"{fact.type} fact of call {call_id} cannot be stored: {'; '.join(places)}") from None
    except PydanticSerializationError as error:
        raise Unstorable(f"{fact.type} fact of call {call_id} cannot be stored: {type(error).__name__}") from None
    _check_identifiers(stored, call_id)
    return stored, payload.decode()


def _json_of(fact: Fact) -> bytes:
    try:
        payload = FACT.dump_json(fact, warnings="none")  # what it would warn of, the reader refuses
    except PydanticSerializationError:  # a lone surrogate, most likely
        pass
    else:
        if b"\\u0000" not in payload:  # how JSON writes NUL; rare enough to look closer
            return payload
    return FACT.dump_json(FACT.validate_python(_cleaned(FACT.dump_python(fact, warnings="none"))))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


def _check_identifiers(fact: Fact, call_id: str) -> None:
    identifiers, owner = _identifiers(fact, call_id)
    if owner != call_id:
        raise Unstorable(f"{fact.type} fact belongs to call {owner}, not to call {call_id}")
    for identifier in identifiers:
        if len(identifier.encode()) > _LONGEST_IDENTIFIER:
            raise Unstorable(f"{fact.type} fact: identifier over {_LONGEST_IDENTIFIER} bytes: {identifier[:40]}…")


def _identifiers(fact: Fact, call_id: str) -> tuple[tuple[str, ...], str]:
    """The identifiers that the fact brings into an index, and the call that it names."""
    match fact:
        case CallOpened(call=call):
            return (call.id, call.agent), call.id
        case UtteranceHeard(utterance=utterance):
            return (utterance.id,), utterance.call_id
        case WordsTimed(utterance_id=utterance_id):
            return (utterance_id,), call_id
        case FindingMade(finding=finding):
            return (finding.category,), call_id
        case AlertRaised(alert=alert):
            return (alert.id,), alert.call_id
        case AlertChanged(alert_id=alert_id):
            return (alert_id,), call_id
        case FindingWithdrawn(alert_id=str(alert_id)):
            return (alert_id,), call_id
        case _:
            return (), call_id


def row_of(adapter: TypeAdapter[T], value: T) -> dict[str, Any]:
    """Column values by field name; what is nested becomes dicts and tuples for a JSON column."""
    return adapter.dump_python(value)


def value_of(adapter: TypeAdapter[T], row: RowMapping) -> T:
    """The dataclass a row holds. Columns the dataclass lacks are left aside."""
    return adapter.validate_python(dict(row))


def key_row(key: GatewayKey) -> dict[str, Any]:
    """The `gateway_keys` row of a key, which names its source."""
    return {**row_of(KEY, key), "source": key.source.name}


def key_of(row: RowMapping) -> GatewayKey:
    """The key of a `gateway_keys` row with the `sources` row of its source beside it."""
    return KEY.validate_python({**row, "source": value_of(SOURCE, row)})


def summary_row(summary: CallSummary) -> dict[str, Any]:
    """The `calls` row of a summary."""
    call = summary.call
    return {
        "id": call.id,
        "seq": summary.seq,
        "state": summary.state,
        "source": call.source,
        "agent": call.agent,
        "customer": call.customer,
        "language": call.language,
        "jurisdiction": call.jurisdiction,
        "started_at": call.started_at,
        "ended_at": summary.ended_at,
        "duration": summary.duration,
        "risk": summary.risk,
        "alert_count": sum(summary.alerts.values()),
        "summary": SUMMARY.dump_json(summary).decode(),
    }
