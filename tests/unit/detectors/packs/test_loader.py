from __future__ import annotations

from pathlib import Path

import pytest

from detectors.packs.loader import PackLoader, load_pack_vocabulary
from detectors.packs.taxonomy import PackError, load_taxonomy, read_yaml

RULE = """
rules:
  - id: a.b
    category: abuse_insult
    zh: [老赖]
"""


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    PackLoader(load_taxonomy(), load_pack_vocabulary()).load([path])


def test_a_sound_pack_is_loaded_with_what_the_taxonomy_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(RULE, encoding="utf-8")
    (rule,) = PackLoader(load_taxonomy(), load_pack_vocabulary()).load([path])
    assert (rule.id, rule.severity, rule.score) == ("a.b", "high", 0.9)
    assert rule.title.zh == "辱骂与人格侮辱"
    assert [exception.id for exception in rule.exceptions] == ["negated", "reported", "remedy"]
    assert set(rule.law) == {"CN", "US", "UK"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (RULE.replace("abuse_insult", "nonsense"), "mine.yaml: a.b: category: .*'nonsense'"),
        (RULE.replace("[老赖]", "[老(赖]"), r"mine.yaml: a.b: zh: pattern '老\(赖'.*not closed"),
        (RULE + "    severity: awful\n", "mine.yaml: a.b: severity: 'awful' is not one of"),
        (RULE + "    score: 2\n", "mine.yaml: a.b: score: 2 is greater"),
        (RULE + "    exceptions: [nobody]\n", "mine.yaml: a.b: exceptions: no exception is named 'nobody'"),
        (RULE + "    unless: {zh: ['(']}\n", "mine.yaml: a.b: unless: pattern"),
        (RULE + "    colour: red\n", "a.b: .*'colour' was unexpected"),
        (
            RULE + "    law: {CN: {why: {zh: 一, en: a}, cites: ['XX#1']}}\n",
            "law.CN: cites: 'XX#1': .* no code 'XX'",
        ),
        (RULE + "    law: {CN: {why: {zh: 一, en: a}, cites: ['CN-PIPL#']}}\n", "nothing after '#'"),
        (RULE + RULE.replace("rules:", ""), "mine.yaml: a.b: id: used twice"),
        ("rules: [{id: a.b, category: abuse_insult}]", "mine.yaml: a.b: .*not valid under any"),
        ("rules: []", "mine.yaml: rules: "),
        ("rules: [", "mine.yaml: cannot be read as YAML"),
        ("- 1", "mine.yaml: .* is not of type 'object'"),
    ],
)
def test_a_faulty_pack_is_refused_naming_file_rule_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PackError, match=complaint):
        load(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"gone\.yaml"):
        read_yaml(tmp_path / "gone.yaml")


def test_every_cite_of_the_taxonomy_names_a_code_of_its_jurisdiction() -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.categories
    assert taxonomy.duties
    for category in [*taxonomy.categories.values(), *taxonomy.duties.values()]:
        assert category.law
        for jurisdiction, law in category.law.items():
            assert law.cites
            assert all(cite.startswith(f"{jurisdiction}-") for cite in law.cites)
