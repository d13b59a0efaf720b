"""Detectors of other packages, found by their entry points; the one in examples/ among them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.contract import Detector, DetectorError
from detectors.runtime.registry import load
from detectors.runtime.third_party import GROUP, third_party_detectors
from tests.speech import call, findings, said

EXAMPLE = Path(__file__).parents[4] / "examples" / "monologue"

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one module and one entry point where Python looks for packages."""

    def put(code: str, point: str) -> None:
        (tmp_path / "foreign_detector.py").write_text(code, encoding="utf-8")
        info = tmp_path / "foreign_detector-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-detector\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\nforeign = {point}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(__import__("sys").modules, "foreign_detector", raising=False)

    return put


def example_code() -> str:
    return (EXAMPLE / "callwarden_monologue.py").read_text(encoding="utf-8")


def opened_example(install: Install) -> Detector:
    install(example_code(), "foreign_detector:MonologueDetector")
    [detector] = third_party_detectors()
    return detector


def test_the_example_names_its_entry_point_and_is_short() -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"][GROUP] == {"monologue": "callwarden_monologue:MonologueDetector"}
    assert len([line for line in example_code().splitlines() if line.strip()]) <= 45


def test_the_example_tells_a_monologue_once(install: Install) -> None:
    heard = opened_example(install).open(call())
    long = said("agent", "您听我说", start=0.0, end=40.0), said("agent", "还有", start=41.0, end=65.0, index=1)
    assert heard.heard(long[0]) == []
    [told] = findings(heard.heard(long[1]))
    assert (told.category, told.start, told.end) == ("monologue", 0.0, 65.0)
    assert heard.heard(said("agent", "再说", start=66.0, end=90.0, index=2)) == []


def test_who_lets_the_customer_speak_is_not_blamed(install: Install) -> None:
    heard = opened_example(install).open(call())
    for start in (0.0, 50.0, 100.0):
        assert heard.heard(said("agent", "您听我说", start=start, end=start + 40)) == []
        assert heard.heard(said("customer", "嗯", start=start + 41, end=start + 42)) == []


def test_it_runs_beside_the_services_own(install: Install) -> None:
    own = {detector.id for detector in load(encoder=None).detectors}
    install(example_code(), "foreign_detector:MonologueDetector")
    assert {detector.id for detector in load(encoder=None).detectors} == own | {"monologue"}


@pytest.mark.parametrize(
    ("code", "point", "told"),
    [
        ("", "foreign_detector:Missing", "foreign"),
        ("raise RuntimeError('no licence')", "foreign_detector:X", "no licence"),
        ("def X(): raise OSError('no model')", "foreign_detector:X", "no model"),
        ("class X: id = 'Shouting!'", "foreign_detector:X", "'Shouting!'"),
        ("class X: id = 'quiet'", "foreign_detector:X", "open"),
    ],
)
def test_what_cannot_be_made_is_named_at_the_start(install: Install, code: str, point: str, told: str) -> None:
    install(code, point)
    with pytest.raises(DetectorError, match=told):
        third_party_detectors()


def test_an_id_that_is_taken_is_refused(install: Install) -> None:
    install("class X:\n    id = 'duties'\n    def open(self, call): ...", "foreign_detector:X")
    with pytest.raises(DetectorError, match="duties"):
        load(encoder=None)
