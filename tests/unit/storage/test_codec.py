from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.storage.codec import storable_text

ANY = st.text(st.characters())


@given(ANY)
def test_storable_text_has_neither_nul_nor_surrogates(text: str) -> None:
    stored = storable_text(text)
    assert "\x00" not in stored
    assert stored.encode().decode() == stored


@given(ANY)
def test_every_other_character_stays_in_its_place(text: str) -> None:
    for before, after in zip(text, storable_text(text), strict=True):
        assert after == before or (after == "�" and (before == "\x00" or "\ud800" <= before <= "\udfff"))
