"""Reads an integrator's metadata of a call."""

from __future__ import annotations

from collections.abc import Mapping


def is_yes(metadata: Mapping[str, str], field: str) -> bool:
    """Whether a field says yes, in one of the forms that gateways use."""
    return metadata.get(field, "").strip().lower() in {"yes", "true", "1"}


def is_inbound(metadata: Mapping[str, str]) -> bool:
    """Whether the debtor made the call."""
    return metadata.get("direction", "").strip().lower() == "inbound"
