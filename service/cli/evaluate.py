"""`callwarden eval`: how well labelled lines are judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import track
from rich.table import Table

from detectors.contract import DetectorError
from detectors.evaluation.batch import BadInput, Batch
from detectors.evaluation.measure import (
    Figure,
    JudgedLine,
    LabelledLine,
    LanguageFigures,
    errors,
    figures,
    judge,
    read_line,
)
from detectors.runtime.registry import load
from detectors.semantic.encoder import FOLDER
from service.cli.terminal import err, fail, out
from service.cli.text_input import lines_of

SHOWN_ERRORS = 20


def evaluate(
    files: Annotated[
        list[Path], typer.Argument(help="JSON lines with `lang`, `speaker`, `text`, `labels` or `sentiment`.")
    ],
    tier: Annotated[Literal["all", "patterns"], typer.Option(help="Everything, or without the encoder.")] = "all",
    split: Annotated[str, typer.Option(help="Only lines whose `split` is this.")] = "",
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst errors are shown.")] = SHOWN_ERRORS,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the figures there as JSON.")] = None,
) -> None:
    """Precision, recall and F1 a category, with 95 % intervals, of labelled lines."""
    try:
        batch = Batch(load(FOLDER if tier == "all" else None))
        lines = [line for path in files for line in _lines(path) if split in ("", line.split)]
        judged = [judge(batch, line) for line in track(lines, "judging", console=err, transient=True)]
    except (BadInput, DetectorError, OSError) as problem:
        fail(str(problem), code=2)
    if not judged:
        fail("there is no line to judge", code=2)
    measured = figures(judged)
    for language, each in measured.items():
        _show(language, each)
    _show_errors(judged, worst)
    if output is not None:
        told = {"tier": tier, **{language: asdict(each) for language, each in measured.items()}}
        output.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _lines(path: Path) -> Sequence[LabelledLine]:
    with path.open("rb") as stream:
        try:
            return [read_line(text, number) for number, text in lines_of(stream)]
        except BadInput as problem:
            raise BadInput(f"{path.name}: {problem}") from problem


def _show(language: str, measured: LanguageFigures) -> None:
    table = Table(box=None, pad_edge=False, title=language, title_justify="left")
    for title in ("category", "lines", "precision", "recall", "F1"):
        table.add_column(title, justify="left" if title == "category" else "right")
    for name, each in measured.categories.items():
        table.add_row(name, str(each.lines), f"{each.precision:.2f}", f"{each.recall:.2f}", f"{each.f1:.2f}")
    if measured.categories:
        out.print(table)
    rows = {
        "macro-F1 of categories": measured.macro_f1,
        "violating lines found": measured.found,
        "false alerts in 100 harmless agents' lines": measured.false_per_100,
        "macro-F1 of sentiment": measured.sentiment_f1,
    }
    for name, figure in rows.items():
        if figure is not None:
            out.print(f"{language}  {name:44} {_told(figure)}")
    out.print(f"{language}  {'customers’ lines flagged':44} {measured.customers_flagged}")


def _told(figure: Figure) -> str:
    return f"{figure.value:.2f}  ({figure.low:.2f} to {figure.high:.2f})"


def _show_errors(judged: Sequence[JudgedLine], most: int) -> None:
    for number, (one, missed, false) in enumerate(errors(judged)):
        if number == most:
            return
        told = [f"missed {name}" for name in missed]
        told += [f"false {name} {one.found[name][0]:.2f} «{one.found[name][1]}»" for name in false]
        out.print(f"{one.line.id} {one.line.text}\n    {'; '.join(told)}", markup=False)
