"""How right the rules are, as people's decisions tell it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from blockbuster import BlockBuster
from typer.testing import CliRunner

from detectors.contract import Bilingual, Withdrawn
from detectors.packs.taxonomy import PACKS, PackError
from detectors.runtime.registry import load
from detectors.semantic.calibration import BadCalibration
from service.app import load_registry
from service.cli import app
from service.cli.rules import PAGE, precision_of
from service.record.facts import FindingWithdrawn
from service.record.note import CallNote
from service.settings import Settings
from service.storage.sql import SqlStore
from tests import scenes
from tests.scenes import AT

WRONG = PAGE + 5
"""More than a page of the store's."""


def test_the_most_often_wrong_rule_comes_first() -> None:
    decided = Counter({("good", True): 9, ("good", False): 1, ("bad", True): 1, ("bad", False): 4})
    worst, best = precision_of(decided)
    assert (worst.rule, worst.confirmed, worst.dismissed, worst.precision) == ("bad", 1, 4, 0.2)
    assert (best.rule, best.precision) == ("good", 0.9)


def test_the_interval_is_wide_while_few_are_decided() -> None:
    few, many = (precision_of(Counter({("r", True): times}))[0] for times in (1, 1000))
    assert few.high == many.high == 1.0
    assert few.low < 0.3 < 0.99 < many.low


async def _decided(url: str) -> None:
    """A rule's alerts dismissed in great number, one confirmed of another rule, one withdrawn and one open."""
    store = SqlStore(url)
    await store.open()
    raised = [scenes.raised(f"wrong-{number}", rule="r.wrong", start=float(number)) for number in range(WRONG)]
    others = [scenes.raised("right", rule="r.right"), scenes.raised("open", rule="r.open", start=9.0)]
    await store.append("call-1", [scenes.opened(), *raised, *others, scenes.raised("none", rule="r.none")], AT)
    for alert in raised:
        await store.change_alert(alert.alert.id, "dismissed", "mei", AT, "")
    await store.change_alert("right", "confirmed", "mei", AT, "")
    told = Withdrawn(rule="r.none", role="agent", start=3.0, end=5.0, why=Bilingual(zh="否", en="no"))
    await store.append("call-1", [FindingWithdrawn(withdrawn=told, alert_id="none", at=9.0)], AT)
    await store.close()


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked_event_loop_fails: BlockBuster) -> str:
    """Of the store that the commands open."""
    blocked_event_loop_fails.deactivate()
    store = f"sqlite:///{tmp_path / 'callwarden.db'}"
    monkeypatch.setenv("CALLWARDEN_DATABASE_URL", store)
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path))
    return store


@pytest.fixture
def floor(url: str) -> None:
    asyncio.run(_decided(url))


def printed(*arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["rules", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def told(*options: str) -> list[dict[str, object]]:
    return printed("precision", *options)


@pytest.mark.usefixtures("floor")
def test_what_people_decided_is_counted_and_what_the_service_withdrew_is_not() -> None:
    assert [(each["rule"], each["confirmed"], each["dismissed"]) for each in told()] == [
        ("r.wrong", 0, WRONG),
        ("r.right", 1, 0),
    ]


@pytest.mark.usefixtures("floor")
def test_only_alerts_since_then_count() -> None:
    assert told("--since", (AT + timedelta(hours=1)).isoformat()) == []
    assert len(told("--since", AT.isoformat())) == 2


@pytest.mark.usefixtures("floor")
def test_a_table_names_the_rules() -> None:
    shown = CliRunner().invoke(app, ["rules", "precision"]).stdout
    assert "r.wrong" in shown
    assert "0 %" in shown or "0%" in shown


@pytest.mark.usefixtures("floor")
def test_a_rule_that_was_often_wrong_is_trusted_less_from_the_next_start_on(tmp_path: Path) -> None:
    shipped = load_registry(Settings(data_dir=tmp_path))
    shown = CliRunner().invoke(app, ["rules", "calibrate"]).stdout
    assert "r.wrong" in shown
    assert load_registry(Settings(data_dir=tmp_path)).pack == shipped.pack
    written = CliRunner().invoke(app, ["rules", "calibrate", "--write"])
    assert "Written to" in written.stdout, written.output
    calibrated = load_registry(Settings(data_dir=tmp_path)).pack
    assert calibrated.version.endswith("+calibrated")
    assert calibrated.sha256 != shipped.pack.sha256


def test_a_damaged_calibration_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"trust": {"r": 7}, "thresholds": {}}')
    with pytest.raises(BadCalibration, match=r"calibration\.json.*r is 7"):
        load_registry(Settings(data_dir=tmp_path))


def changed_pack(folder: Path, file: str, rule: str, **fields: Any) -> Path:
    """The pack that ships, with other fields in one rule."""
    pack = folder / "pack"
    shutil.copytree(PACKS, pack)
    raw = yaml.safe_load((pack / file).read_text("utf-8"))
    [found] = [each for each in raw["rules"] if each["id"] == rule]
    found |= fields
    (pack / file).write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    return pack


def test_the_examples_of_the_pack_that_ships_are_right() -> None:
    result = CliRunner().invoke(app, ["rules", "test"])
    assert (result.exit_code, result.stdout.endswith(" 0 wrong.\n")) == (0, True)
    assert "examples are missing" not in result.output


def test_wrong_examples_are_told_and_no_service_starts_with_them(tmp_path: Path) -> None:
    examples = {"met": ["今天天气不错"], "not_met": ["您好", "你这个老赖"]}
    pack = changed_pack(tmp_path, "rules/abuse.yaml", "insult.person", examples=examples)
    result = CliRunner().invoke(app, ["rules", "test", str(pack)])
    assert result.exit_code == 1
    assert "insult.person: examples: the rule is not met by '今天天气不错'" in result.output
    assert "insult.person: examples: the rule is met by '你这个老赖'" in result.output
    with pytest.raises(PackError, match=r"insult\.person"):
        load(encoder=None, pack=pack)


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        assert CliRunner().invoke(app, ["rules", "test", str(folder)]).exit_code == 2
        assert CliRunner().invoke(app, ["rules", "try", str(folder)]).exit_code == 2


async def _called(url: str) -> None:
    """Two calls that are over; in the first a person has dismissed what the pack says of the word."""
    store = SqlStore(url)
    await store.open()
    for call_id, text in (("call-1", "你这个老赖"), ("call-2", "我看您是大闲人一个")):
        await store.append(call_id, [scenes.opened(call_id), scenes.heard(call_id, text=text), scenes.closed()], AT)
    alert = scenes.raised("insulted", category="abuse_insult", utterance_id="agent-0", rule="insult.person")
    await store.append("call-1", [alert], AT)
    await store.change_alert("insulted", "dismissed", "mei", AT, "")
    await store.close()


def tried(pack: Path, *options: str) -> list[dict[str, object]]:
    return printed("try", str(pack), *options)


@pytest.fixture
def calls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.app.load", partial(load, None))
    asyncio.run(_called(url))


@pytest.mark.usefixtures("calls")
def test_a_pack_that_is_tried_tells_what_it_would_gain_and_lose(tmp_path: Path) -> None:
    pack = changed_pack(tmp_path, "rules/abuse.yaml", "insult.person", zh=["大闲人"], en=["nobody"], examples={})
    lost, gained = sorted(tried(pack), key=lambda each: str(each["call"]))
    assert (lost["change"], lost["call"], lost["decided"]) == ("lost", "call-1", "dismissed")
    assert (gained["change"], gained["call"], gained["decided"]) == ("gained", "call-2", "undecided")
    assert {lost["rule"], gained["rule"]} == {"insult.person"}
    shown = CliRunner().invoke(app, ["rules", "try", str(pack)]).stdout
    assert "2 calls judged" in shown
    assert "insult.person" in shown


async def _called_often(url: str) -> None:
    """Three conversations on a day. Before the third somebody writes down that the debtor wanted no more calls."""
    async with SqlStore(url) as store:
        for number in range(3):
            call_id, began = f"call-{number}", AT + timedelta(hours=number)
            said = [scenes.heard(call_id, text="请问是李四本人吗"), scenes.heard(call_id, 1, "我是", "customer")]
            opened = scenes.opened(call_id, started_at=began)
            await store.append(call_id, [opened, *said, scenes.stated("promise", 1), scenes.closed()], began)
        await store.write_note("call-0", CallNote(outcomes=("stop",)), "mei", AT + timedelta(minutes=90), 0)


def test_a_call_is_judged_with_the_debtors_others_as_they_were_known_then(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.app.load", partial(load, None))
    asyncio.run(_called_often(url))
    pack = tmp_path / "pack"
    shutil.copytree(PACKS, pack)
    law = (pack / "law.yaml").read_text("utf-8")
    other = law.replace("counts: conversations, most: 3", "counts: conversations, most: 2")
    (pack / "law.yaml").write_text(other.replace("said: [[stop]]", "said: [[complaint]]"), "utf-8")
    assert {(each["change"], each["call"], each["rule"]) for each in tried(pack)} == {
        ("gained", "call-2", "contacts.conversations_a_day"),
        ("lost", "call-2", "contacts.after_stop"),
    }


@pytest.mark.usefixtures("calls")
def test_the_same_pack_changes_nothing_and_older_calls_are_left_out(tmp_path: Path) -> None:
    assert tried(PACKS) == []
    assert "Nothing would change" in CliRunner().invoke(app, ["rules", "try", str(PACKS)]).stdout
    pack = changed_pack(tmp_path, "rules/abuse.yaml", "insult.person", zh=["大闲人"], en=["nobody"], examples={})
    assert tried(pack, "--since", (AT + timedelta(days=1)).isoformat()) == []
    assert len(tried(pack, "--most", "1")) == 1
