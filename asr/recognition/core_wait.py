"""How long this process's threads have waited for a core that other programs had."""

from __future__ import annotations

from pathlib import Path

from asr.types import Seconds

_TASKS = Path("/proc/self/task")


def waited_for_cores() -> Seconds:
    """Of all threads that run, together, since each began; 0 where the system does not tell (it is Linux that does).
    Blocks: reads a file a thread."""
    total = 0
    for task in _TASKS.glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue  # the thread has ended
    return total / 1e9
