from __future__ import annotations

from training.encoder.vocabulary import SPECIALS, cut, is_single, tokenizer_of

PIECES = [
    *((name, 0.0) for name in SPECIALS),
    ("▁", -3.0),
    ("▁今天", -5.0),
    ("今天", -5.5),
    ("今", -8.0),
    ("天", -8.0),
    ("▁pay", -6.0),
    ("p", -9.0),
    ("a", -9.0),
    ("y", -9.0),
    ("ท", -9.0),
    ("<mask>", 0.0),
]


def test_a_text_is_framed_and_falls_into_the_likeliest_pieces() -> None:
    tokenizer = tokenizer_of(PIECES[:-1])
    assert tokenizer.encode("今天 PAY").tokens == ["<s>", "▁今天", "▁pay", "</s>"]


def test_what_texts_use_stays_and_every_single_character_of_the_two_scripts() -> None:
    kept = cut(PIECES, ["今天"], at_least=1)
    texts = [PIECES[number][0] for number in kept]
    assert texts == [*SPECIALS, "▁", "▁今天", "今", "天", "p", "a", "y"]


def test_a_word_whose_piece_is_gone_falls_apart_and_is_not_unknown() -> None:
    kept = cut(PIECES, ["今天"], at_least=1)
    tokenizer = tokenizer_of([PIECES[number] for number in kept])
    assert tokenizer.encode("pay").tokens == ["<s>", "▁", "p", "a", "y", "</s>"]


def test_single_characters_are_those_of_the_two_scripts() -> None:
    assert all(map(is_single, ("a", "▁a", "7", ",", "你", "▁你", "。", "▁")))
    assert not any(map(is_single, ("ab", "你好", "ท", "<s>", "▁pay")))
