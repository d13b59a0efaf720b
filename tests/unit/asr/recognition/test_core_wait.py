"""Whether the system tells that threads wait for a core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asr.recognition.engine_runner import waited_for_cores


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="only Linux tells")
def test_two_programs_on_one_core_wait_for_each_other():
    core = min(os.sched_getaffinity(0))
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    all_cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(other.pid, {core})
        os.sched_setaffinity(0, {core})
        before, end = waited_for_cores(), time.monotonic() + 30.0
        while waited_for_cores() - before <= 0.1:
            assert time.monotonic() < end, "nothing is told"
    finally:
        os.sched_setaffinity(0, all_cores)
        other.kill()
        other.wait()
