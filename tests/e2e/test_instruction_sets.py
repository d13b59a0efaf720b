"""The model's tests on every instruction set that CTranslate2 has code for and this processor knows.

CTranslate2 chooses once a process, by CT2_FORCE_CPU_ISA, so each runs in a process of its own.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.model, pytest.mark.timeout(1200)]

TESTS = Path(__file__).parents[1] / "unit/asr/engines/test_whisper_model.py"
NEEDED = {"GENERIC": "", "AVX2": "avx2", "AVX512": "avx512f"}
"""What /proc/cpuinfo calls the instructions."""


def flags() -> set[str]:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {flag for line in lines if line.startswith("flags") for flag in line.split()} | {""}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the instruction sets are those of x86-64")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("instructions", [*NEEDED])
def test_what_is_far_from_any_threshold_comes_out_the_same(instructions: str, threads: int, whisper_path: Path):
    if NEEDED[instructions] not in flags():
        pytest.skip(f"this processor has no {instructions}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", str(TESTS)],
        env=os.environ | {"CT2_FORCE_CPU_ISA": instructions, "CT2_VERBOSE": "1", "CALLWARDEN_THREADS": str(threads)},
        cwd=TESTS.parents[4],
        capture_output=True,
        text=True,
        timeout=1100,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert f"Selected ISA: {instructions}" in said, "the test tells nothing where another set was used"
