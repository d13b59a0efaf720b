"""`callwarden rules`: a pack's own examples, what it would change, and what people's decisions say of the rules."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import Progress
from rich.table import Table

from asr.threads import in_thread
from detectors.contract import DetectorError
from detectors.rules.lexical import LexicalDetector
from detectors.rules.pack import load_word_rules, wrong_examples
from detectors.semantic.calibration import Calibration, Decided, calibrate
from detectors.semantic.judgement import Judgement, load_judgement
from detectors.semantic.violations import SemanticDetector, rule_of
from service.app import load_registry
from service.cli import arguments
from service.cli.accounts import with_store
from service.cli.arguments import DataDir
from service.cli.terminal import err, fail, out
from service.cli.trial import Trial, ended_calls
from service.private_files import replace_file
from service.record.facts import SYSTEM, Alert
from service.storage.port import AlertQuery, AlertQueue, Store

app = typer.Typer(help="Try rule packs, and see what people's decisions say of the rules.", no_args_is_help=True)

Pack = Annotated[Path | None, typer.Argument(help="Folder of the rule pack; without one, the pack that judges.")]
PAGE: Final = 200
_WEIGHED: Final = (LexicalDetector.id, SemanticDetector.id)
"""The detectors whose findings the judgement weighs."""
_Z: Final = 1.96
"""Standard deviations on either side that hold 95 of 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePrecision:
    """How many of a rule's decided alerts were right. `low`, `high`: Wilson's interval, which holds the true share 95
    times in 100. It is wide while few alerts are decided."""

    rule: str
    confirmed: int
    dismissed: int
    precision: float
    low: float
    high: float


def precision_of(decided: Counter[tuple[str, bool]]) -> list[RulePrecision]:
    """The precision of each rule, the most often wrong first. `decided`: alerts by rule, and whether they were
    confirmed."""
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


async def decided_by_people(store: AlertQueue, since: datetime | None) -> list[Alert]:
    """All alerts that people have decided, those raised since then, newest first."""
    decided: list[Alert] = []
    cursor: str | None = None
    while True:
        page = await store.alerts(AlertQuery(states=("confirmed", "dismissed"), cursor=cursor, limit=PAGE))
        for alert in page.alerts:
            if since is not None and alert.raised_at < since:
                return decided
            if alert.changed_by != SYSTEM:
                decided.append(alert)
        if (cursor := page.next) is None:
            return decided


@app.command("precision")
def precision(
    since: Annotated[str | None, typer.Option(help="Only alerts raised since then: ISO 8601 with offset.")] = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """How often each rule's alerts were confirmed, by people's decisions; the most often wrong rule first."""
    begin = arguments.moment("--since", since)
    alerts = with_store(data_dir, lambda store: decided_by_people(store, begin))
    rules = precision_of(Counter((alert.rule, alert.state == "confirmed") for alert in alerts))
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


@app.command("calibrate")
def calibrate_rules(
    since: Annotated[str | None, typer.Option(help="Only alerts raised since then: ISO 8601 with offset.")] = None,
    precision: Annotated[float, typer.Option(min=0.5, max=0.99, help="The share of right alerts to reach.")] = 0.9,
    write: Annotated[bool, typer.Option("--write", help="Judge by it from the next start on.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Ask more of rules whose alerts people have often dismissed, and show what changes. No rule gets louder."""
    begin = arguments.moment("--since", since)
    alerts = with_store(data_dir, lambda store: decided_by_people(store, begin))
    try:
        judgement = load_judgement()
    except DetectorError as problem:
        fail(str(problem), code=2)
    calibration = calibrate(judgement, [_decided(each) for each in alerts if each.detector in _WEIGHED], precision)
    out.print(_changes(judgement, calibration) if calibration else "Nothing changes.")
    if write:
        path = arguments.settings(data_dir=data_dir).calibration_file
        try:
            replace_file(path, calibration.to_json())
        except OSError as problem:
            fail(f"{path} cannot be written: {problem.strerror or problem}")
        out.print(f"Written to {path}; the service judges by it from its next start on.", markup=False, soft_wrap=True)


def _decided(alert: Alert) -> Decided:
    by_meaning = alert.rule == rule_of(alert.category)
    rule = None if by_meaning else alert.rule
    return Decided(category=alert.category, rule=rule, score=alert.score, right=alert.state == "confirmed")


def _changes(judgement: Judgement, calibration: Calibration) -> Table:
    table = Table("what", "of", "was", "is", box=None, pad_edge=False)
    for rule, trust in calibration.trust.items():
        table.add_row("trust", rule, f"{judgement.trust_of(rule):.2f}", f"{trust:.2f}")
    for category, threshold in calibration.thresholds.items():
        table.add_row("threshold", category, f"{judgement.thresholds[category]:.2f}", f"{threshold:.2f}")
    return table


@app.command("test")
def try_examples(pack: Pack = None) -> None:
    """Try a pack's rules on its own examples: which meet what they must not, or miss what they must meet."""
    try:
        words = load_word_rules(pack or arguments.settings().pack)
    except DetectorError as problem:
        fail(str(problem), code=2)
    wrong = list(wrong_examples(words))
    without = [rule.id for rule in words.rules if not rule.examples.met or not rule.examples.not_met]
    for each in wrong:
        out.print(str(each), markup=False, highlight=False, soft_wrap=True)
    if without:
        err.print(f"Met or not-met examples are missing in: {', '.join(without)}", markup=False, soft_wrap=True)
    lines = sum(len(rule.examples.met) + len(rule.examples.not_met) for rule in words.rules)
    out.print(f"{len(words.rules)} rules, {lines} examples, {len(wrong)} wrong.")
    if wrong:
        raise typer.Exit(1)


@app.command("try")
def try_on_calls(
    pack: Annotated[Path, typer.Argument(help="Folder of the rule pack to try.")],
    since: Annotated[str | None, typer.Option(help="Only calls that began since then: ISO 8601 with offset.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Of the newest calls, as many at most.")] = 1000,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a difference and line.")] = False,
) -> None:
    """Judge stored calls by the present rules and by a pack, and show what would change. Stored alerts stay."""
    begin = arguments.moment("--since", since)
    try:
        settings = arguments.settings()
        trial = Trial(load_registry(settings), load_registry(settings, pack))
    except DetectorError as problem:
        fail(str(problem), code=2)
    calls = with_store(data_dir, lambda store: _try_on(trial, store, begin, most))
    if as_json:
        for each in trial.differences:
            out.print(json.dumps(asdict(each)), markup=False, highlight=False, soft_wrap=True)
        return
    out.print(f"{calls} calls judged.")
    if not trial.differences:
        out.print("Nothing would change.")
        return
    table = Table("rule", "now", "gained", "lost", "of the lost: confirmed", "dismissed", box=None, pad_edge=False)
    for each in trial.changes():
        told = (each.before, each.gained, each.lost, each.lost_confirmed, each.lost_dismissed)
        table.add_row(each.rule, *map(str, told))
    out.print(table)


async def _try_on(trial: Trial, store: Store, since: datetime | None, most: int) -> int:
    calls = 0
    with Progress(*Progress.get_default_columns(), console=err, transient=True) as progress:
        bar = progress.add_task("judging", total=None)
        async for record, history in ended_calls(store, since):
            await in_thread(lambda record=record, history=history: trial.judge(record, history))
            calls += 1
            progress.advance(bar)
            if calls == most:
                break
    return calls
