"""The error for a field that cannot be as a person says, for the command line and the API alike."""

from __future__ import annotations


class InvalidField(Exception):
    """What is said cannot be; `field` names the wrong field, and the message begins with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field.replace('_', ' ')} {message}")
        self.field = field


def require(holds: bool, field: str, otherwise: str) -> None:
    """Raises InvalidField."""
    if not holds:
        raise InvalidField(field, otherwise)
