"""The OpenAPI document that the dashboard's types are made from."""

from __future__ import annotations

import json
from typing import Any

from service.web.openapi import DOCUMENT, document, text


def test_the_committed_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run `python -m service.web.openapi` and commit its result"


def test_live_messages_are_in_it_told_apart_by_type() -> None:
    schemas = document()["components"]["schemas"]
    assert set(schemas["LiveMessage"]["discriminator"]["mapping"]) == {
        "snapshot",
        "event",
        "levels",
        "partial",
        "health",
        "resync",
    }
    assert "type" in schemas["Event"]["required"]
    assert "LiveRequest" in schemas


def test_every_reference_leads_somewhere() -> None:
    schemas = document()["components"]["schemas"]
    parts = json.dumps(document()).split("#/components/schemas/")[1:]
    assert {part.split('"')[0] for part in parts} <= set(schemas)


def test_optional_fields_of_requests_stay_optional() -> None:
    schemas = document()["components"]["schemas"]
    assert "required" not in schemas["UserChange"]
    assert schemas["StateChange"]["required"] == ["state"]


def test_no_answer_holds_a_hash_or_password() -> None:
    schemas = document()["components"]["schemas"]
    secret = {name for name, schema in schemas.items() if {"password", "password_hash", "hash"} & set(_fields(schema))}
    assert secret == {"Credentials", "NewUser", "UserChange"}


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    return schema.get("properties", {})
