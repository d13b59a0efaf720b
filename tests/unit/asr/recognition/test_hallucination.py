"""What is dropped as hallucinated and, more important, what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.recognition.hallucination import filter_hallucination
from tests.stretches import transcript

PROMPT = "以下是催收电话录音：逾期、欠款、还款、老赖、征信、起诉、分期还款、减免。"
CLEAR = {"avg_logprob": -0.3, "no_speech_prob": 0.05}
WEAK = {"avg_logprob": -1.2, "no_speech_prob": 0.3}
SILENT = {"avg_logprob": -1.65, "no_speech_prob": 0.92}


@pytest.mark.parametrize(
    "text",
    [
        "請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "字幕由Amara.org社群提供",
        "中文字幕志愿者 杨栋梁",
        "謝謝觀看",
        "感谢您的收看",
        "谢谢大家的观看，我们下期再见",
        "优优独播剧场——YoYo Television Series Exclusive",
        "作曲 李宗盛",
        "Thanks for watching!",
        "Thank you so much for watching. Please subscribe to my channel.",
        "Subtitles by the Amara.org community",
    ],
)
def test_credits_of_videos_are_dropped_however_sure_the_engine_is(text: str):
    assert filter_hallucination(transcript(text, **CLEAR), 4.0).filtered == "known_phrase"
    assert filter_hallucination(transcript(text, **CLEAR), 4.0).text == ""


@pytest.mark.parametrize("text", ["谢谢", "謝謝。", "再见", "嗯", "嗯嗯", "Thank you.", "Okay.", "拜拜"])
def test_short_real_words_are_kept_where_the_acoustics_are_good_and_dropped_where_they_are_weak(text: str):
    assert filter_hallucination(transcript(text, **CLEAR), 0.6).text == text
    assert filter_hallucination(transcript(text, avg_logprob=-0.4, no_speech_prob=0.7), 0.6).text == text
    assert filter_hallucination(transcript(text, **WEAK), 0.6).text == ""


@pytest.mark.parametrize(
    "text",
    [
        "你再不还钱我就找人上门",
        "老赖",
        "杀了你全家",
        "死",
        "滚",
        "13800000000",
        "你欠款100000元",
        "I will have you arrested tomorrow.",
        "不还钱不还钱不还钱，你等着",
        "把你的照片转发到你们公司群里",
        "你订阅的那个服务已经逾期",
        "we'll see you next time you miss a payment",
        "你的微信朋友圈我都转发打赏一遍",
        "还款",
        "征信起诉",
        "转发",
        "Thank you for listening.",
        "See you next time.",
        "对对对对，我知道了",
    ],
)
@pytest.mark.parametrize("prompt", ["", PROMPT])
def test_what_was_said_once_and_clearly_is_kept_to_the_letter(text: str, prompt: str):
    assert filter_hallucination(transcript(text, **CLEAR), 3.0, prompt).text == text


def test_a_threat_shouted_over_a_bad_line_is_kept():
    """Weak figures alone drop nothing while the engine thinks that somebody speaks."""
    assert filter_hallucination(transcript("我今天就去你单位堵你", **WEAK), 3.0).text == "我今天就去你单位堵你"


def test_the_figures_of_a_stretch_without_speech_drop_any_text():
    assert filter_hallucination(transcript("你不认识我吗", **SILENT), 2.0).filtered == "no_speech"
    assert (
        filter_hallucination(transcript("试试好", avg_logprob=-1.41, no_speech_prob=0.44), 9.0).filtered == "no_speech"
    )


@pytest.mark.parametrize(
    ("text", "logprob", "no_speech"),
    [
        ("录音：逾期、欠款、还款、", -0.54, 0.98),
        ("录音：逾期", -0.85, 0.96),
        ("减免。", -0.9, 0.99),
        ("录音：逾期。", -0.76, 0.92),
    ],
)
def test_a_prompt_that_leaked_into_a_stretch_without_speech_is_dropped(text: str, logprob: float, no_speech: float):
    """Figures as the base model gave them for hum, noise and key tones."""
    leaked = transcript(text, avg_logprob=logprob, no_speech_prob=no_speech)
    assert filter_hallucination(leaked, 2.5, PROMPT).filtered == "leaked_prompt"


def test_a_long_stretch_of_the_prompt_is_dropped_even_where_the_engine_is_sure():
    assert (
        filter_hallucination(transcript("逾期、欠款、还款、老赖、征信、起诉", **CLEAR), 3.0, PROMPT).filtered
        == "leaked_prompt"
    )


def test_words_of_the_prompt_in_a_sentence_are_kept():
    said = transcript("您的欠款逾期了，影响征信", avg_logprob=-0.4, no_speech_prob=0.7)
    assert filter_hallucination(said, 3.0, PROMPT).text == "您的欠款逾期了，影响征信"


def test_terms_of_the_prompt_that_take_no_time_beside_what_was_spoken_are_dropped():
    for text in ("老赖、老赖、老赖", "逾期、欠款"):
        assert filter_hallucination(transcript(text, **CLEAR), 12.0, PROMPT).filtered == "leaked_prompt"
        assert filter_hallucination(transcript(text, **CLEAR), 1.5, PROMPT).text == text
    assert filter_hallucination(transcript("老赖、" * 17, **CLEAR), 12.0, PROMPT).filtered == "leaked_prompt"
    assert filter_hallucination(transcript("老赖、老赖、你这个老赖", **CLEAR), 12.0, PROMPT).filtered is None


def test_a_list_of_the_prompts_terms_is_dropped_where_it_begins_or_breaks_off_within_one():
    for text in ("行、北线公司、逾期、欠", "北线公司、逾期、欠款、海港", "逾期，欠款，分"):
        assert filter_hallucination(transcript(text, **CLEAR), 2.5, TENANTS_PROMPT).filtered == "leaked_prompt"
    assert filter_hallucination(transcript("海港银行、海港", **CLEAR), 12.0, TENANTS_PROMPT).filtered == "leaked_prompt"
    assert filter_hallucination(transcript("海港银行、海港", **CLEAR), 2.0, TENANTS_PROMPT).filtered is None


def test_a_loop_keeps_its_words_once():
    looped = transcript("你还钱" + "我告诉你" * 12, **CLEAR, compression_ratio=4.0)
    kept = filter_hallucination(looped, 5.0)
    assert kept.text == "你还钱我告诉你"
    assert kept.filtered == "repetition"


def test_a_loop_of_a_syllable_on_weak_acoustics_is_dropped():
    assert filter_hallucination(transcript("哈" * 40, **WEAK), 5.0).filtered == "repetition"


@pytest.mark.parametrize(("text", "seconds"), [("说" + "好的我知道了吧" * 4, 1.0), ("啊不", 9.0)])
def test_a_pace_nobody_speaks_at_is_dropped_on_weak_acoustics_only(text: str, seconds: float):
    assert filter_hallucination(transcript(text, **WEAK), seconds).filtered in ("pace", "repetition")
    assert filter_hallucination(transcript(text, **CLEAR), seconds).text == text


def test_foreign_script_is_taken_out_and_the_rest_kept():
    assert filter_hallucination(transcript("ご視聴ありがとう", **CLEAR), 2.0).filtered in ("foreign_script", None)
    assert filter_hallucination(transcript("시청해주셔서 감사합니다", **CLEAR), 2.0).text == ""
    assert filter_hallucination(transcript("您的の欠款", **CLEAR), 2.0).text == "您的欠款"


def test_punctuation_alone_is_nothing():
    assert filter_hallucination(transcript("…。", **CLEAR), 1.0).filtered == "empty"


@given(
    st.text(alphabet="你欠我钱不还滚死告全家上门单位照片的了吗", min_size=3, max_size=30),
    st.floats(-0.9, 0.0),
    st.floats(0.0, 0.6),
    st.floats(0.5, 30.0),
)
def test_with_the_figures_of_speech_no_character_is_lost_entirely(
    text: str, logprob: float, no_speech: float, seconds: float
):
    kept = filter_hallucination(transcript(text, avg_logprob=logprob, no_speech_prob=no_speech), seconds, PROMPT)
    assert kept.text
    assert set(kept.text) == set(text)


TENANTS_PROMPT = "海港银行、北线公司、逾期、欠款、分期。"


def test_a_tenants_terms_that_leaked_into_silence_are_dropped():
    leaked = transcript("海港银行、北线公司", avg_logprob=-0.6, no_speech_prob=0.95)
    assert filter_hallucination(leaked, 2.5, TENANTS_PROMPT).filtered == "leaked_prompt"


def test_terms_that_leaked_in_another_order_are_dropped():
    leaked = transcript("逾期、海港银行、逾期", avg_logprob=-0.3, no_speech_prob=0.95)
    assert filter_hallucination(leaked, 2.5, TENANTS_PROMPT).filtered == "leaked_prompt"


@pytest.mark.parametrize("text", ["海港银行", "北线公司逾期", "这里是海港银行"])
def test_a_tenants_terms_that_somebody_said_are_kept(text: str):
    assert filter_hallucination(transcript(text, **CLEAR), 2.0, TENANTS_PROMPT).text == text
