from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from service.cli import app

LINES = [
    {"id": "a", "lang": "zh", "speaker": "agent", "text": "信不信我打断你的腿", "labels": ["threat_violence"]},
    {"id": "b", "lang": "zh", "speaker": "agent", "text": "您好，请问方便说话吗", "labels": [], "split": "held"},
    {"id": "c", "lang": "zh", "speaker": "agent", "text": "你等着瞧好了", "labels": ["abuse_insult"]},
    {"id": "d", "lang": "zh", "speaker": "customer", "text": "你烦死了", "label": "negative"},
]


def file_of(folder: Path, lines: list[dict[str, object]]) -> Path:
    path = folder / "lines.jsonl"
    path.write_text("\ufeff" + "\r\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_figures_come_with_intervals_and_the_worst_errors(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    arguments = ["eval", str(file_of(tmp_path, LINES)), "--tier", "patterns", "-o", str(report)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "violating lines found" in result.output
    assert "missed abuse_insult" in result.output
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["tier"] == "patterns"
    zh = told["zh"]
    assert zh["agents_lines"] == 3
    assert zh["categories"]["threat_violence"]["recall"] == 1.0
    assert zh["found"]["low"] <= zh["found"]["value"] <= zh["found"]["high"]


def test_a_split_can_be_asked_for(tmp_path: Path) -> None:
    path = file_of(tmp_path, LINES)
    result = CliRunner().invoke(app, ["eval", str(path), "--tier", "patterns", "--split", "held"])
    assert result.exit_code == 0, result.output
    assert "false alerts in 100 harmless agents' lines" in result.output
    assert "threat_violence" not in result.output


def test_a_bad_line_no_line_and_no_file_are_told(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"lang": "zh"}', encoding="utf-8")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    for path, complaint in ((bad, "bad.jsonl: line 1: speaker"), (empty, "no line"), (tmp_path / "none", "none")):
        result = CliRunner().invoke(app, ["eval", str(path), "--tier", "patterns"])
        assert result.exit_code == 2
        assert complaint in result.output
