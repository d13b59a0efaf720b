"""Which Origin headers are ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("https://calls.example", "calls.example", True),
        ("http://calls.example", "calls.example", True),
        ("https://calls.example:8443", "calls.example:8443", True),
        ("https://calls.example:8443", "calls.example", False),
        ("https://evil.example", "calls.example", False),
        ("http://[", "", False),
        ("http://[", PUBLIC, False),
        ("http://[", "http://[", False),
        ("http://wall.local:8080", "http://[", False),
        ("http://wall.local:99999", "", False),
        ("http://[::1]x", "", False),
        ("http://", "", False),
        ("http://\u2100.example", "", False),
    ],
)
def test_origins(origin: str | None, public_url: str, ours: bool) -> None:
    assert same_origin(origin, HOST, public_url) is ours


@given(
    origin=st.text(max_size=40) | st.text("htps:/[]@%.1\u2100", max_size=20),
    public_url=st.text("htps:/[]%.1", max_size=20),
)
def test_no_origin_is_an_error(origin: str, public_url: str) -> None:
    assert same_origin(origin, HOST, public_url) in (True, False)


def test_without_a_host_nothing_is_ours() -> None:
    assert not same_origin("http://wall.local", None, "")
