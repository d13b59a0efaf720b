from __future__ import annotations

import json
from pathlib import Path

import pytest

from detectors.contract import Sentiment
from detectors.packs.taxonomy import PackError, load_taxonomy
from detectors.sentiment.lexicon import load_lexicons
from detectors.sentiment.utterance_sentiment import SentimentDetector
from tests.speech import call, said

DETECTOR = SentimentDetector(load_lexicons(), load_taxonomy().categories)
LINES = Path(__file__).parents[2] / "data" / "sentiment.jsonl"


@pytest.mark.parametrize(
    ("text", "label", "emotion"),
    [
        ("我很满意，谢谢你", "positive", "joy"),
        ("我很不满意", "negative", "frustration"),
        ("滚，别再打电话了", "negative", "anger"),
        ("我真的不想活了", "negative", "sadness"),
        ("我好害怕", "negative", "fear"),
        ("您不用担心", "positive", "relief"),
        ("我的尾号是零八八六", "neutral", "neutral"),
        ("", "neutral", "neutral"),
        ("I'm not happy with this", "negative", "frustration"),
        ("Thank you so much", "positive", "joy"),
        ("I don't give a shit", "negative", "anger"),
        ("My last four are 4219", "neutral", "neutral"),
        ("你好, I don't give a shit", "negative", "anger"),
        ("OK 滚，别再打电话了", "negative", "anger"),
    ],
)
def test_what_an_utterance_sounds_like(text: str, label: str, emotion: str) -> None:
    feeling = DETECTOR.feel(text)
    assert (feeling.label, feeling.emotion) == (label, emotion)


def test_degree_words_strengthen_and_weaken() -> None:
    assert DETECTOR.feel("非常满意").score > DETECTOR.feel("满意").score > DETECTOR.feel("有点满意").score > 0


def test_a_formal_thank_you_in_a_long_statement_is_nearly_neutral() -> None:
    formal = "Thank you. This is an attempt to collect a debt and any information obtained will be used for that "
    formal += "purpose. You owe us a "
    formal += "thousand dollars on your card, and the account has been with us for two months now."
    assert DETECTOR.feel("Thank you.").label == "positive"
    assert abs(DETECTOR.feel(formal).score) < DETECTOR.feel("Thank you.").score / 1.5


def test_the_trend_is_kept_for_each_party_and_weighs_long_talk_more() -> None:
    detector = DETECTOR.open(call())

    def trend(role: str, text: str, seconds: float) -> float:
        (seen,) = detector.heard(said(role, text, 0.0, seconds))  # type: ignore[arg-type]
        assert isinstance(seen, Sentiment)
        return seen.trend

    assert trend("customer", "我很满意", 1.0) > 0.5
    assert trend("agent", "你好", 1.0) == 0.0
    after_a_word = trend("customer", "骗子", 0.5)
    assert after_a_word > 0.3
    assert trend("customer", "你们全是骗子", 20.0) < 0


@pytest.mark.parametrize(("split", "least"), [("dev", 0.9), ("held", 0.85)])
def test_hand_labelled_lines_are_mostly_told_right(split: str, least: float) -> None:
    lines = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
    chosen = [line for line in lines if line["split"] == split]
    right = sum(DETECTOR.feel(line["text"]).label == line["label"] for line in chosen)
    assert right / len(chosen) >= least


def test_a_faulty_lexicon_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sentiment_zh.yaml").write_text(
        "words: {envy: {0.5: [羡慕]}}\nnegators: []\nintensifiers: {}\nneutral_phrases: []\n", encoding="utf-8"
    )
    with pytest.raises(PackError, match=r"sentiment_zh\.yaml: words: 'envy' is none of"):
        load_lexicons(tmp_path)
