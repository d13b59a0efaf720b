"""`callwarden detect`: judge text without audio, one utterance a line or one whole call."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from detectors.contract import DetectorError, Jurisdiction
from detectors.evaluation.batch import BadInput, Batch
from detectors.runtime.registry import load
from service.cli.terminal import err, fail
from service.cli.text_input import lines_of, text_of


def detect(
    jurisdiction: Annotated[Jurisdiction, typer.Option(help="Whose rules apply to utterances.")] = "CN",
    call: Annotated[bool, typer.Option("--call", help="Standard input is one JSON call instead of lines.")] = False,
) -> None:
    """Read JSON lines from standard input, one utterance each; write one line of labels and sentiment for each."""
    try:
        batch = Batch(load())
        if call:
            print(json.dumps(batch.call(text_of(sys.stdin.buffer), _notice), ensure_ascii=False))
            return
        for number, line in lines_of(sys.stdin.buffer):
            print(json.dumps(batch.utterance(line, jurisdiction, number), ensure_ascii=False), flush=True)
    except (BadInput, DetectorError) as problem:
        fail(str(problem), code=2)


def _notice(message: str) -> None:
    err.print(f"Notice: {message}", markup=False)
