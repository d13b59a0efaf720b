"""A prompt within its budget, over a tokenizer in which every character is one token."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr.engines.whisper.decoding import PROMPT_BUDGET, TokenIds
from tests.fakes.whisper_model import character_model


@pytest.fixture
def vocabulary(tmp_path: Path) -> TokenIds:
    return TokenIds(character_model(tmp_path, "、。,. 逾期欠款abcd"))


def test_a_short_prompt_is_taken_whole_behind_its_marker(vocabulary: TokenIds):
    marker, *tokens = vocabulary.prompt("逾期、欠款。")
    assert marker == vocabulary.start_of_prompt
    assert vocabulary.text(tokens) == "逾期、欠款。"


@pytest.mark.parametrize(("term", "joint"), [("逾期欠款", "、"), ("abcd", ", ")])
def test_a_long_prompt_keeps_its_first_terms_whole(vocabulary: TokenIds, term: str, joint: str):
    kept = vocabulary.text(vocabulary.prompt(joint.join([term] * 60))[1:])
    assert len(kept) <= PROMPT_BUDGET
    assert set(kept.split(joint)) == {term}
    assert len(kept) + len(joint + term) > PROMPT_BUDGET - len(" ")


@pytest.mark.parametrize(("term", "joint", "closing"), [("逾期欠款", "、", "。"), ("abcd", ", ", ".")])
def test_a_prompt_that_is_cut_is_still_closed(vocabulary: TokenIds, term: str, joint: str, closing: str):
    kept = vocabulary.text(vocabulary.prompt(joint.join([term] * 60) + closing)[1:])
    assert len(kept) <= PROMPT_BUDGET
    assert kept.endswith(term + closing)


def test_one_endless_term_is_cut_where_the_budget_ends(vocabulary: TokenIds):
    assert len(vocabulary.prompt("逾" * 500)) == 1 + PROMPT_BUDGET


def test_no_words_are_no_prompt(vocabulary: TokenIds):
    assert vocabulary.prompt("  ") == []
