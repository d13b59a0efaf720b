"""A vendor's signature is right for its token and the public URL, however that is spelt, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.signatures import (
    plivo_signature,
    signed_by_plivo,
    signed_by_signalwire,
    signed_by_twilio,
    spellings,
    twilio_signature,
)

Check = Callable[[str, str, Mapping[str, str]], bool]

TOKEN = "0123456789abcdef0123456789abcdef"
URL = "wss://calls.example.org/v1/twilio/pbx?site=1"
TWILIO = "N8sbM0eLFMBmK9q6GIscf6ozjzs="
"""Of this token and URL, as `openssl dgst -sha1 -hmac` computes it."""
NONCE = "12345678901234567890"
PLIVO = "poRFp0B67XkMtffab6d8Uc27UO9+/74NXDv8uQphhE0="
"""Of these and `URL.NONCE`, as `openssl dgst -sha256 -hmac` computes it."""


def test_twilios_own_example() -> None:
    """In which a webhook's parameters follow the URL."""
    parameters = "CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212"
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url + parameters) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_known_answers() -> None:
    assert twilio_signature(TOKEN, URL) == TWILIO
    assert plivo_signature(TOKEN, URL, NONCE) == PLIVO


@pytest.mark.parametrize(("check", "header"), [(signed_by_twilio, "twilio"), (signed_by_signalwire, "signalwire")])
def test_a_url_is_right_with_its_port_and_without(check: Check, header: str) -> None:
    for signed in (URL, URL.replace("org/", "org:443/"), URL.replace("wss:", "https:")):
        sent = {f"x-{header}-signature": twilio_signature(TOKEN, signed)}
        for public in (URL, URL.replace("org/", "org:443/"), URL.replace("wss:", "https:")):
            assert check(TOKEN, public, sent), (signed, public)


@pytest.mark.parametrize(("check", "header"), [(signed_by_twilio, "twilio"), (signed_by_signalwire, "signalwire")])
def test_anything_else_is_wrong(check: Check, header: str) -> None:
    name = f"x-{header}-signature"
    for sent in ({}, {name: ""}, {name: TWILIO[:-2] + "A="}, {"x-other-signature": TWILIO}, {name: "é"}):
        assert not check(TOKEN, URL, sent), sent
    for public in (URL[:-1] + "2", URL.partition("?")[0], URL.replace("calls", "other"), URL.replace("wss", "ws")):
        assert not check(TOKEN, public, {name: TWILIO}), public
    assert not check(TOKEN[:-1] + "0", URL, {name: TWILIO})
    assert not check("", URL, {name: TWILIO})


def test_another_vendors_header_says_nothing() -> None:
    assert not signed_by_signalwire(TOKEN, URL, {"x-twilio-signature": TWILIO})
    assert not signed_by_twilio(TOKEN, URL, {"x-signalwire-signature": TWILIO})


@pytest.mark.parametrize("name", ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"])
def test_plivo_signs_for_the_account_or_its_main_one_and_may_leave_the_query_out(name: str) -> None:
    bare = URL.partition("?")[0]
    for signed in (URL, bare, URL.replace("wss:", "https:"), bare.replace("org/", "org:443/")):
        sent = {name: f"other, {plivo_signature(TOKEN, signed, NONCE)}", "x-plivo-signature-v3-nonce": NONCE}
        assert signed_by_plivo(TOKEN, URL, sent), signed


def test_plivos_query_is_signed_in_order_of_its_names() -> None:
    url = "wss://calls.example.org/v1/plivo/pbx?b=2&a=1"
    sent = {
        "x-plivo-signature-v3": plivo_signature(TOKEN, url.replace("b=2&a=1", "a=1&b=2"), NONCE),
        "x-plivo-signature-v3-nonce": NONCE,
    }
    assert signed_by_plivo(TOKEN, url, sent)


def test_anything_else_is_no_plivo_signature() -> None:
    good = {"x-plivo-signature-v3": PLIVO, "x-plivo-signature-v3-nonce": NONCE}
    assert signed_by_plivo(TOKEN, URL, good)
    for name, value in (
        ("x-plivo-signature-v3", ""),
        ("x-plivo-signature-v3", PLIVO[:-2] + "A="),
        ("x-plivo-signature-v3-nonce", ""),
        ("x-plivo-signature-v3-nonce", NONCE[:-1]),
    ):
        assert not signed_by_plivo(TOKEN, URL, {**good, name: value}), (name, value)
    assert not signed_by_plivo(TOKEN[:-1] + "0", URL, good)
    assert not signed_by_plivo(TOKEN, URL.replace("pbx", "other"), good)


def test_a_port_of_ones_own_may_be_left_out_by_the_vendor() -> None:
    assert set(spellings("https://calls.example.org:8443/a")) == {
        "https://calls.example.org:8443/a",
        "https://calls.example.org/a",
        "wss://calls.example.org:8443/a",
        "wss://calls.example.org/a",
    }
    assert "ws://[2001:db8::1]:80/a" in spellings("http://[2001:db8::1]/a")


@given(
    st.dictionaries(
        st.sampled_from(["x-twilio-signature", "x-plivo-signature-v3", "x-plivo-signature-v3-nonce"]), st.text()
    )
)
def test_no_header_ends_in_an_error(headers: dict[str, str]) -> None:
    assert not signed_by_twilio(TOKEN, URL, headers)
    assert not signed_by_plivo(TOKEN, URL, headers)
