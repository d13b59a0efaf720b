"""Which Origin headers are ours."""

from __future__ import annotations

import pytest

from service.web.origin import same_origin

HOST, PUBLIC = "wall.local:8080", "https://calls.example"


@pytest.mark.parametrize(
    ("origin", "public_url", "ours"),
    [
        (None, "", True),
        (None, PUBLIC, True),
        ("http://wall.local:8080", "", True),
        ("https://WALL.local:8080", "", True),
        ("http://wall.local", "", False),
        ("http://wall.local:8080.evil.example", "", False),
        ("null", "", False),
        ("", "", False),
        ("file://wall.local:8080", "", False),
        ("https://calls.example", PUBLIC, True),
        ("https://calls.example:443", PUBLIC, True),
        ("https://calls.example", PUBLIC + "/", True),
        ("http://calls.example", PUBLIC, False),
        ("http://wall.local:8080", PUBLIC, False),
        ("https://calls.example:x", "https://calls.example:x", False),
    ],
)
def test_origins(origin: str | None, public_url: str, ours: bool) -> None:
    assert same_origin(origin, HOST, public_url) is ours


def test_without_a_host_nothing_is_ours() -> None:
    assert not same_origin("http://wall.local", None, "")
