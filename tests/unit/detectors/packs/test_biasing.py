from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from asr.engines.port import BiasTerm
from detectors.packs.biasing import PromptFrame, PromptWording, load_prompt_frames
from detectors.packs.loader import load_pack_vocabulary
from detectors.packs.taxonomy import JURISDICTIONS, PACKS, PackError
from detectors.runtime.registry import load

FRAME = PromptFrame(opening="电话录音：", joint="、", closing="。", terms={"CN": ("工号", "逾期"), "US": ("逾期",)})

RESTORABLE = load_pack_vocabulary().terms


def wording(source: str, *laws: str) -> PromptWording:
    return PromptWording(source=source, language="zh", laws=frozenset(laws))  # type: ignore[arg-type]


def pack(folder: Path, terms: str) -> Path:
    for name in ("lists.yaml", "duties.yaml", "right_party.yaml", "sequence.yaml"):
        shutil.copy(PACKS / name, folder / name)
    frame = "{{opening: '', joint: '、', closing: '', terms: [{}]}}"
    (folder / "biasing.yaml").write_text(f"zh: {frame.format(terms)}\nen: {frame.format('')}\n", encoding="utf-8")
    return folder


def test_the_tenants_terms_stand_before_the_packs():
    assert FRAME.prompt("CN", ("海港银行", "北线公司")) == "电话录音：海港银行、北线公司、工号、逾期。"


def test_a_term_given_twice_stands_once_where_it_came_first():
    assert FRAME.prompt("CN", ("逾期", "Harbor", "HARBOR")) == "电话录音：逾期、Harbor、工号。"


def test_only_the_words_of_the_calls_law_are_expected():
    assert FRAME.prompt("US") == "电话录音：逾期。"


def test_without_terms_there_is_no_prompt():
    assert PromptFrame(opening="电话录音：", joint="、", closing="。", terms={"CN": ()}).prompt("CN") == ""


def test_a_term_counts_for_the_laws_whose_rules_name_it(tmp_path: Path):
    frames = load_prompt_frames(
        [wording("(拉横幅|泼油漆)…你家", "CN")], JURISDICTIONS, RESTORABLE, pack(tmp_path, "泼油漆, 催收")
    )
    assert frames["zh"].terms == {"CN": ("泼油漆", "催收"), "US": ("催收",), "UK": ("催收",)}


def test_a_term_that_nothing_needs_is_refused_by_name(tmp_path: Path):
    with pytest.raises(PackError, match=r"biasing\.yaml: zh: terms: .*'长颈鹿'"):
        load_prompt_frames([], JURISDICTIONS, RESTORABLE, pack(tmp_path, "催收, 长颈鹿"))


def test_words_that_are_said_in_a_row_are_one_term(tmp_path: Path):
    frames = load_prompt_frames([wording("手机 & 尾号", "CN")], JURISDICTIONS, RESTORABLE, pack(tmp_path, "手机尾号"))
    assert frames["zh"].prompt("CN") == "手机尾号"
    with pytest.raises(PackError, match="'手机尾号码'"):
        load_prompt_frames([wording("手机 & 尾号", "CN")], JURISDICTIONS, RESTORABLE, pack(tmp_path, "手机尾号码"))


def test_a_word_of_the_other_language_does_not_count(tmp_path: Path):
    english = PromptWording(source="deadbeat", language="en", laws=frozenset(JURISDICTIONS))
    with pytest.raises(PackError, match="'deadbeat'"):
        load_prompt_frames([english], JURISDICTIONS, RESTORABLE, pack(tmp_path, "deadbeat"))


def test_a_prompt_without_its_frame_is_refused(tmp_path: Path):
    pack(tmp_path, "催收").joinpath("biasing.yaml").write_text("zh: {terms: [催收]}\n", encoding="utf-8")
    with pytest.raises(PackError, match="'opening'"):
        load_prompt_frames([], JURISDICTIONS, RESTORABLE, tmp_path)


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_the_packs_that_ship_expect_the_words_their_rules_turn_on(jurisdiction: str):
    biasing = load(encoder=None).biasing(jurisdiction, ("海港银行",))  # type: ignore[arg-type]
    assert "逾期" in biasing["zh"].prompt
    assert "past due" in biasing["en"].prompt


def test_what_is_restored_are_the_tenants_terms_the_prompts_and_those_known_to_be_misheard():
    frame = replace(FRAME, restored=(BiasTerm(text="逾期", mishearings=("预期",)), BiasTerm(text="老赖")))
    assert frame.biasing("CN", ("海港银行",)).terms == (
        BiasTerm(text="海港银行"),
        BiasTerm(text="工号"),
        BiasTerm(text="逾期", mishearings=("预期",)),
        BiasTerm(text="老赖"),
    )
