"""A line's echo through the whole path, recognised by the real model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from service.samples import sample_calls

pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]

RATE = 8_000
SECONDS = 30


def _agent_says(pcm: NDArray[np.float64], folder: Path) -> list[float]:
    """When words begin and end that are written down as the agent's. The words themselves differ by the noise."""
    path = folder / "call.flac"
    soundfile.write(path, np.clip(pcm, -1, 0.999), RATE)
    command = [sys.executable, "-m", "service.cli", "transcribe", str(path), "--json"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    said = [json.loads(line) for line in lines]
    assert any(line["speaker"] == "customer" for line in said)
    return [line[edge] for line in said if line["speaker"] == "agent" for edge in ("start", "end")]


def test_a_customers_words_in_the_agents_channel_are_not_the_agents(tmp_path: Path) -> None:
    sample = next(call for call in sample_calls() if call.id == "zh-exposure-threat")
    pcm, _ = soundfile.read(sample.audio, frames=SECONDS * RATE)
    alone = pcm[:, ::-1].astype(np.float64)  # the one who threatens is the customer here
    echoed, late = alone.copy(), round(0.06 * RATE)
    echoed[late:, 0] += 0.25 * alone[:-late, 1]
    said = _agent_says(alone, tmp_path)
    assert said
    assert _agent_says(echoed, tmp_path) == pytest.approx(said, abs=0.5)
