"""What is known of the language each party speaks."""

from __future__ import annotations

import pytest

from service.calls.party_languages import PartyLanguages


@pytest.fixture
def languages() -> PartyLanguages:
    return PartyLanguages(("agent", "customer"))


def test_nothing_is_known_before_anything_is_heard(languages: PartyLanguages) -> None:
    assert languages.leaning("agent") == 0.0


def test_what_a_party_speaks_is_expected_of_it_and_a_little_of_the_other(languages: PartyLanguages) -> None:
    languages.recognised("agent", "zh", 6.0, 5.0)
    assert languages.leaning("agent") > languages.leaning("customer") > 0


def test_one_long_utterance_turns_a_party_round_and_the_next_turns_it_back(languages: PartyLanguages) -> None:
    for _ in range(20):
        languages.recognised("agent", "en", -6.0, 10.0)
    languages.recognised("agent", "zh", 6.0, 4.0)
    assert languages.leaning("agent") > 1
    languages.recognised("agent", "en", -6.0, 4.0)
    assert languages.leaning("agent") < -1


def test_a_short_word_in_the_other_language_turns_nobody_round(languages: PartyLanguages) -> None:
    for _ in range(3):
        languages.recognised("agent", "zh", 6.0, 5.0)
    languages.recognised("agent", "en", -4.0, 0.5)
    assert languages.leaning("agent") > 1


def test_however_long_one_language_was_spoken_the_other_stays_possible(languages: PartyLanguages) -> None:
    for _ in range(500):
        languages.recognised("agent", "zh", 9.0, 14.0)
    assert languages.leaning("agent") <= 2.5


def test_the_parties_may_speak_different_languages(languages: PartyLanguages) -> None:
    for _ in range(3):
        languages.recognised("agent", "en", -6.0, 5.0)
        languages.recognised("customer", "zh", 6.0, 5.0)
    assert languages.leaning("agent") < -1.5
    assert languages.leaning("customer") > 1.5


def test_what_was_taken_against_the_evidence_teaches_nothing_new(languages: PartyLanguages) -> None:
    languages.recognised("agent", "zh", 6.0, 5.0)
    before = languages.leaning("agent")
    languages.recognised("agent", "zh", -1.0, 1.0)
    assert 0 < languages.leaning("agent") <= before


def test_what_was_said_before_a_restart_is_known_after_it(languages: PartyLanguages) -> None:
    languages.restore("agent", "zh", 5.0)
    languages.restore("agent", "en", 5.0)
    assert languages.leaning("agent") < -1
