"""`callwarden rules`: what people's decisions say of the rules."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.table import Table

from service.cli import arguments
from service.cli.accounts import with_store
from service.cli.arguments import DataDir
from service.cli.terminal import out
from service.record.facts import SYSTEM, Alert
from service.storage.port import AlertQuery, AlertQueue

app = typer.Typer(help="The rules, and what people's decisions say of them.", no_args_is_help=True)

PAGE: Final = 200
_Z: Final = 1.96
"""Standard deviations on either side that hold 95 of 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePrecision:
    """Of the alerts of a rule that a person has decided: how many were right. `low`, `high`: the interval that holds
    the true share 95 times in 100 (Wilson's), which is wide while few are decided."""

    rule: str
    confirmed: int
    dismissed: int
    precision: float
    low: float
    high: float


def precision_of(decided: Counter[tuple[str, bool]]) -> list[RulePrecision]:
    """A rule each, the most often wrong first. `decided`: alerts by rule and whether they were confirmed."""
    rules = {rule for rule, _ in decided}
    found = [_of_rule(rule, decided[rule, True], decided[rule, False]) for rule in rules]
    return sorted(found, key=lambda each: (-each.dismissed, each.precision, each.rule))


def _of_rule(rule: str, confirmed: int, dismissed: int) -> RulePrecision:
    count = confirmed + dismissed
    share, spread = confirmed / count, _Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return RulePrecision(
        rule=rule,
        confirmed=confirmed,
        dismissed=dismissed,
        precision=round(share, 3),
        low=round(low, 3),
        high=round(high, 3),
    )


async def decided_by_people(store: AlertQueue, since: datetime | None) -> Counter[tuple[str, bool]]:
    """All alerts that people have decided, those raised since then, by rule and whether they were confirmed."""
    counts = Counter[tuple[str, bool]]()
    cursor: str | None = None
    while True:
        page = await store.alerts(AlertQuery(states=("confirmed", "dismissed"), cursor=cursor, limit=PAGE))
        for alert in page.alerts:
            if since is not None and alert.raised_at < since:
                return counts
            counts.update(_decision(alert))
        if (cursor := page.next) is None:
            return counts


def _decision(alert: Alert) -> list[tuple[str, bool]]:
    return [] if alert.changed_by == SYSTEM else [(alert.rule, alert.state == "confirmed")]


@app.command("precision")
def precision(
    since: Annotated[str | None, typer.Option(help="Only alerts raised since then: ISO 8601 with offset.")] = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """How often each rule's alerts were confirmed, by people's decisions; the most often wrong rule first."""
    begin = arguments.moment("--since", since)
    rules = precision_of(with_store(data_dir, lambda store: decided_by_people(store, begin)))
    if as_json:
        for each in rules:
            out.print(json.dumps(asdict(each)), markup=False, highlight=False, soft_wrap=True)
        return
    if not rules:
        out.print("Nobody has confirmed or dismissed an alert yet.")
        return
    table = Table("rule", "confirmed", "dismissed", "right", "95 % interval", box=None, pad_edge=False)
    for each in rules:
        interval = f"{each.low:.0%} to {each.high:.0%}"
        table.add_row(each.rule, str(each.confirmed), str(each.dismissed), f"{each.precision:.0%}", interval)
    out.print(table)
