"""A signature holds for its request, its secret and some seconds, once; each single thing that is wrong is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.http_signature import COVERED, SeenNonces, SignatureInvalid, Signed, verify_signature

SECRET = b"callwarden-test-secret-32-bytes!"
CREATED = 1_772_452_800
NOW = CREATED + 1.5
KEY = "cw_0123456789ab_key"
NONCE = "q83vEjRWeJCrze8SNFZ4kA=="
TARGET, AUTHORITY = "/v1/audiohook?site=1", "calls.example.com"
FIELDS = {
    "audiohook-organization-id": "5b0f3f0e-2f4c-4a53-9f0a-0b64bd2f8a01",
    "audiohook-session-id": "c1c5dd3f-7c54-4b0e-8a53-61d1a3c0ffee",
    "audiohook-correlation-id": "7f2a52a4-6a0d-4a7b-9f53-1d5a0f6b1c22",
    "x-api-key": KEY,
}
PARAMETERS = f';keyid="{KEY}";nonce="{NONCE}";alg="hmac-sha256";created={CREATED};expires={CREATED + 30}'
KNOWN = "+PUWERzmutGCKSe69GoaCyvYy2/9+sTklKxPtxv0v3g="
"""Of these fields and this secret, as `openssl dgst -sha256 -hmac` computes it."""


def signed_request(
    parameters: str = PARAMETERS,
    covered: tuple[str, ...] = COVERED,
    secret: bytes = SECRET,
    **changed: str,
) -> dict[str, str]:
    """The headers of a request that is signed as it should be, but for what is `changed` before."""
    fields = {**FIELDS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    derived = {"@request-target": TARGET, "@authority": AUTHORITY}
    params = "(" + " ".join(f'"{name}"' for name in covered) + ")" + parameters
    lines = [f'"{name}": {derived.get(name, fields.get(name, ""))}' for name in covered]
    base = "\n".join([*lines, f'"@signature-params": {params}'])
    digest = base64.b64encode(hmac.new(secret, base.encode(), hashlib.sha256).digest()).decode()
    return {**fields, "signature-input": f"sig1={params}", "signature": f"sig1=:{digest}:"}


def verified(headers: dict[str, str], now: float = NOW) -> Signed:
    return verify_signature(headers, target=TARGET, authority=AUTHORITY, secret=SECRET, now=now)


def why_refused(headers: dict[str, str], now: float = NOW) -> str:
    with pytest.raises(SignatureInvalid) as caught:
        verified(headers, now)
    return str(caught.value)


def test_the_known_answer() -> None:
    params = "(" + " ".join(f'"{name}"' for name in COVERED) + ")" + PARAMETERS
    headers = {**FIELDS, "signature-input": f"sig1={params}", "signature": f"sig1=:{KNOWN}:"}
    assert verified(headers) == Signed(key_id=KEY, nonce=NONCE, created=CREATED, expires=CREATED + 30)
    assert signed_request()["signature"] == f"sig1=:{KNOWN}:"


def test_components_may_come_in_any_order_and_more_of_them() -> None:
    assert (
        verified(signed_request(covered=(*reversed(COVERED), "user-agent"), user_agent="GenesysCloud")).nonce == NONCE
    )
    assert verified(signed_request(parameters=PARAMETERS.replace(';alg="hmac-sha256"', ""))).nonce == NONCE


def test_an_authority_is_compared_without_case_and_a_field_without_its_blanks() -> None:
    headers = {name: f" {value}\t" for name, value in signed_request().items()}
    signed = verify_signature(headers, target=TARGET, authority="Calls.Example.com", secret=SECRET, now=NOW)
    assert signed.nonce == NONCE


@pytest.mark.parametrize("name", [*FIELDS, "signature", "signature-input"])
def test_every_field_must_be_there(name: str) -> None:
    headers = signed_request()
    del headers[name]
    assert name in why_refused(headers)


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_may_be_another(name: str) -> None:
    headers = signed_request()
    headers[name] = headers[name][:-1] + "0"
    assert why_refused(headers)


@pytest.mark.parametrize("name", COVERED)
def test_every_component_must_be_covered(name: str) -> None:
    covered = tuple(each for each in COVERED if each != name)
    assert name in why_refused(signed_request(covered=covered))


@pytest.mark.parametrize(
    ("target", "authority", "secret"),
    [
        ("/v1/audiohook", AUTHORITY, SECRET),
        (TARGET, "calls.example.com:8443", SECRET),
        (TARGET, AUTHORITY, SECRET[:-1]),
        (TARGET, AUTHORITY, b""),
    ],
)
def test_no_other_request_and_no_other_secret_will_do(target: str, authority: str, secret: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify_signature(signed_request(), target=target, authority=authority, secret=secret, now=NOW)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(SignatureInvalid):
        verify_signature(signed_request(secret=b""), target=TARGET, authority=AUTHORITY, secret=b"", now=NOW)


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        (f'keyid="{KEY}"', 'keyid="another"', "keyid"),
        (f'nonce="{NONCE}"', f'nonce="{NONCE[:21]}"', "nonce"),
        (f'nonce="{NONCE}"', "nonce=12345678901234567890123", "parameters"),
        (f';nonce="{NONCE}"', "", "parameters"),
        ('alg="hmac-sha256"', 'alg="hmac-sha512"', "alg"),
        (f"created={CREATED}", f'created="{CREATED}"', "parameters"),
        (f"created={CREATED}", f"created={CREATED}.0", "parameters"),
        (f"created={CREATED}", f"created=-{CREATED}", "parameters"),
        (f";created={CREATED}", "", "parameters"),
        (f";created={CREATED}", f";created={CREATED};created={CREATED}", "parameters"),
        (f"created={CREATED}", f"created={CREATED + 5}", "future"),
        (f"created={CREATED}", f"created={CREATED - 9}", "older"),
        (f";expires={CREATED + 30}", "", "parameters"),
        (f"expires={CREATED + 30}", f"expires={CREATED + 31}", "expires"),
        (f"expires={CREATED + 30}", f"expires={CREATED + 1}", "expires"),
        (f"expires={CREATED + 30}", f'expires={CREATED + 30};tag="x"', "parameters"),
        (f"expires={CREATED + 30}", f"expires={CREATED + 30}, sig2=()", "parameters"),
    ],
)
def test_every_parameter_must_be_as_it_should(was: str, becomes: str, why: str) -> None:
    assert was in PARAMETERS
    assert why in why_refused(signed_request(parameters=PARAMETERS.replace(was, becomes)))


@pytest.mark.parametrize(("now", "holds"), [(-3.0, True), (-3.5, False), (0.0, True), (10.0, True), (10.5, False)])
def test_a_signature_holds_for_ten_seconds(now: float, holds: bool) -> None:
    if holds:
        verified(signed_request(), CREATED + now)
    else:
        why_refused(signed_request(), CREATED + now)


@pytest.mark.parametrize("covered", [(*COVERED, "x-api-key"), (*COVERED, "@method"), (*COVERED, "X-Upper")])
def test_no_component_is_covered_that_is_not_read_here(covered: tuple[str, ...]) -> None:
    assert why_refused(signed_request(covered=covered))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signature", "sig2=:AAAA:"),
        ("signature", "sig1=:AAAA:"),
        ("signature", "sig1=:A:"),
        ("signature", "sig1=AAAA"),
        ("signature", f"sig1=:{KNOWN}:, sig2=:{KNOWN}:"),
        ("signature-input", "sig1"),
        ("signature-input", "sig1=()"),
        ("signature-input", 'sig1=("x-api-key";sf)'),
        ("signature-input", "\0"),
    ],
)
def test_what_is_no_signature_is_refused(name: str, value: str) -> None:
    assert why_refused({**signed_request(), name: value})


@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_else_is_raised_whatever_the_fields_hold(fields: str, signature: str) -> None:
    for headers in (
        {**FIELDS, "signature-input": fields, "signature": signature},
        {**signed_request(), "signature": fields},
    ):
        why_refused(headers)


def test_a_nonce_is_used_once_while_its_signature_holds() -> None:
    seen, signed = SeenNonces(), verified(signed_request())
    seen.note(signed, NOW)
    with pytest.raises(SignatureInvalid):
        seen.note(signed, NOW + 10)
    seen.note(replace(signed, key_id="another"), NOW + 10)
    seen.note(signed, NOW + 14)
    assert len(seen) == 2


def test_the_store_of_nonces_is_bounded_and_forgets_none_that_holds() -> None:
    seen, signed = SeenNonces(most=2), verified(signed_request())
    for nonce in ("first", "second"):
        seen.note(replace(signed, nonce=nonce), NOW)
    with pytest.raises(SignatureInvalid):
        seen.note(replace(signed, nonce="third"), NOW)
    seen.note(replace(signed, nonce="third"), NOW + 20)
    assert len(seen) == 1
