"""How right the rules are, as people's decisions tell it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from typer.testing import CliRunner

from detectors.contract import Bilingual, Withdrawn
from service.cli import app
from service.cli.rules import PAGE, precision_of
from service.record.facts import FindingWithdrawn
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
def floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked_event_loop_fails: BlockBuster) -> None:
    blocked_event_loop_fails.deactivate()
    url = f"sqlite:///{tmp_path / 'callwarden.db'}"
    monkeypatch.setenv("CALLWARDEN_DATABASE_URL", url)
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path))
    asyncio.run(_decided(url))


def told(*options: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["rules", "precision", "--json", *options])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


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
