import pytest

from asr.endpointing.clauses import complete


@pytest.mark.parametrize(
    "text",
    [
        "您好，请问是王先生吗",
        "您今天能还上吗？",
        "我已经还了",
        "好的，谢谢",
        "那就明天下午吧。",
        "这样也可以",
        "我知道，明白",
    ],
)
def test_a_clause_that_is_over_in_chinese(text: str) -> None:
    assert complete(text, "zh") is True


@pytest.mark.parametrize(
    "text",
    [
        "我没有还，因为",
        "如果您今天不",
        "您的账户，",
        "我想问一下那个",
        "这件事情还是",
        "我们……",
        "我们...",
        "请您把",
    ],
)
def test_a_clause_that_breaks_off_in_chinese(text: str) -> None:
    assert complete(text, "zh") is False


def test_a_full_stop_after_a_word_that_ends_nothing_is_the_recognisers_own() -> None:
    assert complete("I can't pay because.", "en") is False
    assert complete("我没有还，因为。", "zh") is False


@pytest.mark.parametrize("text", ["I already paid that.", "Who is this?", "That's fine, thanks", "OK", "Goodbye!"])
def test_a_clause_that_is_over_in_english(text: str) -> None:
    assert complete(text, "en") is True


@pytest.mark.parametrize("text", ["I was going with my", "My name is,", "Well, um", "and then they’re", "so I said..."])
def test_a_clause_that_breaks_off_in_english(text: str) -> None:
    assert complete(text, "en") is False


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("本金五千元", "zh"),
        ("I paid five hundred dollars", "en"),
        ("", "zh"),
        ("。", "zh"),
        ("...", "en"),
        ("Ja", "de"),
    ],
)
def test_the_silence_decides_where_the_words_do_not(text: str, language: str) -> None:
    assert complete(text, language) is None


def test_marks_tell_in_any_language() -> None:
    assert complete("Ist er da?", "de") is True
    assert complete("Er ist da,", "de") is False
