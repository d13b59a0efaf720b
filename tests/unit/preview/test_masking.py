"""Whatever a message holds: no secret, no sound and no pressed key is shown, and personal data to admins alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.preview.masking import LONGEST_SHOWN, as_it_came, harmless, outline, pairs_as_they_came

SECRET = "hunter2hunter2hunter2"
KEY = f"cw_0123456789ab_{'x' * 43}"
NAMES = ["authToken", "api_key", "X-API-Key", "password", "client-secret", "signature", "credentials", "authorization"]

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
objects = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


secrets = st.recursive(
    st.just(SECRET),
    lambda inner: st.lists(inner, min_size=1, max_size=2) | st.dictionaries(st.text(max_size=8), inner, min_size=1),
    max_leaves=4,
)


@given(around=objects, name=st.sampled_from(NAMES), secret=secrets)
def test_a_secret_is_shown_to_nobody_however_deep_it_lies(around: object, name: str, secret: object) -> None:
    message = json.dumps({"around": around, "start": [{"custom": {name: secret}}], "said": f"key {KEY}"})
    shown = as_it_came(message)
    assert SECRET not in shown
    assert "x" * 43 not in shown
    assert SECRET not in outline(shown)


@given(text=st.text(max_size=60) | objects.map(json.dumps))
def test_whatever_comes_is_shown_in_some_form_and_no_longer_than_it_may_be(text: str) -> None:
    shown = as_it_came(text)
    assert len(shown) <= LONGEST_SHOWN + 1
    assert len(outline(shown)) <= LONGEST_SHOWN + 1


@pytest.mark.parametrize("kept", ["张伟", "13800138000", "alice@example.org"])
def test_of_personal_data_others_see_the_form(kept: str) -> None:
    message = json.dumps({"event": "start", "start": {"customer": kept, "rate": 8000, "number": 13800138000}})
    assert kept in as_it_came(message)
    outlined = outline(as_it_came(message))
    assert kept not in outlined
    assert "13800138000" not in outlined
    assert json.loads(outlined)["event"] == "start"
    assert json.loads(outlined)["start"]["rate"] == 8000


def test_a_form_says_what_a_value_is_made_of() -> None:
    shown = json.loads(outline(json.dumps({"a": "13800138000", "b": "张 伟", "c": "A-17", "d": ""})))
    assert shown == {"a": "(11: digits)", "b": "(3: letters, blanks)", "c": "(4: digits, letters, signs)", "d": ""}


def test_sound_and_pressed_keys_are_only_told_of() -> None:
    message = json.dumps({"media": {"payload": "/" * 216}, "dtmf": {"digit": "7"}})
    assert json.loads(as_it_came(message)) == {
        "media": {"payload": "(216 characters of sound)"},
        "dtmf": {"digit": "…"},
    }


def test_plain_text_is_read_by_its_pairs() -> None:
    told = f"MEDIA_START channel_id:1.2 format:ulaw customer:张伟 token:{SECRET} {KEY}"
    shown = as_it_came(told)
    assert shown == "MEDIA_START channel_id:1.2 format:ulaw customer:张伟 token:… cw_0123456789ab_…"
    assert outline(shown).startswith("MEDIA_START channel_id:1.2 format:ulaw customer:(2: letters) token:…")


def test_headers_show_their_names_and_few_their_values() -> None:
    told = harmless({"host": "calls.example.org", "x-pbx-token": SECRET, "authorization": f"Bearer {KEY}"})
    assert told == {"host": "calls.example.org", "x-pbx-token": "…", "authorization": "…"}


def test_pairs_are_bounded_and_without_secrets() -> None:
    told = pairs_as_they_came({**{f"n{number}": "v" * 2000 for number in range(90)}, "token": SECRET})
    assert len(told) == 40
    assert all(len(value) <= 161 for value in told.values())
    assert pairs_as_they_came({"token": SECRET}) == {"token": "…"}
